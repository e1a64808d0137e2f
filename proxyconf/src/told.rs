//! What nginx tells of one request.

use std::time::Duration;

use crate::{AppName, Slot};

/// What nginx puts before each line; see [`render`](crate::render).
pub(crate) const TAG: &str = "cutover";

/// A request that nginx passed to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The slot whose group it was sent to, even where the other one had to answer in its place.
    pub slot: Slot,
    /// Whether the slot failed it: a status of 500 or more, no answer, or an answer only at another try. An answer that breaks
    /// off in the middle is not seen.
    pub failed: bool,
    /// Until the answer began, all tries together.
    pub time: Duration,
}

impl Told {
    /// Reads one datagram: `<190>Nov 26 15:34:36 cutover: `, then apart by tabs the group, the status that the client got, and
    /// for each try the status, the time to the answer's head and to its end.
    ///
    /// `None` for what is no such line, and for requests that tell nothing of the slot: not passed on, left by the client
    /// (499), or made a connection of its own (101).
    pub(crate) fn parse(app: &AppName, datagram: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(datagram).ok()?;
        let (_, line) = text.strip_prefix('<')?.split_once(&format!(" {TAG}: "))?;
        let mut fields = line.trim_end_matches('\n').split('\t');
        let mut next = || fields.next();
        let (group, status, statuses, begun, ended) = (next()?, next()?, next()?, next()?, next()?);
        let slot = Slot::ALL.into_iter().find(|slot| app.group(*slot) == group)?;
        let status: u16 = status.parse().ok()?;
        let tries: Vec<u16> = each(statuses).filter_map(|status| status.parse().ok()).collect();
        if matches!(status, 101 | 499) || tries.is_empty() {
            return None;
        }
        // Where a group was turned to after an answer (` : `), that answer may well have asked for it: `X-Accel-Redirect`.
        let again = statuses.contains(", ");
        let failed = again || status >= 500 || tries.iter().any(|status| *status >= 500);
        let times = each(begun).zip(each(ended));
        let time = times.filter_map(|(begun, ended)| seconds(begun).or_else(|| seconds(ended)));
        Some(Self { slot, failed, time: time.fold(Duration::ZERO, Duration::saturating_add) })
    }
}

/// What stands for each try: a comma between the servers of a group, a colon between spaces where another group was turned to.
pub(crate) fn each(tries: &str) -> impl Iterator<Item = &str> {
    tries.split(", ").flat_map(|part| part.split(" : ")).filter(|it| !it.is_empty())
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<(Slot, bool, u128)> {
        let datagram = format!("<190>Nov 26 15:34:36 cutover: {}", line.replace('|', "\t"));
        let told = Told::parse(&"my-app".parse().unwrap(), datagram.as_bytes())?;
        Some((told.slot, told.failed, told.time.as_millis()))
    }

    #[test]
    fn a_request_is_told_by_its_slot_its_failure_and_the_time_to_its_answer() {
        use Slot::{Blue, Green};
        for (line, told) in [
            ("my_app_blue|200|200|0.004|0.900", (Blue, false, 4)),
            ("my_app_green|404|404|0.000|0.000", (Green, false, 0)),
            ("my_app_green|500|500|0.010|0.010", (Green, true, 10)),
            ("my_app_green|502|502|-|0.003", (Green, true, 3)),
            ("my_app_green|504|504|-|60.001", (Green, true, 60_001)),
            ("my_app_green|200|502, 200|-, 0.005|2.000, 0.007", (Green, true, 2005)),
            ("my_app_green|200|404, 200|0.001, 0.005|0.001, 0.007", (Green, true, 6)),
            ("my_app_blue|200|504 : 200|- : 0.005|1.000 : 0.007", (Blue, true, 1005)),
            ("my_app_blue|200|200 : 200|0.001 : 0.005|0.001 : 0.007", (Blue, false, 6)),
            ("my_app_blue|502|502|-|-", (Blue, true, 0)),
            ("my_app_blue|200|200|-1|1e999", (Blue, false, 0)),
        ] {
            assert_eq!(parse(line), Some(told), "{line}");
        }
    }

    #[test]
    fn what_says_nothing_of_a_slot_is_not_told() {
        for line in [
            "my_app_blue|499|-|-|0.300",
            "my_app_blue|499|200|0.001|0.300",
            "my_app_blue|101|101|0.001|9.000",
            "my_app_blue|404|||",
            "my_app_blue|404|-|-|-",
            "my_app_red|200|200|0.001|0.001",
            "my_app|200|200|0.001|0.001",
            "my_app_blue|200|200",
            "my_app_blue|x|200|0.001|0.001",
            "",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        let app = "web".parse().unwrap();
        for datagram in [&b"web_blue\t200\t200\t0.1\t0.1"[..], b"<190> cutover:", b"\xff", b""] {
            assert_eq!(Told::parse(&app, datagram), None);
        }
    }
}
