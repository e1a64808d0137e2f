//! YAML files as the tests see them: judged by GitHub's schemas, and read by a parser that is not ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use xtask::rig::needs;

/// One of the schemas that `check-jsonschema` carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Schema {
    Workflow,
    Action,
    Dependabot,
}

/// What the schema has against these files; nothing if they are right.
pub(crate) fn faults(schema: Schema, files: &[PathBuf]) -> Option<String> {
    let name = match schema {
        Schema::Workflow => "vendor.github-workflows",
        Schema::Action => "vendor.github-actions",
        Schema::Dependabot => "vendor.dependabot",
    };
    let ran = Command::new(program()).args(["--builtin-schema", name]).args(files).output().unwrap();
    (!ran.status.success()).then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// A YAML file as JSON.
pub(crate) fn read(path: &Path) -> Value {
    const SCRIPT: &str = "import json, sys\nfrom ruamel.yaml import YAML\n\
                          print(json.dumps(YAML(typ='safe', pure=True).load(open(sys.argv[1]))))";
    let python = program().with_file_name("python");
    let ran = Command::new(python).args(["-c", SCRIPT]).arg(path).output().unwrap();
    assert!(ran.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn program() -> PathBuf {
    needs::check_jsonschema().expect("check-jsonschema is not installed: `cargo xtask test --install` does")
}
