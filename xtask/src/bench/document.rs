//! The file that figures are kept in.

use std::path::Path;

use super::figures::{Part, render};
use super::machine;
use crate::ready::say;
use crate::rig::error::{Doing as _, Result, unexpected};

/// Writes it anew, with all parts.
pub(super) fn write(path: &Path, parts: &[Part]) -> Result<()> {
    let figures = parts.iter().map(render).collect::<Vec<_>>().join("\n");
    let text = format!(
        "# Benchmarks\n\nMeasured by `cargo xtask bench`, which writes this file, {}. Times are of whole processes of a \
         release build, on real parts: a Docker Engine, nginx and docker-registry with token authentication. Medians \
         count; aims are those of the project.\n\n{figures}",
        machine::describe()
    );
    keep(path, &text)?;
    draw(path, parts)
}

/// Puts the charts beside the document.
fn draw(path: &Path, parts: &[Part]) -> Result<()> {
    for chart in parts.iter().flat_map(|part| &part.charts) {
        keep(&path.with_file_name(chart.file_name()), &chart.svg())?;
    }
    Ok(())
}

/// Puts these parts in the place of theirs, or at the end, and says in each when and on what it was measured.
pub(super) fn replace(path: &Path, parts: Vec<Part>) -> Result<()> {
    let text = std::fs::read_to_string(path).doing(format!("read {}", path.display()))?;
    if !text.starts_with("# Benchmarks\n") {
        return Err(unexpected(path.display(), "is not what `cargo xtask bench` writes"));
    }
    draw(path, &parts)?;
    let machine = machine::describe();
    let text = parts.into_iter().fold(text, |text, mut part| {
        part.notes.push(format!("measured apart from the rest, {machine}"));
        replaced(&text, part.title, &render(&part))
    });
    keep(path, &text)
}

fn keep(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).doing(format!("write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// The text with this section for the one of the title.
fn replaced(text: &str, title: &str, section: &str) -> String {
    let heading = format!("\n## {title}\n");
    let Some((before, rest)) = text.split_once(&heading) else {
        return format!("{}\n\n{section}", text.trim_end());
    };
    match rest.split_once("\n## ") {
        Some((_, after)) => format!("{before}\n{section}\n## {after}"),
        None => format!("{before}\n{section}"),
    }
}

#[cfg(test)]
mod tests {
    use super::replaced;

    const TEXT: &str = "# Benchmarks\n\nOf today.\n\n## One\n\n1\n\n## Two\n\n- 2\n\n## Three\n\n3\n";

    #[test]
    fn a_section_takes_the_place_of_its_own_and_of_no_other() {
        for (title, number) in [("One", "1"), ("Two", "- 2"), ("Three", "3")] {
            let section = format!("## {title}\n\nnew\n");
            let expected = TEXT.replace(&format!("## {title}\n\n{number}\n"), &section);
            assert_eq!(replaced(TEXT, title, &section), expected);
        }
    }

    #[test]
    fn a_section_that_was_not_there_comes_last() {
        assert_eq!(replaced(TEXT, "Tw", "## Tw\n\n4\n"), format!("{TEXT}\n## Tw\n\n4\n"));
    }
}
