//! Hostile names and values before judges that know nothing of us: what is accepted, nginx itself takes, and crossplane
//! reads in it the directives that are meant and no other.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../src/fuzz/model.rs"]
mod model;
mod rig;
#[path = "../src/fuzz/tree.rs"]
mod tree;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

// The names that `model` takes from its crate, which in the library's own tests is the library.
use cutover_proxyconf::{
    Address, App, Balance, BySlot, Control, Error, Exposure, HostNginx, Inherited, Listen, NginxVersion,
    ProxySettings, Rendered, ServerName, Site, Stickiness, Surface as _, Tls, Upstream, check, render,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use self::model::{Values, replaced};
use self::tree::{Directive, parse, stands_for};

const APPS: usize = 200;
/// How many apps one nginx is given at once.
const AT_ONCE: usize = 20;
/// The place of each app's own directives in its model.
const OWN: &str = "own_directive";

/// A text that means harm, or one that means none.
fn text(plain: &'static str) -> impl Strategy<Value = String> {
    let harm = prop_oneof![
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just(";".to_owned()),
        Just("; }".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("$".to_owned()),
        Just("${".to_owned()),
        Just("${{".to_owned()),
        Just("$host".to_owned()),
        Just("#".to_owned()),
        Just("\n".to_owned()),
        Just("\0".to_owned()),
        Just("\\".to_owned()),
        Just(" ".to_owned()),
        Just("é".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("..".to_owned()),
        Just("*".to_owned()),
        Just("%".to_owned()),
        Just("x".repeat(300)),
        Just("y".repeat(5000)),
        ".{0,12}",
    ];
    prop_oneof![
        2 => Just(plain.to_owned()),
        3 => (harm, any::<prop::sample::Index>()).prop_map(move |(harm, at)| {
            let at = at.index(plain.len() + 1);
            format!("{}{harm}{}", &plain[..at], &plain[at..])
        }),
    ]
}

fn values() -> impl Strategy<Value = Values> {
    let name = prop::collection::vec(
        prop_oneof![
            text("example.com"),
            text("*.example.org"),
            text("www.example.*"),
            text(".example.net"),
            text("_")
        ],
        0..4,
    );
    let resolver = prop_oneof![
        text("127.0.0.11 valid=10s"),
        text("127.0.0.11 ipv6=off"),
        text("[::1]:53"),
        text("127.0.0.11 valid=10ms"),
    ];
    let texts = (
        name,
        text("/state"),
        text("/cert"),
        resolver,
        text("app.example:80"),
        text("/own.sock"),
        text("a; b"),
    );
    (texts, prop::collection::vec(any::<u8>(), 7)).prop_map(|(texts, numbers)| {
        let (server_names, state, certificate, resolver, preview, socket, header) = texts;
        Values {
            listen: vec![socket],
            server_names,
            state_dir: Some(state),
            certificate: Some(certificate),
            resolver: Some(resolver),
            preview_host: Some(preview),
            numbers,
            // Of variables, nginx says whether there are such.
            headers: vec![header.replace('$', "")],
            ..Values::default()
        }
    })
}

/// Directives of the user's, of one that takes any word, and how crossplane and nginx are to read that word.
fn own() -> impl Strategy<Value = Option<(String, String)>> {
    (text("text/plain"), any::<bool>()).prop_map(|(word, quoted)| {
        let word = if quoted { format!("\"{}\"", word.replace(['\\', '"'], "")) } else { word };
        let own = format!("location = /own {{ default_type {word}; }}");
        let read = parse(&own)?.pop()?.block?;
        match &read[..] {
            [Directive { args, .. }] if args.len() == 1 && !args[0].is_empty() => {
                Some((own, args[0].clone()))
            }
            _ => None,
        }
    })
}

/// An app, the same with plain words, and which word stands for what.
struct Case {
    real: App,
    plain: App,
    words: Vec<(String, String)>,
}

impl Case {
    /// Backslashes, and braces in a bare word, which crossplane reads otherwise than nginx does: they are left to nginx
    /// itself and to our reader.
    fn is_odd(&self) -> bool {
        let escaped = |header: &Vec<String>| header.iter().any(|word| word.contains('\\'));
        if self.real.inherited.headers.iter().any(escaped) {
            return true;
        }
        let Exposure::Site(site) = &self.real.exposure else { return false };
        let odd = |own: &String| own.contains('\\') || own.matches(['{', '}']).count() > 2;
        site.extra.iter().any(|own| !own.contains('"') && odd(own))
    }
}

/// Makes the values fit this machine, so that nginx has nothing to say of it: free places, files that are there.
fn case(
    root: &Path,
    number: usize,
    mut values: Values,
    own: Option<(String, String)>,
    version: NginxVersion,
) -> Case {
    let place = root.join(number.to_string());
    std::fs::create_dir_all(&place).unwrap();
    values.name = format!("a-{number}");
    let below = |text: Option<String>| text.map(|text| format!("{}/{text}", place.display()));
    values.state_dir = below(values.state_dir);
    values.certificate = below(values.certificate);
    let socket = values.listen.pop().unwrap_or_default();
    values.listen = vec![
        format!("{}", 20_000 + 3 * number),
        format!("127.0.0.1:{} ssl", 20_001 + 3 * number),
        format!("unix:{}/{socket}", place.display()),
    ];
    let mut real = values.accepted();
    if let Exposure::Site(site) = &real.exposure {
        for path in site.listen.iter().filter_map(|listen| listen.address().strip_prefix("unix:")) {
            std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        }
    }
    // The name of a name server must be known to this machine.
    let named =
        |text: &String| text.split(' ').any(|word| !word.contains(['=', '.', ']']) && !word.is_empty());
    if version < NginxVersion::new(1, 27, 3) || real.upstream.resolver.as_ref().is_some_and(named) {
        real.upstream.resolver = None;
    }
    if let Exposure::Site(site) = &mut real.exposure {
        let made = site.tls.as_ref().is_some_and(|tls| certified(&tls.certificate));
        if !made {
            site.tls = None;
            site.listen.retain(|listen| !listen.ssl());
        }
    }
    let (mut plain, mut words) = replaced(&real);
    if let Some((text, read)) = own {
        let given = with(&real, text);
        if check(&given, version).is_ok() {
            plain = with(&plain, format!("location = /own {{ default_type {OWN}; }}"));
            (real, _) = (given, words.push((OWN.to_owned(), read)));
        }
    }
    Case { real, plain, words }
}

/// The app with these directives in its site, if it has one.
fn with(app: &App, own: String) -> App {
    let mut app = app.clone();
    if let Exposure::Site(site) = &mut app.exposure {
        site.extra = vec![own];
    }
    app
}

/// Puts a certificate with its key into one file.
fn certified(path: &Path) -> bool {
    let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    std::fs::write(path, made.cert.pem() + &made.signing_key.serialize_pem()).is_ok()
}

#[tokio::test]
async fn what_is_accepted_nginx_takes_and_crossplane_reads_as_it_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    let version = HostNginx { binary: rig::binary(), conf: None }.version().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let mut cases = Vec::new();
    for number in 0..APPS {
        let (values, own) = (values(), own()).new_tree(&mut runner).unwrap().current();
        cases.push(case(dir.path(), number, values, own, version));
    }
    let mut files = Vec::new();
    for (batch, apps) in cases.chunks(AT_ONCE).enumerate() {
        let reals = apps.iter().map(|case| &case.real);
        let written = write(&dir.path().join(format!("nginx-{batch}")), reals, version);
        if let Err(said) = tested(&written.conf) {
            // Which of them it is.
            for case in apps {
                let alone = write(&dir.path().join("alone"), std::iter::once(&case.real), version);
                if let Err(said) = tested(&alone.conf) {
                    panic!("nginx does not take it: {}\n{:?}", said.trim(), case.real);
                }
            }
            panic!("{said}");
        }
        let plain =
            write(&dir.path().join(format!("plain-{batch}")), apps.iter().map(|case| &case.plain), version);
        files.extend(written.files.into_iter().zip(plain.files));
    }
    let mut alike = Vec::new();
    for (real, plain) in &files {
        let [text, model] = [real, plain].map(|path| std::fs::read_to_string(path).unwrap());
        let of = |case: &&Case| text.contains(&format!("for the app {};", case.real.name));
        let case = cases.iter().find(of).unwrap();
        let mut words = case.words.clone();
        words.push((generation(&case.plain, version), generation(&case.real, version)));
        let read = stands_for(&parse(&text).unwrap(), &parse(&model).unwrap(), &words);
        read.unwrap_or_else(|why| panic!("{why} in\n{text}"));
        if !case.is_odd() {
            alike.push((real, plain, text, words));
        }
    }
    assert!(alike.len() > APPS * 3 / 4);
    let paths: Vec<&PathBuf> = alike.iter().flat_map(|(real, plain, ..)| [*real, *plain]).collect();
    let trees = crossplane(&paths);
    for (pair, (_, _, text, words)) in trees.chunks(2).zip(&alike) {
        stands_for(&pair[0], &pair[1], words).unwrap_or_else(|why| panic!("crossplane: {why} in\n{text}"));
    }
    assert_eq!(trees.len(), paths.len());
    let hostile =
        |case: &&Case| case.words.iter().any(|(_, real)| !real.bytes().all(|b| b.is_ascii_alphanumeric()));
    assert!(cases.iter().filter(hostile).count() > APPS / 2, "hardly anything hostile was accepted");
}

fn generation(app: &App, version: NginxVersion) -> String {
    render(app, version).unwrap().generation.to_string()
}

/// A configuration of nginx, and the files in it that were rendered.
struct Written {
    conf: PathBuf,
    files: Vec<PathBuf>,
}

fn write<'a>(root: &Path, apps: impl Iterator<Item = &'a App>, version: NginxVersion) -> Written {
    std::fs::create_dir_all(root.join("conf.d/cutover")).unwrap();
    let mut servers = String::new();
    let mut files = Vec::new();
    for app in apps {
        let Rendered { files: rendered, .. } = render(app, version).unwrap();
        if rendered.len() > 1 {
            let name = &app.name;
            servers.push_str(&format!(
                "server {{ listen 127.0.0.1:29999; server_name {name}.example; include conf.d/cutover/{name}.server.inc;\n\
                 location / {{ include conf.d/cutover/{name}.location.inc; }} }}\n"
            ));
        }
        for file in rendered {
            let path = root.join("conf.d").join(file.name);
            std::fs::write(&path, file.text).unwrap();
            files.push(path);
        }
    }
    let conf = root.join("nginx.conf");
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", root.display()))
        .concat();
    // How long a name may be is for the `http` block to say; so is how many variables there are.
    let text = format!(
        "error_log stderr warn;\npid {root}/nginx.pid;\nevents {{ }}\nhttp {{\naccess_log off;\n{temp}\
         server_names_hash_bucket_size 512;\nserver_names_hash_max_size 8192;\nvariables_hash_max_size 8192;\n\
         include {root}/conf.d/*.conf;\n{servers}}}\n",
        root = root.display()
    );
    std::fs::write(&conf, text).unwrap();
    Written { conf, files }
}

/// Lets nginx test it; what nginx says where it does not take it.
fn tested(conf: &Path) -> Result<(), String> {
    let output = Command::new(rig::binary()).arg("-t").arg("-c").arg(conf).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// What crossplane reads in each of these files.
fn crossplane(paths: &[&PathBuf]) -> Vec<Vec<Directive>> {
    let python = std::env::var_os("CUTOVER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut judge = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judged/crossplane_trees.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}; install python3", python.display()));
    let written = judge.stdin.take().unwrap().write_all(serde_json::to_string(paths).unwrap().as_bytes());
    let output = judge.wait_with_output().unwrap();
    let python = python.display();
    assert_ne!(
        output.status.code(),
        Some(3),
        "crossplane is missing: `{python} -m pip install crossplane==0.5.8`, or name a python that has it in CUTOVER_TEST_PYTHON"
    );
    written.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
