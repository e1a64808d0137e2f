//! Rendering: value against value, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod rig;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

use cutover_proxyconf::{
    Address, App, AppName, Balance, BySlot, Control, Error, Exposure, Inherited, Listen, NginxVersion,
    ProxySettings, ServerName, Site, Stickiness, Tls, Upstream, render,
};
use proptest::prelude::*;

const DEBIAN: NginxVersion = NginxVersion::new(1, 22, 1);
const NEWEST: NginxVersion = NginxVersion::new(1, 31, 3);

fn app() -> App {
    let site = Site {
        listen: vec!["127.0.0.1:8080".parse().unwrap()],
        server_names: vec!["example.com".parse().unwrap()],
        ..Site::default()
    };
    App {
        name: "web".parse().unwrap(),
        slots: BySlot {
            blue: vec!["127.0.0.1:8112".parse().unwrap()],
            green: vec!["127.0.0.1:8113".parse().unwrap()],
        },
        upstream: Upstream::default(),
        exposure: Exposure::Site(site),
        proxy: ProxySettings::default(),
        control: Control::new("127.0.0.1:9180".parse::<SocketAddr>().unwrap()),
        state_dir: "/srv/t/state".into(),
        preview_host: None,
        tells: false,
        canary: None,
        inherited: Inherited::default(),
    }
}

fn site(app: &mut App) -> &mut Site {
    match &mut app.exposure {
        Exposure::Site(site) => site,
        Exposure::Snippets => panic!("the app has no site"),
    }
}

/// All files in one text. `UPDATE_EXPECTED=1` writes the expectation anew, to be read in the diff.
fn assert_renders(app: &App, version: NginxVersion, expected: &str) {
    let rendered = render(app, version).unwrap();
    let text: String =
        rendered.files.iter().map(|file| format!("==> {} <==\n{}", file.name, file.text)).collect();
    let path = format!("{}/tests/expected/{expected}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{path}");
    assert!(text.contains(rendered.generation.as_str()));
}

#[test]
fn a_plain_site_is_rendered_as_expected() {
    assert_renders(&app(), DEBIAN, "site.conf");
}

#[test]
fn a_site_with_all_settings_is_rendered_as_expected_for_the_newest_nginx() {
    let mut app = app();
    app.slots.green = vec!["web-green:8112".parse().unwrap()];
    app.upstream.resolver = Some("127.0.0.11 valid=10s".into());
    app.upstream.balance = Balance::LeastConn;
    app.proxy.buffering = false;
    let site = site(&mut app);
    site.tls = Some(Tls { certificate: "/etc/ssl/a cert.pem".into(), key: "/etc/ssl/key.pem".into() });
    site.client_max_body_size = Some(10_000_000);
    site.extra = vec!["location /static/ { root /srv; }".into(), "add_header X-A \"a;b\";".into()];
    assert_renders(&app, NEWEST, "all.conf");
}

#[test]
fn snippets_with_ip_hash_are_rendered_as_expected() {
    let mut app = app();
    app.exposure = Exposure::Snippets;
    app.upstream.balance = Balance::IpHash;
    assert_renders(&app, DEBIAN, "snippets.conf");
}

fn inherited() -> Inherited {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect();
    Inherited {
        access_logs: vec![words("/var/log/nginx/access.log main buffer=32k if=$loggable")],
        headers: vec![vec!["X-Served".into(), "by \"$hostname\" \\ ; }".into(), "always".into()]],
    }
}

#[test]
fn a_site_that_tells_and_shares_by_address_is_rendered_as_expected() {
    let mut app = app();
    (app.tells, app.canary, app.inherited) = (true, Some(Stickiness::Address), inherited());
    assert_renders(&app, DEBIAN, "shared.conf");
}

