//! A run with everything that can be in one, told as the file of it is written.

use serde_json::{Value, json};

/// Text that would break out of a page.
const EVIL: &str =
    "</pre></svg><script>window.evil = 1</script><img src=x onerror=\"window.evil = 1\">\u{1b}[31m";

/// A deploy of 6 s that went to green at 2 s and back to blue at 4 s; a third of green's requests failed.
pub(crate) fn record() -> Value {
    let buckets: Vec<Value> = (0..60).map(bucket).collect();
    let span = |sent, failed, p50, p99, max| json!({"sent": sent, "failed": failed, "p50_ms": p50, "p99_ms": p99, "max_ms": max});
    let phase = |name: &str, from: f64, to: f64, done| json!({"name": name, "from_ms": from, "to_ms": to, "done": done});
    let answer = format!("it answered 500: {EVIL}");
    json!({
        "id": "20260102T030405.678Z", "app": "web", "began": "2026-01-02T03:04:05.678Z", "took_ms": 6000.0,
        "run": {
            "time": "2026-01-02T03:04:11Z", "command": "deploy", "who": format!("ann@host {EVIL}"),
            "outcome": "rolled-back", "release": "0123456789ab",
            "image": format!("ghcr.io/acme/{}:2", "a-long-name-".repeat(12)),
            "digest": format!("sha256:{}", "cd".repeat(32)), "previous": format!("sha256:{}", "ab".repeat(32)),
            "from": "blue", "live": "blue", "phases": {"resolve": 0.2, "observe": 0.01, "probe": 1.0},
            "probe": {
                "rate": 50, "sent": 300, "failed": 20, "why": "answered 502",
                "before": span(100, 0, 1.2, 2.4, 2.9), "during": span(100, 10, 2.0, 30.5, 31.0),
                "after": span(100, 10, 1.1, 2.2, 2.3)
            },
            "reason": answer
        },
        "phases": [
            phase("pull the image", 1000.0, 1400.0, true),
            phase("start release 0123456789ab in green", 1400.0, 1600.0, true),
            phase("gate green directly", 1600.0, 1900.0, true),
            phase("gate green through nginx", 1900.0, 1995.0, true),
            phase("switch to green", 1995.0, 2000.0, true),
            phase("watch green", 2000.0, 3990.0, false),
            phase("switch to blue", 3995.0, 4000.0, true),
            phase("put the release that was accepted in green back in its place", 4000.0, 5900.0, true)
        ],
        "serving": [
            {"from_ms": 0.0, "slot": "blue"}, {"from_ms": 2000.0, "slot": "green"}, {"from_ms": 4000.0, "slot": "blue"}
        ],
        "gate": [
            {"from_ms": 1600.0, "to_ms": 1890.0, "times": 40, "who": "web-green-1-next",
             "what": "GET http://10.213.0.2:80/healthz", "wrong": answer},
            {"from_ms": 1900.0, "to_ms": 1900.0, "times": 1, "who": "green", "what": "GET /healthz through nginx",
             "wrong": null}
        ],
        "logs": ["listening on 80", EVIL, "a line that does not end ".repeat(20)],
        "probe": {"what": format!("GET http://127.0.0.1:80/healthz, Host: {EVIL}"), "buckets": buckets}
    })
}

/// 5 requests; one of them fails while green serves.
fn bucket(number: u32) -> Value {
    let green = (20..40).contains(&number);
    let p99 = if green { 12.0 + f64::from(number) } else { 2.0 + f64::from(number % 5) / 10.0 };
    json!({
        "at_ms": number * 100, "slot": if green { "green" } else { "blue" }, "sent": 5, "failed": u32::from(green),
        "p50_ms": 1.2, "p99_ms": p99, "max_ms": p99
    })
}
