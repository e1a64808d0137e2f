//! Links lead somewhere.

use std::path::{Component, Path, PathBuf};

use xtask::rig::place;

use crate::markdown::{Document, Line, documents, spans};
use crate::none;

/// The targets of the links of a line of prose.
fn targets(line: &str) -> Vec<String> {
    let (_, prose) = spans(line);
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(document: &Document) -> Vec<String> {
    let headings = document.lines().into_iter().filter_map(|(_, line)| match line {
        Line::Prose(line) => line.strip_prefix('#').map(|rest| anchor(rest.trim_start_matches('#').trim())),
        Line::Code(..) => None,
    });
    headings.collect()
}

/// The path from a document's folder, without `.` and `..`.
fn joined(document: &Path, target: &str) -> PathBuf {
    let mut path = document.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_of_it() {
    let (root, all) = (place::workspace(), documents());
    let mut faults = Vec::new();
    for document in &all {
        for (number, line) in document.lines() {
            let Line::Prose(line) = line else { continue };
            for target in
                targets(line).into_iter().filter(|t| !t.contains("://") && !t.starts_with("mailto:"))
            {
                let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
                let path = if file.is_empty() { document.path.clone() } else { joined(&document.path, file) };
                if !root.join(&path).exists() {
                    faults.push(format!("{}: there is no {}", document.at(number), path.display()));
                    continue;
                }
                let named = all.iter().find(|other| other.path == path);
                if !heading.is_empty() && !named.is_some_and(|d| anchors(d).iter().any(|a| a == heading)) {
                    faults.push(format!(
                        "{}: {} has no heading #{heading}",
                        document.at(number),
                        path.display()
                    ));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn links_anchors_and_paths_are_read_as_github_reads_them() {
    assert_eq!(targets("[a](b.md#c) and `[x](y)` and [d](../e/)"), ["b.md#c", "../e/"]);
    assert_eq!(anchor("[apps.NAME.health]"), "appsnamehealth");
    assert_eq!(anchor("What is `live`?"), "what-is-live");
    assert_eq!(joined(Path::new("docs/a.md"), "../examples/./guide/"), Path::new("examples/guide"));
}
