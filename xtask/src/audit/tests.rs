use super::*;

fn package(name: &str, version: &str, license: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: version.to_owned(),
        license: Some(license.to_owned()),
        source: Some("registry+https://github.com/rust-lang/crates.io-index".to_owned()),
        ..Package::default()
    }
}

fn policy(bans: &str) -> Policy {
    let text = format!(
        "[licenses]\nallow = ['MIT', 'Apache-2.0', 'ISC']\n[bans]\n{bans}\n\
         [sources]\nallow-registry = ['https://github.com/rust-lang/crates.io-index']"
    );
    toml::from_str(&text).unwrap()
}

/// Whether MIT, Apache-2.0 and ISC are enough.
fn met(text: &str) -> Option<bool> {
    let expression = Expression::parse(text)?;
    Some(expression.is_met(&|name| ["MIT", "Apache-2.0", "ISC"].contains(&name)))
}

#[test]
fn a_choice_needs_one_licence_and_a_sum_needs_all() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "Apache-2.0 / MIT",
        "GPL-3.0-only OR MIT",
        "Apache-2.0 AND ISC",
        "(MIT OR Apache-2.0) AND ISC",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "((MIT))",
    ] {
        assert_eq!(met(good), Some(true), "{good}");
    }
    for bad in [
        "GPL-3.0-only",
        "Apache-2.0 AND GPL-3.0-only",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
        "mit",
    ] {
        assert_eq!(met(bad), Some(false), "{bad}");
    }
}

#[test]
fn and_binds_closer_than_or() {
    assert_eq!(met("MIT OR ISC AND GPL-3.0-only"), Some(true));
    assert_eq!(met("GPL-3.0-only AND MIT OR GPL-2.0-only"), Some(false));
}

#[test]
fn what_is_no_expression_meets_nothing() {
    for none in ["", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH", "MIT WITH OR ISC"] {
        assert_eq!(met(none), None, "{none}");
    }
}

#[test]
fn a_package_without_an_allowed_licence_is_found() {
    let none = Package { license: None, ..package("b", "1.0.0", "") };
    let packages = [package("a", "1.0.0", "MIT"), none, package("c", "1.2.0", "GPL-3.0-only")];
    let found = faults(&packages, &policy(""));
    let wanted =
        ["b 1.0.0 names no licence", "c 1.2.0 is licensed GPL-3.0-only, which deny.toml does not allow"];
    assert_eq!(found, wanted);
}

#[test]
fn a_banned_package_is_found_with_the_reason() {
    let policy = policy("deny = [{ crate = 'openssl-sys', reason = 'rustls is the one TLS' }]");
    let packages = [package("openssl-sys", "0.9.1", "MIT"), package("openssl", "0.10.0", "MIT")];
    assert_eq!(faults(&packages, &policy), ["openssl-sys 0.9.1 is banned: rustls is the one TLS"]);
}

#[test]
fn a_duplicate_is_found_unless_all_but_one_version_are_skipped() {
    let packages = |versions: &[&str]| -> Vec<Package> {
        versions.iter().map(|version| package("syn", version, "MIT")).collect()
    };
    let twice = packages(&["2.0.119", "3.0.10"]);
    let found = faults(&twice, &policy(""));
    assert!(found.len() == 1 && found[0].starts_with("syn is there as 2.0.119 and 3.0.10"), "{found:?}");
    let skips = policy("skip = [{ crate = 'syn:^2', reason = 'until all have moved on' }]");
    assert_eq!(faults(&twice, &skips), Vec::<String>::new());
    assert_eq!(faults(&packages(&["1.0.0", "2.0.119", "3.0.10"]), &skips).len(), 1);
}

#[test]
fn a_skip_that_is_no_longer_needed_is_found() {
    let skips = policy("skip = [{ crate = 'syn:^2', reason = 'until all have moved on' }]");
    for packages in [vec![package("syn", "2.0.1", "MIT")], vec![package("syn", "3.0.0", "MIT")], vec![]] {
        assert_eq!(
            faults(&packages, &skips),
            ["deny.toml skips syn:^2, which is no duplicate: remove it"],
            "{packages:?}"
        );
    }
}

#[test]
fn a_package_from_elsewhere_is_found() {
    let git = "git+https://example.com/a?rev=1#1";
    let stranger = Package { source: Some(git.to_owned()), ..package("a", "1.0.0", "MIT") };
    let ours = Package { source: None, ..package("cutover", "0.1.0", "MIT OR Apache-2.0") };
    assert_eq!(faults(&[stranger, ours], &policy("")), [format!("a 1.0.0 comes from {git}")]);
}

#[test]
fn an_entry_means_all_versions_one_or_the_compatible_ones() {
    let matches = |spec: &str, version: &str| {
        policy::Entry { spec: spec.to_owned(), reason: String::new() }.matches("a", version)
    };
    for (spec, version) in [
        ("a", "7.0.0"),
        ("a@1.2.3", "1.2.3"),
        ("a:^1.2", "1.2.0"),
        ("a:^1", "1.9.3+meta"),
        ("a:^0.10", "0.10.4"),
        ("a:^0.0.3", "0.0.3"),
    ] {
        assert!(matches(spec, version), "{spec} {version}");
    }
    for (spec, version) in [
        ("ab", "1.0.0"),
        ("a@1.2.3", "1.2.4"),
        ("a:^1.2", "1.1.9"),
        ("a:^1", "2.0.0"),
        ("a:^0.10", "0.11.0"),
        ("a:^0.0.3", "0.0.4"),
        ("a:^1", "1.0.0-rc.1"),
        ("b:^1", "1.0.0"),
    ] {
        assert!(!matches(spec, version), "{spec} {version}");
    }
}
