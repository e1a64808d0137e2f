//! Wrong values in the table of an app's build.

use super::{refused, web};

fn build(lines: &str) -> String {
    web(&format!("\n[apps.web.build]\n{lines}"))
}

#[test]
fn builds_that_cannot_be_are_refused() {
    let pinned = "[apps.web]\nimage = \"ghcr.io/acme/web@sha256:\
                  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\nport = 80\nbuild = {}\n";
    refused(
        "wrong-builds",
        &[
            ("an image by digest", pinned.to_owned()),
            ("a Dockerfile above the context", build("dockerfile = \"../Dockerfile\"")),
            ("a Dockerfile from the root", build("dockerfile = \"/srv/Dockerfile\"")),
            ("an argument's name", build("args = { \"A=B\" = \"c\" }")),
            ("a secret's id", build("secrets = { \"npm token\" = { env = \"NPM\" } }")),
            ("a secret written out", build("secrets = { npm = \"hunter2\" }")),
            ("a platform", build("platforms = [\"linux\"]")),
            ("a platform twice", build("platforms = [\"linux/amd64\", \"linux/arm64\", \"linux/amd64\"]")),
            ("a tag", build("tags = [\"1.2\", \"a/b\"]")),
            ("a tag's word", build("tags = [\"{sha}\"]")),
            ("a key", build("contxt = \".\"")),
        ],
    );
}
