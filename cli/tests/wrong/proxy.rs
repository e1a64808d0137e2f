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
            ("an unknown field among several", slack("fields = \"repo,branch\"")),
            ("no time", slack("timeout = \"0s\"")),
            ("no outcome", slack("on = []")),
            ("action-slack's own key", slack("if_mention = \"failure,cancelled\"")),
            ("a webhook and a token", slack("token = { env = \"BOT\" }\nchannel = \"#deploys\"")),
            ("a webhook's channel", slack("channel = \"#deploys\"")),
            ("a webhook's api", slack("api = \"https://slack.com/api\"")),
            ("neither", beside_web("[notify.slack]\nfields = [\"repo\"]")),
            ("a token without a channel", beside_web("[notify.slack]\ntoken = { env = \"BOT\" }")),
            ("a channel without a token", beside_web("[notify.slack]\nchannel = \"#deploys\"")),
            (
                "a token in the file",
                beside_web("[notify.slack]\ntoken = \"xoxb-1-2\"\nchannel = \"#deploys\""),
            ),
            (
                "a channel's display name",
                beside_web("[notify.slack]\ntoken = { env = \"BOT\" }\nchannel = \"Deploys\""),
            ),
            (
                "an api without TLS",
                beside_web(
                    "[notify.slack]\ntoken = { env = \"BOT\" }\nchannel = \"#deploys\"\napi = \"http://slack.lan/api\"",
                ),
            ),
            ("a template that is none", slack("template = \"{{ app }\"")),
            ("an unknown variable", slack("template = '{{ app }}: {{ branch }}'")),
            (
                "an unknown variable on a later line",
                slack("template = \"\"\"\n{{ app }}\n{% if status == 'failure' %}{{ why }}{% endif %}\"\"\""),
            ),
            ("a template written with escapes", slack("template = \"{{ app }}\\n{{ branch }}\"")),
            (
                "a webhook's address in the file",
                beside_web("[notify.webhook]\nurl = \"https://hooks.example/secret\""),
            ),
            ("a webhook without an address", beside_web("[notify.webhook]\non = [\"failure\"]")),
            (
                "an unknown outcome of a webhook",
                beside_web("[notify.webhook]\nurl = { env = \"HOOK\" }\non = [\"failed\"]"),
            ),
            ("a template of stdout", beside_web("[notify.stdout]\ntemplate = \"{{ app|shout }}\"")),
            ("another sink", beside_web("[notify.teams]\nwebhook = { env = \"HOOK\" }")),
        ],
    );
}
