//! Slack's own SDK as the judge of blocks.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Lets slack_sdk judge a list of messages: its exit status, and what it said.
pub(crate) fn validate(messages: &Value) -> (Option<i32>, String) {
    let python = std::env::var_os("CUTOVER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut validator = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/validator/validate_blocks.py"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}; install python3", python.display()));
    let mut stdin = validator.stdin.take().unwrap();
    // Without slack_sdk the validator ends before it has read, and the pipe is broken: its status tells.
    let written = stdin.write_all(messages.to_string().as_bytes());
    drop(stdin);
    let output = validator.wait_with_output().unwrap();
    let python = python.display();
    assert_ne!(
        output.status.code(),
        Some(3),
        "slack_sdk is missing: `{python} -m pip install slack_sdk`, or name a python that has it in CUTOVER_TEST_PYTHON"
    );
    written.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
