//! Files that are none, or no TOML, or have other tables and keys.

use super::{beside_web, refused, web};
use crate::sandbox::{Sandbox, snapshot};

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let sandbox = Sandbox::new();
    sandbox.write("latin1.toml", b"# caf\xe9\n");
    std::fs::create_dir(sandbox.path().join("folder.toml")).unwrap();
    let mut told = String::new();
    for arguments in [
        ["config", "check"].as_slice(),
        &["-c", "elsewhere/cutover.toml", "plan"],
        &["-c", "folder.toml", "plan"],
        &["-c", "latin1.toml", "plan"],
    ] {
        let ran = sandbox.run(arguments);
        assert_eq!(ran.status, Some(2), "{ran}");
        told.push_str(&format!("$ cutover {}\n{ran}\n", arguments.join(" ")));
    }
    snapshot("wrong-unreadable", &told);
}

#[test]
fn a_file_without_apps_is_refused() {
    let mut told = String::new();
    for config in ["", "# nothing yet\n", "[proxy]\ncontrol = \"127.0.0.1:9180\"\n"] {
        let ran = Sandbox::with(config).run(&["config", "check"]);
        assert_eq!(ran.status, Some(2), "{ran}");
        told.push_str(&format!("{ran}\n"));
    }
    snapshot("wrong-without-apps", &told);
}

#[test]
fn what_is_no_toml_is_told_where_it_ends_to_be() {
    refused(
        "wrong-toml",
        &[
            ("no TOML", "image: ghcr.io/acme/web:1\n".to_owned()),
            ("a string that is not closed", web("network = \"redis-net")),
            ("a table that is not closed", "[apps.web\nport = 80\n".to_owned()),
            ("a value without quotes", web("network = redis-net")),
            ("the same key twice", web("port = 8113")),
        ],
    );
}

#[test]
fn keys_that_are_not_known_are_answered_with_the_one_meant_or_those_there_are() {
    refused(
        "wrong-keys",
        &[
            ("a table, nearly", beside_web("[registy.\"ghcr.io\"]\nusername = \"a\"")),
            ("a table of something else", beside_web("[kubernetes]\nnamespace = \"a\"")),
            ("a key, nearly", web("netwrok = \"redis-net\"")),
            ("a key of compose", web("container_name = \"web\"")),
            ("a key of the proxy, nearly", beside_web("[proxy]\nconfdir = \"/etc/nginx/conf.d\"")),
            ("a key of the health check, nearly", web("health = { paht = \"/\" }")),
            ("a key of the site, nearly", web("site = { listen = \"80\", server_name = [\"a.b\"] }")),
            ("a key in a wrong table", web("[apps.web.upstream]\nsoak = \"1s\"")),
            ("no image", "[apps.web]\nport = 80\n".to_owned()),
            ("no port", "[apps.web]\nimage = \"nginx\"\n".to_owned()),
            ("a site without listen", web("site = { server_names = [\"example.com\"] }")),
            ("slots without green", web("slots = { blue = \"127.0.0.1:8112\" }")),
            ("slack without a webhook", beside_web("[notify.slack]\nfields = [\"repo\"]")),
        ],
    );
}