#[test]
fn snippets_that_tell_and_share_by_cookie_with_ip_hash_are_rendered_as_expected() {
    let mut app = app();
    app.exposure = Exposure::Snippets;
    app.upstream.balance = Balance::IpHash;
    (app.tells, app.canary, app.inherited) = (true, Some(Stickiness::Cookie), inherited());
    assert_renders(&app, DEBIAN, "shared-snippets.conf");
}

#[test]
fn what_the_user_has_of_their_own_in_the_block_is_not_joined_by_what_it_replaced() {
    let mut app = app();
    (app.tells, app.canary, app.inherited) = (true, Some(Stickiness::Cookie), inherited());
    let repeated = |app: &App| {
        let text = render(app, DEBIAN).unwrap().files.remove(0).text;
        [text.contains("$loggable"), text.contains("X-Served")]
    };
    assert_eq!(repeated(&app), [true, true]);
    site(&mut app).extra = vec!["location /x/ { access_log off; add_header A 1; }".into()];
    assert_eq!(repeated(&app), [true, true]);
    site(&mut app).extra = vec!["access_log /own;".into()];
    assert_eq!(repeated(&app), [false, true]);
    site(&mut app).extra = vec!["add_header A 1;".into()];
    assert_eq!(repeated(&app), [true, false]);
    site(&mut app).extra = vec!["gzip on; access_log off;".into()];
    let refused = render(&app, DEBIAN).unwrap_err();
    assert!(matches!(refused, Error::Invalid { field: "extra", .. }), "{refused}");
    app.tells = false;
    render(&app, DEBIAN).unwrap();
}

#[test]
fn a_cookie_is_for_tls_alone_where_every_client_comes_over_tls() {
    let mut app = app();
    app.canary = Some(Stickiness::Cookie);
    let text = |app: &App| render(app, DEBIAN).unwrap().files[0].text.clone();
    let (fixed, asked) = ("SameSite=Lax; Secure\"", "SameSite=Lax$cutover_secure\"");
    assert!(text(&app).contains("SameSite=Lax\""));
    site(&mut app).tls = Some(Tls { certificate: "/c".into(), key: "/k".into() });
    assert!(text(&app).contains(fixed));
    site(&mut app).listen = vec!["443 ssl".parse().unwrap()];
    assert!(text(&app).contains(fixed));
    site(&mut app).listen.push("80".parse().unwrap());
    assert!(text(&app).contains(asked) && !text(&app).contains(fixed));
}

#[test]
fn a_socket_that_nginx_could_not_be_given_is_refused() {
    let mut app = app();
    app.tells = true;
    // `/web/told` is nine bytes more.
    for (dir, fine) in [
        (format!("/{}", "a".repeat(97)), true),
        (format!("/{}", "a".repeat(98)), false),
        ("/a,b".into(), false),
        ("/a b:c".into(), true),
    ] {
        app.state_dir = dir.clone().into();
        assert_eq!(render(&app, DEBIAN).is_ok(), fine, "{dir}");
    }
    app.tells = false;
    render(&app, DEBIAN).unwrap();
}

#[test]
fn http2_is_written_as_the_version_takes_it() {
    let mut app = app();
    site(&mut app).tls = Some(Tls { certificate: "/c.pem".into(), key: "/k.pem".into() });
    let text = |version| render(&app, version).unwrap().files[0].text.clone();
    let (old, new) = (text(NginxVersion::new(1, 25, 0)), text(NginxVersion::new(1, 25, 1)));
    assert!(old.contains("listen 127.0.0.1:8080 ssl http2;") && !old.contains("http2 on;"));
    assert!(new.contains("listen 127.0.0.1:8080 ssl;") && new.contains("http2 on;"));
}

#[test]
fn a_name_as_address_is_refused_where_nginx_looks_it_up_only_once() {
    let mut app = app();
    app.slots.blue = vec!["web-blue:8112".parse().unwrap()];
    let refused = render(&app, NginxVersion::new(1, 27, 2)).unwrap_err();
    assert!(matches!(refused, Error::NamesNeedResolve { .. }), "{refused}");
    let text = &render(&app, NginxVersion::new(1, 27, 3)).unwrap().files[0].text;
    assert!(text.contains("server web-blue:8112 resolve max_fails=3"));
}

