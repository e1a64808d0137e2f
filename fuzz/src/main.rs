//! libFuzzer over the targets of the crates: `CUTOVER_FUZZ_TARGET` says which. `cargo xtask fuzz` runs it.

#![no_main]

use std::sync::LazyLock;

/// The targets, by name; `fuzz/corpus/NAME` holds where each begins.
const TARGETS: [(&str, fn(&[u8])); 15] = [
    ("archive", cutover_runtime::fuzz::archive),
    ("buildkit", cutover_runtime::fuzz::buildkit),
    ("compose", cutover::fuzz::compose),
    ("configuration", cutover::fuzz::configuration),
    ("dockerignore", cutover_runtime::fuzz::dockerignore),
    ("engine_lines", cutover_runtime::fuzz::engine_lines),
    ("interpolation", cutover::fuzz::interpolation),
    ("layout", cutover_registry::fuzz::layout),
    ("log_lines", cutover_runtime::fuzz::log_lines),
    ("nginx_directives", cutover_proxyconf::fuzz::nginx_directives),
    ("nginx_names", cutover_proxyconf::fuzz::nginx_names),
    ("reference", cutover_registry::fuzz::reference),
    ("registry_bodies", cutover_registry::fuzz::registry_bodies),
    ("registry_headers", cutover_registry::fuzz::registry_headers),
    ("variables", cutover::fuzz::variables),
];

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("CUTOVER_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("CUTOVER_FUZZ_TARGET={wanted:?} is no target")).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
