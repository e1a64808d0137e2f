//! What may stand in a compose file and in the files of variables beside it.

use std::path::Path;

use super::{dotenv, glance, interpolate, masked, read, veiled, yaml};
use crate::fuzz::shown;

/// The value of every variable that is set: nothing else has it in it.
const SECRET: &str = "\u{1}canary\u{1}";

fn lookup(name: &str) -> Option<String> {
    name.starts_with(['A', 'S']).then(|| SECRET.to_owned())
}

/// A compose file: a service is taken of it, or what is wrong with it can be shown with its place.
pub fn compose(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let glanced = glance(&text);
    let names = glanced.iter().map(|service| service.name.as_str()).chain(["web"]).take(3);
    for name in names {
        match read(Path::new("compose.yaml"), &text, name, &lookup) {
            Ok(service) => {
                for warning in &service.warnings {
                    shown(warning, &text);
                }
                assert!(!format!("{service:?}").contains(SECRET), "a secret is shown");
            }
            Err(invalid) => shown(&invalid, &text),
        }
    }
    let veiled = match yaml::parse(&text) {
        Ok(root) => masked(&text, &root),
        Err(broken) => {
            assert!(broken.span.start <= broken.span.end && text.get(broken.span).is_some());
            veiled(&text)
        }
    };
    assert_eq!(veiled.len(), text.len());
}

/// A file of variables, as Compose reads it and as it stands.
pub fn variables(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().count();
    for read in [dotenv::read(&text, &lookup), dotenv::raw(&text)] {
        match read {
            Ok(variables) => {
                assert!(variables.iter().all(|(name, _)| !name.is_empty() && !name.contains('=')));
                assert!(variables.len() <= lines);
            }
            Err(broken) => assert!((1..=lines).contains(&broken.line)),
        }
    }
}

/// Variables in a value: what holds one is known to, and what holds none is the value itself.
pub fn interpolation(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match interpolate::fill(&text, &lookup) {
        Ok(filled) => {
            // Pieces of it in the text itself might come together.
            let secret = filled.text.contains(SECRET);
            assert!(if filled.variable { secret } else { !secret || text.contains('\u{1}') }, "{filled:?}");
            assert!(text.contains('$') || filled.text == text);
        }
        Err(error) => assert!(text.contains('$') && !error.to_string().is_empty()),
    }
}