#[test]
fn the_generation_changes_with_the_text_and_only_with_it() {
    let (mut other, first) = (app(), render(&app(), DEBIAN).unwrap().generation);
    assert_eq!(first, render(&app(), DEBIAN).unwrap().generation);
    other.upstream.max_fails = 4;
    assert_ne!(first, render(&other, DEBIAN).unwrap().generation);
}

#[test]
fn values_that_could_break_out_are_refused() {
    for name in ["", "-a", "a-", "A", "a_b", "a b", "a;b", "ä", &"a".repeat(29)] {
        assert!(name.parse::<AppName>().is_err(), "{name}");
    }
    for name in ["a;b", "a b", "~^x", "a{", "$x", "a\n", "a*b", "", ".", "a..b", "\"a\""] {
        assert!(name.parse::<ServerName>().is_err(), "{name}");
    }
    let long = format!("unix:/{}", "a".repeat(107));
    for listen in [
        "",
        "0",
        "80;",
        "80 reuseport",
        "localhost:80",
        "+80",
        "unix:rel",
        "unix:/a b",
        "[::1]",
        "99999",
        &long,
    ] {
        assert!(listen.parse::<Listen>().is_err(), "{listen}");
    }
    for address in
        ["", "a", "a:0", "1.2.3:80", "a;b:80", "a b:80", "a:b:80", "[fe80::1%3]:80", "-a:80", "$a:80"]
    {
        assert!(address.parse::<Address>().is_err(), "{address}");
    }
    for dir in
        ["relative", "/a\"b", "/a$b", "/a;b", "/a{b", "/a}b", "/a\nb", "/a\\b", "/a*", &long[5..].repeat(10)]
    {
        let mut app = app();
        app.state_dir = dir.into();
        assert!(render(&app, DEBIAN).is_err(), "{dir}");
    }
    for twice in
        [["80", "*:80"], ["[::1]:81", "[0:0::1]:81 ssl"], ["unix:/a", "unix:/a"], ["80", "127.0.0.1:9180"]]
    {
        let mut app = app();
        site(&mut app).listen = twice.map(|listen| listen.parse().unwrap()).to_vec();
        site(&mut app).tls = Some(Tls { certificate: "/c".into(), key: "/k".into() });
        assert!(render(&app, DEBIAN).is_err(), "{twice:?}");
    }
    for resolver in
        ["", "a=b", "valid=10s", "1.2.3.4 valid=10ms", "1.2.3.4 ipv4=no", "::1", "1.2.3.4 ipv4=off ipv6=off"]
    {
        let mut app = app();
        app.upstream.resolver = Some(resolver.into());
        assert!(render(&app, NEWEST).is_err(), "{resolver}");
    }
    for host in ["", "a b", "a;b", "$host", "a\"", "a\n"] {
        let mut app = app();
        app.preview_host = Some(host.into());
        assert!(render(&app, DEBIAN).is_err(), "{host}");
    }
}

#[test]
fn extra_directives_that_leave_their_block_are_refused() {
    let refused = [
        "#",
        "gzip on",
        "gzip on; }",
        "} server {",
        "location /x {",
        "a \"b;",
        "a 'b;",
        "a; # c",
        "a\\;",
        "a b }",
        "a \"b\"c;",
        ";",
        "{ a; }",
        "} a {;}",
        "content_by_lua_block { }",
        "a;\0",
        "a ${{ b; }",
        &format!("a {};", "b".repeat(4100)),
        "a\r;",
    ];
    for extra in refused {
        let mut app = app();
        site(&mut app).extra = vec![extra.into()];
        assert!(render(&app, DEBIAN).is_err(), "{extra}");
    }
    for extra in [
        "gzip on;",
        "location /x { return 204; }",
        "add_header A \"}{;\";",
        "# c\ngzip on;",
        "set $a ${host}b;",
    ] {
        let mut app = app();
        site(&mut app).extra = vec![extra.into()];
        render(&app, DEBIAN).unwrap_or_else(|error| panic!("{extra}: {error}"));
    }
}

