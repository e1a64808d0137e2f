//! The configuration of an nginx, as `nginx -T` writes it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::Inherited;
use crate::directives::{Block, Directive, directives};

/// The configuration of an nginx: its files, the main one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    files: Vec<(PathBuf, String)>,
    /// Where it logs requests unless it is told.
    usual_log: Option<String>,
}

impl Dump {
    /// Reads what `nginx -T` writes to its standard output. With `-V` and what that writes to standard error, before it or after
    /// it, the log is known that nginx keeps when no directive names one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        let mut usual_log = None;
        for line in text.lines() {
            let named = line.strip_prefix("# configuration file ").and_then(|rest| rest.strip_suffix(':'));
            if let Some(build) = line.strip_prefix("configure arguments:") {
                usual_log = Some(log_path(build));
                continue;
            }
            match (named, files.last_mut()) {
                (Some(path), _) => files.push((path.into(), String::new())),
                (None, Some((_, text))) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => {}
            }
        }
        Self { files, usual_log }
    }

    /// The main configuration file.
    #[must_use]
    pub fn main(&self) -> Option<&Path> {
        self.files.first().map(|(path, _)| path.as_path())
    }

    /// What a `server` block inherits of the `http` block only while it has none of its own.
    #[must_use]
    pub fn inherited(&self) -> Inherited {
        let all = self.placed();
        let of = |name: &str| -> Vec<Vec<String>> {
            let here = all.iter().filter(|placed| placed.is_in(&["http"]));
            let named = here.map(|placed| placed.directive.split()).filter(|split| split.0 == name);
            named.map(|(_, rest)| rest.to_vec()).collect()
        };
        let mut access_logs = of("access_log");
        if access_logs.is_empty() {
            access_logs.extend(self.usual_log.iter().map(|path| vec![path.clone()]));
        }
        // One `off` is stronger than all that stand beside it.
        if access_logs.iter().any(|words| words == &["off"]) {
            access_logs.clear();
        }
        let mut headers = of("add_header");
        // Where they are inherited in any case (`merge`) or in none (`off`), there is nothing to repeat.
        if of("add_header_inherit").iter().any(|words| words != &["on"]) {
            headers.clear();
        }
        Inherited { access_logs, headers }
    }

    /// The same for the `server` block that includes this file: without what it has of its own beside the file. Where none
    /// includes it, that of any block.
    #[must_use]
    pub fn inherited_around(&self, snippet: &Path) -> Inherited {
        let (mut inherited, all) = (self.inherited(), self.placed());
        let includes = |placed: &&Placed| match placed.directive.split() {
            ("include", [pattern]) => self.matches(pattern, snippet) && placed.is_in(&["http", "server"]),
            _ => false,
        };
        let including = all.iter().find(includes).and_then(|placed| placed.blocks.last());
        let Some(block) = including else { return inherited };
        let own = |name: &str| {
            all.iter().any(|placed| {
                placed.blocks.last() == Some(block)
                    && self.files[placed.file].0 != snippet
                    && placed.directive.split().0 == name
            })
        };
        if own("access_log") {
            inherited.access_logs.clear();
        }
        if own("add_header") {
            inherited.headers.clear();
        }
        inherited
    }

    /// All simple directives, where they take effect.
    fn placed(&self) -> Vec<Placed> {
        let mut walk = Walk { dump: self, way: Vec::new(), walked: 0, found: Vec::new() };
        if !self.files.is_empty() {
            walk.file(0, &[]);
        }
        walk.found
    }

    /// Whether an `include` of this pattern includes this file.
    fn matches(&self, pattern: &str, path: &Path) -> bool {
        let pattern = self.beside().join(pattern);
        fits(pattern.as_os_str().as_bytes(), path.as_os_str().as_bytes())
    }

    /// Where relative names of files that are included begin.
    fn beside(&self) -> &Path {
        self.main().and_then(Path::parent).unwrap_or(Path::new("/"))
    }

    /// Whether an `http` block includes the files `*.conf` of a folder, by name or by a pattern.
    ///
    /// In the main file the `include` must stand right in the `http` block; in a file that is itself included, outside of
    /// any block.
    #[must_use]
    pub fn includes(&self, folder: &Path) -> bool {
        let beside = self.beside();
        self.files.iter().enumerate().any(|(number, (_, text))| {
            let wanted: &[&str] = if number == 0 { &["http"] } else { &[] };
            directives(text).iter().any(|directive| {
                let pattern = match directive.split() {
                    ("include", [pattern]) => beside.join(pattern),
                    _ => return false,
                };
                let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned());
                let fits =
                    matches!(name.as_deref(), Some("*.conf" | "*" | "*.*" | "cutover-*" | "cutover-*.conf"));
                directive.blocks.iter().map(|block| block.name.as_str()).eq(wanted.iter().copied())
                    && fits
                    && pattern.parent() == Some(folder)
            })
        })
    }
}

