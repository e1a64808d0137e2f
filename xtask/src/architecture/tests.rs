use super::*;
use crate::metadata::{Dependency, Package};

type Crate<'a> = (&'a str, &'a [(&'a str, Option<Kind>)]);

/// A workspace of these crates, each with its dependencies.
fn workspace(crates: &[Crate<'_>]) -> Metadata {
    let package = |(name, dependencies): &Crate<'_>| Package {
        id: format!("path+file:///w/{name}"),
        name: (*name).to_owned(),
        dependencies: dependencies
            .iter()
            .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: *kind })
            .collect(),
        ..Package::default()
    };
    let packages: Vec<Package> = crates.iter().map(package).collect();
    Metadata { workspace_members: packages.iter().map(|package| package.id.clone()).collect(), packages }
}

fn found(metadata: &Metadata) -> Vec<String> {
    faults(metadata, &arrows(metadata))
}

#[test]
fn the_arrows_of_the_design_are_right() {
    let good = workspace(&[
        ("xtask", &[("cutover", None), ("cutover", Some(Kind::Dev)), ("serde", None)]),
        ("cutover", &[("cutover-notify", None), ("cutover-runtime", None)]),
        ("cutover-notify", &[("slack-morphism", None), ("cutover-notify", Some(Kind::Dev))]),
        ("cutover-runtime", &[("bollard", None)]),
        ("example-service", &[]),
    ]);
    assert_eq!(found(&good), Vec::<String>::new());
    let shown: Vec<String> = arrows(&good).iter().map(ToString::to_string).collect();
    let wanted = [
        "cutover → cutover-notify",
        "cutover → cutover-runtime",
        "xtask → cutover",
        "xtask → cutover (tests)",
    ];
    assert_eq!(shown, wanted);
}

#[test]
fn an_arrow_between_leaves_is_found_in_tests_and_build_scripts_too() {
    for kind in [None, Some(Kind::Dev), Some(Kind::Build)] {
        let bad = workspace(&[("cutover-runtime", &[("cutover-registry", kind)]), ("cutover-registry", &[])]);
        let faults = found(&bad);
        assert_eq!(faults.len(), 1, "{kind:?}: {faults:?}");
        assert!(faults[0].starts_with("cutover-runtime → cutover-registry"), "{faults:?}");
    }
}

#[test]
fn an_arrow_against_the_current_is_found() {
    for (from, to) in [
        ("cutover-notify", "cutover"),
        ("cutover", "xtask"),
        ("xtask", "cutover-runtime"),
        ("example-service", "cutover"),
        ("cutover", "example-service"),
    ] {
        let bad = workspace(&[(from, &[(to, None)]), (to, &[])]);
        assert_eq!(found(&bad).len(), 1, "{from} → {to}");
    }
}

#[test]
fn only_its_owner_depends_on_the_engine_s_client_slack_s_or_reqwest() {
    for (owned, owner) in [
        ("bollard", "cutover-runtime"),
        ("slack-morphism", "cutover-notify"),
        ("reqwest", "cutover-registry"),
    ] {
        let good = workspace(&[(owner, &[(owned, None)])]);
        assert_eq!(found(&good), Vec::<String>::new());
        for stranger in ["cutover", "xtask", "cutover-proxyconf"] {
            let bad = workspace(&[(stranger, &[(owned, Some(Kind::Dev))])]);
            let faults = found(&bad);
            assert_eq!(faults, [format!("{stranger} → {owned}: only {owner} may depend on it; ask {owner}")]);
        }
    }
}

#[test]
fn a_package_of_the_same_name_as_another_s_is_not_the_workspace_s() {
    // Depended on, but not a member.
    let good = workspace(&[("cutover-notify", &[("example-service", None)])]);
    assert_eq!(found(&good), Vec::<String>::new());
}

#[test]
fn a_crate_whose_name_says_nothing_is_found() {
    for name in ["cutover-util", "common", "cutover_helpers"] {
        assert_eq!(found(&workspace(&[(name, &[])])).len(), 1, "{name}");
    }
    assert_eq!(found(&workspace(&[("commons", &[]), ("utility", &[])])), Vec::<String>::new());
}

#[test]
fn a_module_whose_name_says_nothing_is_found_by_path_and_by_word() {
    let at = |path: &str, text: &str| nameless_modules("cutover", Path::new(path), text).len();
    assert_eq!(at("src/util.rs", ""), 1);
    assert_eq!(at("tests/helpers/mod.rs", "mod peer;"), 1);
    assert_eq!(at("src/lib.rs", "mod plan;\n    pub(crate) mod utils {\n"), 1);
    assert_eq!(at("src/lib.rs", "pub mod common;\npub(in crate::plan) mod manager;"), 2);
    assert_eq!(at("src/plan.rs", "// mod util;\nlet module = util;\nuse tokio_util::sync;"), 0);
}
