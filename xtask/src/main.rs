//! `cargo xtask`: every command of cutover, and the workspace's own chores.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main(std::env::args_os())
}