/// A directive, with all blocks around it: those of its file, and those of the files that include that.
struct Placed {
    /// Each with the number of the walk through its file: a file that is included twice is walked twice.
    blocks: Vec<(usize, Block)>,
    /// The number of its file.
    file: usize,
    directive: Directive,
}

impl Placed {
    fn is_in(&self, blocks: &[&str]) -> bool {
        self.blocks.iter().map(|(_, block)| block.name.as_str()).eq(blocks.iter().copied())
    }
}

/// Through the files as nginx reads them.
struct Walk<'a> {
    dump: &'a Dump,
    /// The files that are being walked: none includes itself.
    way: Vec<usize>,
    walked: usize,
    found: Vec<Placed>,
}

impl Walk<'_> {
    fn file(&mut self, file: usize, around: &[(usize, Block)]) {
        self.way.push(file);
        self.walked += 1;
        let walk = self.walked;
        for directive in directives(&self.dump.files[file].1) {
            let own = directive.blocks.iter().map(|block| (walk, block.clone()));
            let blocks: Vec<_> = around.iter().cloned().chain(own).collect();
            if let ("include", [pattern]) = directive.split() {
                self.include(pattern, &blocks);
            }
            self.found.push(Placed { blocks, file, directive });
        }
        self.way.pop();
    }

    fn include(&mut self, pattern: &str, around: &[(usize, Block)]) {
        for (number, (path, _)) in self.dump.files.iter().enumerate() {
            if !self.way.contains(&number) && self.dump.matches(pattern, path) {
                self.file(number, around);
            }
        }
    }
}

/// Whether a path fits a pattern of `glob(3)`. A set (`[…]`) is taken for any one character: which files there are, nginx has said.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            fits(rest, path) || matches!(path, [first, path @ ..] if *first != b'/' && fits(pattern, path))
        }
        ([b'[', set @ ..], [_, path @ ..]) if set.contains(&b']') => {
            let rest = set.iter().position(|byte| *byte == b']').map_or(set, |end| &set[end + 1..]);
            fits(rest, path)
        }
        ([b'?', pattern @ ..], [first, path @ ..]) => *first != b'/' && fits(pattern, path),
        ([wanted, pattern @ ..], [first, path @ ..]) => wanted == first && fits(pattern, path),
        _ => false,
    }
}

