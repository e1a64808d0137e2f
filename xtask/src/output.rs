//! What the chores print: results on stdout, everything else on stderr.

use std::io::Write as _;

/// Prints a result.
pub(crate) fn result(text: &str) {
    // A reader that has gone away must not end the work.
    drop(writeln!(anstream::stdout(), "{text}"));
}

/// Tells what is being done.
pub(crate) fn say(line: &str) {
    // As above.
    drop(writeln!(anstream::stderr(), "{line}"));
}
