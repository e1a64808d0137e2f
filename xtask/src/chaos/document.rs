//! `docs/chaos.md`: a section for each part, each of which can be replaced alone.

use std::path::PathBuf;

use super::Section;

const HEAD: &str = "# What was made to go wrong\n\nWritten by `cargo xtask chaos`, which fails on any loss. Each \
                    section says when it was played, and can be played again alone.\n";

/// Writes these sections in the place of those of the same names, and the others as they are.
pub(super) fn write(sections: &[Section]) -> std::io::Result<()> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/chaos.md");
    let old = std::fs::read_to_string(&path).unwrap_or_else(|_| HEAD.to_owned());
    std::fs::write(path, merged(&old, sections))
}

/// The day, as people write it to each other across countries.
pub(super) fn today() -> String {
    let date = std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    date.map_or_else(
        |_| "an unknown day".to_owned(),
        |date| String::from_utf8_lossy(&date.stdout).trim().to_owned(),
    )
}

fn merged(old: &str, sections: &[Section]) -> String {
    sections.iter().fold(old.to_owned(), |text, section| {
        let (begin, end) = (format!("<!-- {} -->\n", section.name), format!("<!-- /{} -->\n", section.name));
        let new = format!("{begin}{}{end}", told(section));
        match (text.find(&begin), text.find(&end)) {
            (Some(from), Some(to)) if from < to => {
                format!("{}{new}{}", &text[..from], &text[to + end.len()..])
            }
            _ => format!("{}\n{new}", text.trim_end_matches('\n').to_owned() + "\n"),
        }
    })
}

fn told(section: &Section) -> String {
    let mut text = format!("## {}\n\n{}\n\n", section.name, section.about);
    text.push_str(&format!("| {} |\n", section.columns.join(" | ")));
    text.push_str(&format!("|{}\n", "---|".repeat(section.columns.len())));
    for row in &section.rows {
        let cells: Vec<String> = row.cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::Row;

    fn section(name: &str, cell: &str) -> Section {
        let rows = vec![Row { cells: vec![cell.to_owned()], faults: Vec::new() }];
        Section { name: name.to_owned(), about: "About.".to_owned(), columns: vec!["what"], rows }
    }

    #[test]
    fn a_section_is_replaced_alone() {
        let both = merged(HEAD, &[section("crashes", "a|b"), section("faults", "c")]);
        assert!(both.contains("| a\\|b |\n<!-- /crashes -->\n"), "{both}");
        let again = merged(&both, &[section("crashes", "d")]);
        assert_eq!(again, both.replace("a\\|b", "d"));
    }
}
