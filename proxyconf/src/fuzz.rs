//! What may stand in a configuration for nginx, whatever it is: for libFuzzer (`fuzz/`), and over its corpus for the tests.
//!
//! What is accepted is rendered twice: as it is, and with a plain word in the place of each value. nginx must read the
//! same directives in both, with the values where the words are.

mod model;
mod tree;

use self::model::{Values, replaced};
use self::tree::{Directive, parse, stands_for};
use crate::{App, Exposure, File, Generation, NginxVersion, Told, check, render};

const VERSIONS: [NginxVersion; 3] =
    [NginxVersion::new(1, 22, 1), NginxVersion::new(1, 25, 1), NginxVersion::new(1, 31, 3)];

/// Names and values, apart by bytes that no text has. The same bytes may come to the socket that nginx tells of requests at.
pub fn nginx_names(data: &[u8]) {
    let values = Values::read(data);
    let app = values.accepted();
    if let Some(told) = Told::parse(&app.name, data) {
        assert!(data.starts_with(b"<"), "{told:?}");
    }
    let (model, words) = replaced(&app);
    let version = VERSIONS[data.len() % VERSIONS.len()];
    // Names as addresses need a newer one.
    if check(&app, version).is_err() {
        return assert!(version < VERSIONS[2]);
    }
    check(&model, version).unwrap_or_else(|error| panic!("{error}"));
    for (real, plain) in rendered(&app, version).iter().zip(rendered(&model, version)) {
        let wrong = |why: &str| panic!("{why} in\n{}", real.text);
        let Some(plain) = parse(&plain.text) else { return wrong("a model that is not read") };
        let Some(real) = parse(&real.text) else { return wrong("an error of nginx's") };
        stands_for(&real, &plain, &words).unwrap_or_else(|why| wrong(&why));
    }
}

/// The files, without a generation: it is a hash of everything else.
fn rendered(app: &App, version: NginxVersion) -> Vec<File> {
    render::files(app, version, &Generation::blank())
}

impl Values {
    /// Values apart by the byte 255, those of a list by 254.
    fn read(data: &[u8]) -> Self {
        let mut fields = data.split(|byte| *byte == 0xff);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let texts = |field: &[u8]| -> Vec<String> { field.split(|byte| *byte == 0xfe).map(text).collect() };
        let mut list = || texts(fields.next().unwrap_or_default());
        let one = |list: Vec<String>| list.into_iter().next().unwrap_or_default();
        let some = |list: Vec<String>| list.into_iter().next().filter(|text| !text.is_empty());
        Self {
            name: one(list()),
            listen: list(),
            server_names: list(),
            state_dir: some(list()),
            certificate: some(list()),
            resolver: some(list()),
            preview_host: some(list()),
            blue: one(list()),
            green: one(list()),
            numbers: fields.next().unwrap_or_default().to_vec(),
            headers: fields.next().map(texts).unwrap_or_default(),
        }
    }
}

/// Directives of the user's: what is accepted stands whole in the site's `server` block, and everything else around it
/// as it would stand without.
pub fn nginx_directives(data: &[u8]) {
    const MARK: &str = "here_they_stand";
    let extra = String::from_utf8_lossy(data);
    let with = |extra: &str| {
        let mut app = Values::read(b"").accepted();
        if let Exposure::Site(site) = &mut app.exposure {
            site.extra = vec![extra.to_owned()];
        }
        check(&app, VERSIONS[0]).ok().map(|()| rendered(&app, VERSIONS[0]).remove(0).text)
    };
    let (Some(real_text), Some(plain_text)) = (with(&extra), with(&format!("{MARK};"))) else { return };
    let Some(meant) = parse(&extra) else { panic!("{extra:?} is accepted and is nothing whole") };
    let real_tree = parse(&real_text).unwrap_or_else(|| panic!("an error of nginx's in\n{real_text}"));
    let mut wanted = parse(&plain_text).unwrap_or_else(|| panic!("a model that is not read:\n{plain_text}"));
    let site = wanted.last_mut().and_then(|site| site.block.as_mut()).unwrap_or_else(|| panic!("no site"));
    let at = site.iter().position(|directive| directive.name == MARK);
    drop(at.map(|at| site.splice(at..=at, meant).collect::<Vec<Directive>>()));
    stands_for(&real_tree, &wanted, &[]).unwrap_or_else(|why| panic!("{why} in\n{real_text}"));
}

/// For the tests of this module's own parts.
#[cfg(test)]
fn of(text: &str) -> Option<Vec<Directive>> {
    parse(text)
}

#[cfg(test)]
#[path = "../../fuzz/play.rs"]
mod play;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_and_values_are_refused_or_stand_where_they_are_meant() {
        play::play("nginx_names", nginx_names);
    }

    #[test]
    fn hostile_directives_are_refused_or_stay_in_their_block() {
        play::play("nginx_directives", nginx_directives);
    }

    #[test]
    fn the_judge_reads_words_as_nginx_does() {
        let words = |text: &str| {
            of(text).map(|all| all.into_iter().map(|d| [vec![d.name], d.args].concat()).collect::<Vec<_>>())
        };
        for (text, meant) in [
            ("a 'b c' d\\;e;", vec![vec!["a", "b c", "d\\;e"]]),
            ("a ${b} c$d{;} e;", vec![]),
            ("a ${b} ${{ c;", vec![vec!["a", "${b}", "${{", "c"]]),
            ("if (-f \"x y\") { }", vec![vec!["if", "(-f", "x y", ")"]]),
            ("a \"\\\"\\n\"; # c ; {\nb;", vec![vec!["a", "\"\n"], vec!["b"]]),
        ] {
            let meant: Vec<Vec<String>> =
                meant.into_iter().map(|all| all.into_iter().map(str::to_owned).collect()).collect();
            assert_eq!(words(text).unwrap_or_default(), meant, "{text}");
        }
        for text in ["a", "a; }", "a {", "a \"b\"c;", "{ }", "; a;", "a 'b;", "a b }"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
