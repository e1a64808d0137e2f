//! The text of a first `cutover.toml`: what was answered, and nothing that is the default anyway.

use super::answers::Answers;
use super::choice::{Domains, Health, NginxPlace, Slack};

/// The registry for which a workflow's own token is enough.
pub(super) const GHCR: &str = "ghcr.io";

/// The text of `cutover.toml`.
#[must_use]
pub fn configuration(answers: &Answers) -> String {
    let docs = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs");
    let mut text = format!("# Every key: {docs}/reference/configuration.md\n");
    if let NginxPlace::Container(name) = &answers.nginx {
        text.push_str("\n[proxy]\n# Its folders of configuration and of markers: conf_dir and state_dir, as nginx sees them.\n");
        text.push_str(&format!("nginx = {{ container = {} }}\n", quoted(name)));
    }
    if let Some(user) = &answers.registry_user {
        text.push_str(&format!(
            "\n[registry.{}]\nusername = {}\n",
            quoted(answers.image.registry()),
            quoted(user)
        ));
        text.push_str("password = { env = \"REGISTRY_PASSWORD\" }\n");
    }
    text.push_str(&app(answers));
    if answers.build {
        text.push_str(&format!(
            "\n# Built from the Dockerfile here; `tags` are besides the one of `image`.\n[apps.{}.build]\n",
            answers.name
        ));
        text.push_str("tags = [\"{commit}\"]\n");
    }
    if answers.slack == Slack::Webhook {
        text.push_str("\n[notify.slack]\nwebhook = { env = \"SLACK_WEBHOOK_URL\" }\n");
        text.push_str("# mention = { failure = [\"here\"] }\n");
    }
    text
}

fn app(answers: &Answers) -> String {
    let mut text = format!("\n[apps.{}]\n", answers.name);
    if let Some((file, service)) = &answers.compose {
        text.push_str("# What stands here wins over the service, key by key.\n");
        text.push_str(&format!("compose = {{ file = {}, service = {} }}\n", quoted(file), quoted(service)));
    }
    text.push_str(&format!("image  = {}\n", quoted(&answers.image.canonical())));
    text.push_str(&format!("port   = {}\n", answers.port));
    match &answers.health {
        Health::Path(path) if path == "/" => {}
        Health::Path(path) => text.push_str(&format!("health = {{ path = {} }}\n", quoted(path))),
        other => text.push_str(&format!("health = {{ check = \"{other}\" }}\n")),
    }
    let listen = quoted(&answers.listen.to_string());
    match &answers.domains {
        Domains(none) if none.is_empty() => text.push_str(&format!("site   = {{ listen = {listen} }}\n")),
        Domains(names) => {
            let names: Vec<String> = names.iter().map(|name| quoted(&name.to_string())).collect();
            text.push_str(&format!(
                "site   = {{ listen = {listen}, server_names = [{}] }}\n",
                names.join(", ")
            ));
        }
    }
    text.push_str(
        "# env  = { TOKEN = { env = \"APP_TOKEN\" } }   # a value, or where a secret is read from\n",
    );
    text
}

/// A string as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