/// The log that was compiled in, by the arguments of the build.
fn log_path(build: &str) -> String {
    let option = |name: &str| build.split_whitespace().find_map(|word| word.strip_prefix(name));
    let beside =
        |errors: &str| Some(Path::new(errors).parent()?.join("access.log").to_string_lossy().into_owned());
    option("--http-log-path=")
        .map(str::to_owned)
        .or_else(|| option("--error-log-path=").filter(|path| *path != "stderr").and_then(beside))
        .unwrap_or_else(|| "logs/access.log".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(main: &str, more: &str) -> Dump {
        Dump::parse(&format!(
            "nginx: fine\n# configuration file /etc/nginx/nginx.conf:\n{main}\n\n# configuration file /etc/nginx/more.conf:\n{more}\n"
        ))
    }

    #[test]
    fn the_folder_is_included_by_the_http_block_alone() {
        let folder = Path::new("/etc/nginx/conf.d");
        for (main, more, included) in [
            ("http { include /etc/nginx/conf.d/*.conf; }", "", true),
            ("http { include conf.d/*.conf; }", "", true),
            ("http { include \"/etc/nginx/conf.d/*\"; gzip on; }", "", true),
            ("events { } http { server { } include more.conf; }", "include /etc/nginx/conf.d/*.conf;", true),
            ("http { # include /etc/nginx/conf.d/*.conf;\n }", "", false),
            ("http { server { include /etc/nginx/conf.d/*.conf; } }", "", false),
            ("include /etc/nginx/conf.d/*.conf; http { }", "", false),
            ("stream { include /etc/nginx/conf.d/*.conf; }", "", false),
            ("http { include /etc/nginx/conf.d/*.vhost; }", "", false),
            ("http { include /etc/nginx/sites/*.conf; }", "", false),
            ("http { include more.conf; }", "server { include /etc/nginx/conf.d/*.conf; }", false),
        ] {
            assert_eq!(dump(main, more).includes(folder), included, "{main} {more}");
        }
        assert_eq!(dump("", "").main(), Some(Path::new("/etc/nginx/nginx.conf")));
    }

    /// An nginx whose main file includes, within its http block, `rest`.
    fn files(main: &str, more: &[(&str, &str)]) -> Dump {
        let mut text = format!("# configuration file /etc/nginx/nginx.conf:\n{main}\n\n");
        for (path, file) in more {
            text += &format!("# configuration file /etc/nginx/{path}:\n{file}\n\n");
        }
        Dump::parse(&text)
    }

    fn words(all: &[Vec<String>]) -> Vec<String> {
        all.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn what_is_inherited_is_what_takes_effect_right_in_the_http_block() {
        let more = [
            ("conf.d/log.conf", "access_log /b main; include deep/*;"),
            (
                "deep/x",
                "add_header X-Deep \"a b\" always;\nserver { add_header X-Server 1; include own.inc; }",
            ),
            ("own.inc", "access_log /server; add_header X-Own 1;"),
            ("never.conf", "access_log /never;"),
            ("stream.conf", "access_log /stream;"),
        ];
        let main = "access_log /main; http { access_log \"/a\" main if=$x; include conf.d/*.conf; \
                    server { access_log /s; include own.inc; } map a b { include never.conf; } } \
                    stream { include stream.conf; access_log /t; }";
        let inherited = files(main, &more).inherited();
        assert_eq!(words(&inherited.access_logs), ["/a main if=$x", "/b main"]);
        assert_eq!(inherited.headers, [["X-Deep", "a b", "always"]]);
        let whole =
            files("include http.conf;", &[("http.conf", "http { access_log /in; include http.conf; }")]);
        assert_eq!(words(&whole.inherited().access_logs), ["/in"]);
    }

    #[test]
    fn what_is_turned_off_is_not_repeated_nor_what_is_inherited_in_any_case() {
        let all = "add_header A 1; access_log /a;";
        for (http, logs, headers) in [
            (all.to_owned(), 1, 1),
            (format!("{all} access_log off;"), 0, 1),
            (format!("{all} add_header_inherit merge;"), 1, 0),
            (format!("{all} add_header_inherit on;"), 1, 1),
        ] {
            let inherited = files(&format!("http {{ {http} }}"), &[]).inherited();
            assert_eq!((inherited.access_logs.len(), inherited.headers.len()), (logs, headers), "{http}");
        }
    }

    #[test]
    fn the_log_that_was_compiled_in_is_inherited_where_no_other_is_named() {
        let dump = |build: &str, http: &str| {
            let text =
                format!("configure arguments: {build}\n# configuration file /n.conf:\nhttp {{ {http} }}\n");
            words(&Dump::parse(&text).inherited().access_logs)
        };
        assert_eq!(dump("--a='b c' --http-log-path=/var/log/a.log --c", ""), ["/var/log/a.log"]);
        assert_eq!(dump("--error-log-path=/var/log/e.log", ""), ["/var/log/access.log"]);
        assert_eq!(dump("--error-log-path=stderr", ""), ["logs/access.log"]);
        assert_eq!(dump("--http-log-path=/a", "access_log /b;"), ["/b"]);
        assert_eq!(files("http { }", &[]).inherited(), Inherited::default());
    }

    #[test]
    fn a_block_that_includes_the_snippet_repeats_nothing_beside_what_it_has_of_its_own() {
        let snippet = Path::new("/etc/nginx/conf.d/cutover/web.server.inc");
        let ours = "access_log syslog:server=unix:/x cutover_web; access_log /a; add_header A 1;";
        let around = |server: &str| {
            let main =
                format!("http {{ access_log /a; add_header A 1; server {{ access_log /o; }} {server} }}");
            let inherited =
                files(&main, &[("conf.d/cutover/web.server.inc", ours)]).inherited_around(snippet);
            (inherited.access_logs.len(), inherited.headers.len())
        };
        let include = "include conf.d/cutover/*.server.inc;";
        assert_eq!(around(""), (1, 1));
        assert_eq!(around(&format!("server {{ {include} }}")), (1, 1));
        assert_eq!(
            around(&format!("server {{ location / {{ access_log off; add_header B 1; }} {include} }}")),
            (1, 1)
        );
        assert_eq!(around(&format!("server {{ access_log /b; {include} }}")), (0, 1));
        assert_eq!(around(&format!("server {{ {include} add_header B 1; }}")), (1, 0));
    }
}
