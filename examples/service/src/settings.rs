//! What the environment and the arguments ask of the service.

use std::path::PathBuf;
use std::time::Duration;

/// How the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Well.
    Ok,
    /// `/healthz` answers 500.
    Unhealthy,
    /// Ends at once with status 3.
    Exit,
    /// Listens and accepts, but never answers.
    Never,
    /// Listens on the port after the one it was given.
    WrongPort,
    /// `/healthz` answers 301.
    Redirect,
    /// Works, then ends with status 3.
    DiesAfter(Duration),
    /// Works, then takes memory until it is killed for that.
    HungryAfter(Duration),
    /// Does not listen before this time is over.
    SlowStart(Duration),
    /// Works, but `/healthz` answers 500 once `/` was asked for.
    AilsInUse,
    /// Works, then `/` and `/healthz` answer 500.
    FailsAfter(Duration),
    /// Is healthy, but answers 500 to each of so many requests.
    FailsEach(u64),
    /// Is healthy, but takes so long for each answer.
    Takes(Duration),
}

impl Mode {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(count) = text.strip_prefix("fails-each:") {
            let count = count.parse().ok().filter(|count| *count > 0);
            return count
                .map(Self::FailsEach)
                .ok_or_else(|| format!("MODE={text}: a number above 0 is missing"));
        }
        let (name, millis) = match text.split_once(':') {
            Some((name, millis)) => (name, Some(duration("MODE", millis)?)),
            None => (text, None),
        };
        Ok(match (name, millis) {
            ("ok", None) => Self::Ok,
            ("unhealthy", None) => Self::Unhealthy,
            ("exit", None) => Self::Exit,
            ("never", None) => Self::Never,
            ("wrong-port", None) => Self::WrongPort,
            ("redirect", None) => Self::Redirect,
            ("ails-in-use", None) => Self::AilsInUse,
            ("dies-after", Some(time)) => Self::DiesAfter(time),
            ("hungry-after", Some(time)) => Self::HungryAfter(time),
            ("slow-start", Some(time)) => Self::SlowStart(time),
            ("fails-after", Some(time)) => Self::FailsAfter(time),
            ("takes", Some(time)) => Self::Takes(time),
            _ => return Err(format!("MODE={text} is not a mode")),
        })
    }
}

/// Everything that can be set. Each is read from an argument `NAME=value`, else from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `PORT`: where to listen, on all addresses; 8080 unless said.
    pub(crate) port: u16,
    /// `VERSION`: what every answer carries; `1` unless said.
    pub(crate) version: String,
    /// `MODE`.
    pub(crate) mode: Mode,
    /// `GRACE`, in milliseconds: how long requests in flight may take once SIGTERM has come; 8 s unless said.
    pub(crate) grace: Duration,
    /// `DRAIN`: once there is this file, `/healthz` answers 500, so that a proxy sends nothing more.
    pub(crate) drain: Option<PathBuf>,
}

impl Settings {
    /// Reads the settings, or says which one is wrong.
    pub(crate) fn read(
        args: impl Iterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let args: Vec<String> = args.collect();
        let get = |name: &str| {
            let given = args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
            given.map(str::to_owned).or_else(|| environment(name))
        };
        Ok(Self {
            port: get("PORT")
                .map_or(Ok(8080), |text| text.parse().map_err(|_| format!("PORT={text} is not a port")))?,
            version: get("VERSION").unwrap_or_else(|| "1".to_owned()),
            mode: get("MODE").map_or(Ok(Mode::Ok), |text| Mode::parse(&text))?,
            grace: get("GRACE").map_or(Ok(Duration::from_secs(8)), |text| duration("GRACE", &text))?,
            drain: get("DRAIN").map(PathBuf::from),
        })
    }
}

fn duration(name: &str, millis: &str) -> Result<Duration, String> {
    let parsed = millis.parse().map(Duration::from_millis);
    parsed.map_err(|_| format!("{name}: {millis} is not a number of milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(args.iter().map(ToString::to_string), |name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_said_is_version_1_on_port_8080() {
        let settings = read(&[], &[]).unwrap();
        assert_eq!((settings.port, settings.version.as_str(), settings.mode), (8080, "1", Mode::Ok));
    }

    #[test]
    fn an_argument_outdoes_the_environment() {
        let settings = read(&["VERSION=3"], &[("VERSION", "2"), ("PORT", "81")]).unwrap();
        assert_eq!((settings.port, settings.version.as_str()), (81, "3"));
    }

    #[test]
    fn modes_with_a_time_need_one_and_others_refuse_it() {
        let mode = |text| read(&[], &[("MODE", text)]).map(|settings| settings.mode);
        assert_eq!(mode("hungry-after:0"), Ok(Mode::HungryAfter(Duration::ZERO)));
        assert_eq!(mode("dies-after:250"), Ok(Mode::DiesAfter(Duration::from_millis(250))));
        assert_eq!(mode("dies-after"), Err("MODE=dies-after is not a mode".to_owned()));
        assert_eq!(mode("takes:60"), Ok(Mode::Takes(Duration::from_millis(60))));
        assert_eq!(mode("fails-each:20"), Ok(Mode::FailsEach(20)));
        assert_eq!(mode("fails-each:0"), Err("MODE=fails-each:0: a number above 0 is missing".to_owned()));
        assert_eq!(mode("exit:5"), Err("MODE=exit:5 is not a mode".to_owned()));
        assert_eq!(mode("slow-start:x"), Err("MODE: x is not a number of milliseconds".to_owned()));
    }

    #[test]
    fn a_port_that_is_none_is_named() {
        assert_eq!(read(&[], &[("PORT", "70000")]), Err("PORT=70000 is not a port".to_owned()));
    }
}
