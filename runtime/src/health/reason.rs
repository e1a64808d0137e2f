//! Why a container is not healthy.

use std::fmt;

/// Why a container is not healthy. `Display` says it in a sentence, with the mend where there is a likely one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It ended.
    Exited {
        /// The status of its first process; 128 and the signal where one ended it.
        code: i64,
        /// Whether it was ended for want of memory.
        oom: bool,
    },
    /// It ends, and the engine starts it again.
    Restarting {
        /// How often it has.
        times: u64,
        /// The status it last ended with.
        code: i64,
    },
    /// It does not run: it was never started, was frozen, or was removed.
    NotRunning,
    /// It refuses connections.
    Refused {
        /// The container's port that was asked for.
        port: u16,
        /// The ports on which it does listen, as far as can be seen from here.
        listening: Vec<u16>,
        /// Those on which only the container itself can reach it.
        loopback: Vec<u16>,
    },
    /// No connection can be made, for want of a way to it.
    Unreachable(String),
    /// It takes the connection, and does not answer in time.
    Silent,
    /// It closes the connection without an answer.
    Closed {
        /// The container's port that was asked for.
        port: u16,
        /// The ports on which it does listen, as far as can be seen from here.
        listening: Vec<u16>,
    },
    /// It answers, and not in HTTP/1.
    NotHttp(String),
    /// It answers with a status that is not expected.
    Status {
        /// The status.
        got: u16,
        /// The statuses that were expected.
        expected: String,
        /// How the body begins: at most 200 characters, without control characters.
        body: String,
    },
    /// It answers with a redirect.
    Redirect {
        /// The status.
        status: u16,
        /// The statuses that were expected.
        expected: String,
        /// Where to, as it says.
        location: String,
    },
    /// The image's HEALTHCHECK failed.
    ImageUnhealthy {
        /// What it last printed.
        output: String,
    },
    /// The image's HEALTHCHECK has not passed yet.
    ImageStarting,
    /// The image has no HEALTHCHECK.
    ImageHasNoHealthcheck,
    /// It cannot be asked in this way.
    Unaskable(String),
}

impl Reason {
    /// True when it may be that there was too little time to tell.
    pub(crate) fn is_for_want_of_time(&self) -> bool {
        matches!(self, Self::Silent | Self::Unreachable(_))
    }

    /// True when waiting longer is of no use.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Exited { .. }
                | Self::Restarting { .. }
                | Self::NotRunning
                | Self::ImageUnhealthy { .. }
                | Self::ImageHasNoHealthcheck
                | Self::Unaskable(_)
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { oom: true, .. } => write!(f, "it was killed for want of memory: raise its limit"),
            Self::Exited { code, .. } => write!(f, "it exited with status {code}"),
            Self::Restarting { times, code } => {
                write!(f, "it keeps exiting, last with status {code}; the engine restarted it {times} times")
            }
            Self::NotRunning => write!(f, "it is not running"),
            Self::Refused { port, loopback, .. } if loopback.contains(port) => {
                write!(f, "it listens on {port} of its own loopback address only: have it listen on 0.0.0.0")
            }
            Self::Refused { port, listening, .. } => {
                write!(f, "it refuses connections")?;
                elsewhere(f, *port, listening)
            }
            Self::Unreachable(why) => write!(f, "it cannot be reached: {why}"),
            Self::Silent => write!(f, "it takes connections, but does not answer in time"),
            Self::Closed { port, listening } => {
                write!(f, "it closed the connection without an answer")?;
                elsewhere(f, *port, listening)
            }
            Self::NotHttp(why) => write!(f, "what it answers is not HTTP/1: {why}"),
            Self::Status { got, expected, body } => {
                write!(f, "it answered {got}: expected {expected}")?;
                if body.is_empty() { Ok(()) } else { write!(f, "; it said: {body}") }
            }
            Self::Redirect { status, expected, location } => {
                let to = if location.is_empty() { "nowhere" } else { location };
                write!(f, "it answered {status} to {to}: expected {expected}; set health.host or health.path")
            }
            Self::ImageUnhealthy { output } if output.is_empty() => {
                write!(f, "the image's HEALTHCHECK failed")
            }
            Self::ImageUnhealthy { output } => write!(f, "the image's HEALTHCHECK failed: {output}"),
            Self::ImageStarting => write!(f, "the image's HEALTHCHECK has not passed yet"),
            Self::ImageHasNoHealthcheck => {
                write!(f, "the image has no HEALTHCHECK: give a path or a port to check")
            }
            Self::Unaskable(why) => f.write_str(why),
        }
    }
}

/// Adds where the container does listen, when that tells something.
fn elsewhere(f: &mut fmt::Formatter<'_>, port: u16, listening: &[u16]) -> fmt::Result {
    if listening.is_empty() || listening.contains(&port) {
        return Ok(());
    }
    let ports: Vec<String> = listening.iter().map(u16::to_string).collect();
    write!(f, ": the container listens on {}, not on {port}", ports.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_port_is_told_with_the_right_one() {
        let refused = Reason::Refused { port: 8112, listening: vec![3000], loopback: vec![] };
        assert_eq!(refused.to_string(), "it refuses connections: the container listens on 3000, not on 8112");
        let closed = Reason::Closed { port: 8112, listening: vec![3000, 9090] };
        assert!(closed.to_string().ends_with("the container listens on 3000, 9090, not on 8112"), "{closed}");
    }

    #[test]
    fn a_service_bound_to_loopback_is_told_so() {
        let refused = Reason::Refused { port: 80, listening: vec![], loopback: vec![80] };
        assert!(refused.to_string().contains("listen on 0.0.0.0"), "{refused}");
    }

    #[test]
    fn a_redirect_is_told_with_its_mend() {
        let location = "https://example.com/".to_owned();
        let redirect = Reason::Redirect { status: 301, expected: "200-299".into(), location };
        assert_eq!(
            redirect.to_string(),
            "it answered 301 to https://example.com/: expected 200-299; set health.host or health.path"
        );
    }
}
