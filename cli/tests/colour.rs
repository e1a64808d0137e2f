//! Colours: none where nobody looks, unless they are asked for.

use crate::sandbox::{Sandbox, WEB};

fn coloured(sandbox: &Sandbox, arguments: &[&str]) -> bool {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.status, Some(2), "{ran}");
    ran.stderr.contains('\u{1b}')
}

#[test]
fn an_error_has_colours_only_where_they_are_asked_for() {
    for config in [format!("{WEB}soak = 1\n"), "# no app\n".to_owned()] {
        let sandbox = Sandbox::with(&config);
        assert!(!coloured(&sandbox, &["config", "check"]), "a pipe is no terminal");
        assert!(coloured(&sandbox, &["config", "check", "--color=always"]));
        assert!(!coloured(&sandbox, &["config", "check", "--color=never"]));
    }
}

#[test]
fn no_color_is_honoured_and_the_flag_wins_over_it() {
    let sandbox = Sandbox::with(WEB).env("NO_COLOR", "1");
    assert!(!coloured(&sandbox, &["plan", "nobody"]));
    assert!(coloured(&sandbox, &["plan", "nobody", "--color=always"]));
}
