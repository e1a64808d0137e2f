//! The `cutover` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    cutover::main(std::env::args_os())
}
