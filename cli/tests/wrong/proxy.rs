//! Wrong values in the tables that all apps share.

use super::{beside_web, refused};

#[test]
fn a_proxy_that_cannot_be_is_refused() {
    let proxy = |line: &str| beside_web(&format!("[proxy]\n{line}"));
    refused(
        "wrong-proxy",
        &[
            (
                "a container and a program",
                proxy("nginx = { container = \"load_balancer\", binary = \"/usr/sbin/nginx\" }"),
            ),
            ("a container's name", proxy("nginx = { container = \"load balancer\" }")),
            ("a relative program", proxy("nginx = { binary = \"nginx\" }")),
            ("a relative folder of configuration", proxy("conf_dir = \"conf.d\"")),
            ("a relative folder of markers", proxy("state_dir = \"./state\"")),
            ("a folder of markers that breaks out", proxy("state_dir = \"/srv/$x\"")),
            ("a control server open to all", proxy("control = \"0.0.0.0:9180\"")),
            ("a control server with a name", proxy("control = \"localhost:9180\"")),
            ("a control server without a port", proxy("control = \"127.0.0.1:0\"")),
            ("a string as nginx", proxy("nginx = \"load_balancer\"")),
        ],
    );
}

#[test]
fn an_engine_a_network_or_a_registry_that_cannot_be_is_refused() {
    refused(
        "wrong-engine-network-registry",
        &[
            ("an engine over ssh", beside_web("[engine]\nhost = \"ssh://deploy@web-1\"")),
            ("an engine's bare path", beside_web("[engine]\nhost = \"/var/run/docker.sock\"")),
            ("a relative data folder", beside_web("data_dir = \"data\"")),
            ("a network's name", beside_web("[network]\nname = \"\"")),
            ("a subnet without a length", beside_web("[network]\nsubnet = \"10.213.0.0\"")),
            ("a subnet that is too small", beside_web("[network]\nsubnet = \"10.213.0.0/30\"")),
            ("a registry with a scheme", beside_web("[registry.\"https://ghcr.io\"]\ninsecure = true")),
            ("a username alone", beside_web("[registry.\"ghcr.io\"]\nusername = \"acme\"")),
            ("a password alone", beside_web("[registry.\"ghcr.io\"]\npassword = { env = \"TOKEN\" }")),
        ],
    );
}

#[test]
fn a_notice_that_could_not_be_made_is_refused() {
    let slack = |line: &str| beside_web(&format!("[notify.slack]\nwebhook = {{ env = \"HOOK\" }}\n{line}"));
    refused(
        "wrong-notify",
        &[
            ("a mention by name", slack("mention = { failure = [\"here\", \"@anna\"] }")),
            ("an unknown outcome", slack("mention = { failed = [\"here\"] }")),
            ("an unknown field", slack("fields = [\"repo\", \"branch\"]")),
            ("no time", slack("timeout = \"0s\"")),
            ("another sink", beside_web("[notify.teams]\nwebhook = { env = \"HOOK\" }")),
        ],
    );
}
