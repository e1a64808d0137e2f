//! Workflow commands: lines that the runner obeys.

use crate::config::Invalid;

/// `::name property=value,…::message`, with everything in it that the runner would take for something else escaped.
pub(crate) fn command(name: &str, properties: &[(&str, &str)], message: &str) -> String {
    let mut text = format!("::{name}");
    for (number, (property, value)) in properties.iter().enumerate() {
        let value = escaped(value).replace(':', "%3A").replace(',', "%2C");
        text.push_str(&format!("{}{property}={value}", if number == 0 { " " } else { "," }));
    }
    text.push_str("::");
    text.push_str(&escaped(message));
    text
}

/// The annotation of an error; at its line where the configuration is wrong.
pub(crate) fn error(message: &str, invalid: Option<&Invalid>) -> String {
    let Some(invalid) = invalid else { return command("error", &[("title", "cutover")], message) };
    let path = invalid.path().display().to_string();
    let (line, column) = invalid.place().map(|(l, c)| (l.to_string(), c.to_string())).unzip();
    let mut properties = vec![("title", "cutover"), ("file", path.as_str())];
    properties.extend(line.as_deref().map(|line| ("line", line)));
    properties.extend(column.as_deref().map(|column| ("col", column)));
    let mend = invalid.mend().map_or_else(String::new, |mend| format!("\n{mend}"));
    command("error", &properties, &format!("{}{mend}", invalid.problem()))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn nothing_in_a_message_is_taken_for_a_command() {
        let text = command("error", &[("file", "a,b:c"), ("line", "3")], "100%\n::stop-commands::x");
        assert_eq!(text, "::error file=a%2Cb%3Ac,line=3::100%25%0A::stop-commands::x");
        assert_eq!(text.lines().count(), 1);
        assert_eq!(command("endgroup", &[], ""), "::endgroup::");
    }

    #[test]
    fn an_error_of_the_configuration_is_told_at_its_line() {
        let text = "[apps.web]\nimage = \"ghcr.io/acme/web:1\"\nprot = 80\n";
        let invalid = Config::parse(Path::new("deploy/cutover.toml"), text).unwrap_err();
        let told = error("not this", Some(&invalid));
        assert!(told.starts_with("::error title=cutover,file=deploy/cutover.toml,line=3,col=1::"), "{told}");
        assert!(told.contains("prot") && !told.contains("not this"), "{told}");
        assert_eq!(error("it failed", None), "::error title=cutover::it failed");
    }
}
