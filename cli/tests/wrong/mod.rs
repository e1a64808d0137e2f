//! Wrong configurations: each is refused before anything is touched, with the place, the line and the mend.

mod app;
mod build;
mod files;
mod proxy;
mod run;
mod secret;
mod site;
mod slots;

use crate::sandbox::{Sandbox, WEB, snapshot};

/// Has each of these files refused, and holds what was said of them against one snapshot.
fn refused(name: &str, cases: &[(&str, String)]) {
    let mut told = String::new();
    for (what, config) in cases {
        let ran = Sandbox::with(config).run(&["config", "check"]);
        assert_eq!(ran.status, Some(2), "{what}: {ran}");
        assert_eq!(ran.stdout, "", "{what}");
        let place =
            ran.stderr.split("--> cutover.toml:").nth(1).and_then(|rest| rest.split_whitespace().next());
        let place = place.and_then(|place| place.split_once(':')).expect(what);
        assert!(
            place.0.parse::<u32>().is_ok() && place.1.parse::<u32>().is_ok(),
            "{what}: no place in {ran}"
        );
        assert!(ran.stderr.contains("= help: "), "{what}: no mend in {ran}");
        told.push_str(&format!("## {what}\n{ran}\n"));
    }
    snapshot(name, &told);
}

/// The right app with these lines added to its table.
fn web(lines: &str) -> String {
    format!("{WEB}{lines}\n")
}

/// The right app behind these tables.
fn beside_web(tables: &str) -> String {
    format!("{tables}\n\n{WEB}")
}