/// All variables of ours that are set or read in the app's files.
fn variables(app: &App) -> BTreeSet<String> {
    let rendered = render(app, DEBIAN).unwrap();
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$';
    let words = rendered.files.iter().flat_map(|file| file.text.split(word));
    words.filter(|word| word.starts_with("$cutover_")).map(str::to_owned).collect()
}

#[test]
fn apps_share_their_variables_in_blocks_of_ours_and_none_in_a_block_of_the_users() {
    let mut web = app();
    (web.tells, web.canary) = (true, Some(Stickiness::Cookie));
    let mut api = web.clone();
    api.name = "api".parse().unwrap();
    assert_eq!(variables(&web), variables(&api));
    let users = |app: &App| {
        let snippets = App { exposure: Exposure::Snippets, ..app.clone() };
        let own = variables(app);
        variables(&snippets).into_iter().filter(|name| !own.contains(name)).collect::<BTreeSet<_>>()
    };
    let (web, api) = (users(&web), users(&api));
    assert!(web.len() > 4 && web.is_disjoint(&api), "{web:?} {api:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_passes_nginx_own_check(
        name in "[a-z0-9]([a-z0-9-]{0,26}[a-z0-9])?",
        server in r"[a-zA-Z0-9.*_;${} -]{1,12}",
        dir in r##"/[a-z ;'"#.,()-]{0,12}"##,
        value in r##"[a-z;{}"'\\$# )]{0,12}"##,
        replicas in 1_u16..80,
        balance in prop_oneof![Just(Balance::RoundRobin), Just(Balance::LeastConn), Just(Balance::IpHash)],
    ) {
        let mut app = app();
        let root = tempfile::tempdir().unwrap();
        app.name = name.parse().unwrap();
        app.upstream.balance = balance;
        app.state_dir = dir.into();
        app.slots = BySlot {
            blue: (1..=replicas).map(|port| SocketAddr::from(([127, 0, 0, 1], port)).into()).collect(),
            green: (1..=replicas).map(|port| SocketAddr::from(([127, 0, 0, 2], port)).into()).collect(),
        };
        let (listen, control) = (rig::free(), rig::free());
        app.control = Control::new(control);
        let site = site(&mut app);
        site.listen = vec![listen.into()];
        site.server_names = server.parse().into_iter().collect();
        site.extra = vec![format!("add_header X-A \"x{value}\";")];
        let version = NginxVersion::parse_banner(&nginx(&["-v"])).unwrap();
        if let Ok(rendered) = render(&app, version) {
            let dir = root.path().display();
            std::fs::write(root.path().join("app.conf"), &rendered.files[0].text).unwrap();
            let conf = root.path().join("nginx.conf");
            std::fs::write(&conf, format!(
                "pid {dir}/pid; error_log stderr; events {{}} http {{ access_log off; include {dir}/app.conf; }}"
            )).unwrap();
            let told = nginx(&["-t", "-c", conf.to_str().unwrap()]);
            // What words of the user's mean is nginx's business; that they stay within the block is ours.
            // A block for the header is nothing that nginx takes, and is closed again all the same.
            let told = told.replace("\"add_header\" is not terminated", "");
            let structural = ["unexpected", "not terminated", "not allowed here"];
            let plain = value.chars().all(|c| c.is_ascii_lowercase());
            let fine = told.contains("test is successful")
                || (!plain && !structural.iter().any(|word| told.contains(word)));
            prop_assert!(fine, "{told}\n{}", rendered.files[0].text);
        }
    }
}

fn nginx(args: &[&str]) -> String {
    let output = Command::new(rig::binary()).args(args).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}
