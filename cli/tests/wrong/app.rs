//! Wrong values in the table of an app.

use super::{refused, web};

fn image(image: &str) -> String {
    format!("[apps.web]\nimage = \"{image}\"\nport = 8112\n")
}

fn port(port: &str) -> String {
    format!("[apps.web]\nimage = \"nginx\"\nport = {port}\n")
}

fn named(name: &str) -> String {
    format!("[apps.{name}]\nimage = \"nginx\"\nport = 80\n")
}

#[test]
fn references_that_are_none_are_told_where_they_end_to_be() {
    refused(
        "wrong-images",
        &[
            ("nothing", image("")),
            ("upper case", image("ghcr.io/Acme/Web:1")),
            ("a bad tag", image("ghcr.io/acme/web:-1")),
            ("a short digest", image("ghcr.io/acme/web@sha256:abc")),
            ("an unknown digest", image("ghcr.io/acme/web@md5:d41d8cd98f00b204e9800998ecf8427e")),
            ("a scheme", image("https://ghcr.io/acme/web")),
            ("a space", image("ghcr.io/acme/web :1")),
            ("a number", "[apps.web]\nimage = 1\nport = 80\n".to_owned()),
        ],
    );
}

#[test]
fn names_and_ports_that_are_none_are_refused() {
    refused(
        "wrong-names-and-ports",
        &[
            ("port 0", port("0")),
            ("port 70000", port("70000")),
            ("a negative port", port("-1")),
            ("a port in quotes", port("\"80\"")),
            ("an upper-case app", named("Web")),
            ("an app with an underscore", named("my_web")),
            ("an app that begins with a dash", named("-web")),
            ("an app with a long name", named("a-name-that-is-longer-than-28-bytes")),
            ("a network's name", web("network = \"redis net\"")),
            ("an alias without a network", web("aliases = [\"cache\"]")),
            ("an alias", web("network = \"redis-net\"\naliases = [\"web\", \"ca che\"]")),
        ],
    );
}

#[test]
fn quantities_are_refused_without_their_unit_and_out_of_their_bounds() {
    refused(
        "wrong-quantities",
        &[
            ("a time without a unit", web("soak = \"10\"")),
            ("a time as a number", web("soak = 10")),
            ("a time with an unknown unit", web("drain = \"1d\"")),
            ("a fraction of a time", web("stop_grace = \"1.5s\"")),
            ("a size with an unknown unit", web("memory = \"1t\"")),
            ("too little memory", web("memory = \"1m\"")),
            ("no cores", web("cpus = 0")),
            ("less than none", web("cpus = -1.0")),
            ("no number", web("cpus = nan")),
            ("without end", web("cpus = inf")),
            ("no processes", web("pids = 0")),
            ("no replicas", web("replicas = 0")),
            ("65 replicas", web("replicas = 65")),
            ("300 replicas", web("replicas = 300")),
            ("one image kept", web("retain = 1")),
        ],
    );
}

#[test]
fn a_guard_that_would_judge_nothing_or_everything_is_refused() {
    refused(
        "wrong-guard",
        &[
            ("every request may fail", web("guard = { max_error_rate = 1.0 }")),
            ("percent for a share", web("guard = { max_error_rate = 5 }")),
            ("less than none", web("guard = { max_error_rate = -0.1 }")),
            ("no number", web("guard = { max_error_rate = nan }")),
            ("faster than before", web("guard = { max_p99_ratio = 0.5 }")),
            ("without end", web("guard = { max_p99_ratio = inf }")),
            ("too few requests", web("guard = { min_requests = 5 }")),
            ("an unknown key", web("guard = { max_errors = 5 }")),
            ("no time for a share", web("canary = { stage = \"0s\" }")),
            ("an unknown way to know clients", web("canary = { by = \"header\" }")),
        ],
    );
}

#[test]
fn a_health_check_that_could_not_be_asked_is_refused() {
    refused(
        "wrong-health",
        &[
            ("a path without /", web("health = { path = \"healthz\" }")),
            ("a path with a space", web("health = { path = \"/health check\" }")),
            ("a path with a line's end", web("health = { path = \"/a\\r\\nHost: b\" }")),
            ("a host with a space", web("health = { host = \"example .com\" }")),
            ("a TCP check with a path", web("health = { check = \"tcp\", path = \"/\" }")),
            ("the image's check with a status", web("health = { check = \"image\", expect = \"200\" }")),
            ("a probe's path without /", web("probe = { path = \"ping\" }")),
            ("a probe's host with a space", web("probe = { host = \"example .com\" }")),
            ("a probe's address without a port", web("probe = { address = \"127.0.0.1\" }")),
            ("an unknown check", web("health = { check = \"grpc\" }")),
            ("no time", web("health = { timeout = \"0s\" }")),
            ("no time for an answer", web("health = { attempt = \"0ms\" }")),
            ("a status of letters", web("health = { expect = \"abc\" }")),
            ("status 600", web("health = { expect = \"200-600\" }")),
            ("statuses from the end", web("health = { expect = \"299-200\" }")),
            ("a status as a number", web("health = { expect = 200 }")),
        ],
    );
}

#[test]
fn what_a_container_cannot_be_made_with_is_refused() {
    refused(
        "wrong-container",
        &[
            ("always started anew", web("restart = \"always\"")),
            ("a restart that is not known", web("restart = \"never\"")),
            (
                "a label of cutover's own",
                web("labels = { \"com.acme\" = \"1\", \"cutover.slot\" = \"blue\" }"),
            ),
            ("a variable with =", web("env = { \"A=B\" = \"c\" }")),
            ("a variable without a name", web("env = { \"\" = \"c\" }")),
            ("a value with a zero byte", web("env = { A = \"b\\u0000c\" }")),
            ("a list as a variable", web("env = { A = [\"b\"] }")),
            ("a relative volume", web("volumes = [\"./data:/data\"]")),
            ("an unknown mode of a volume", web("volumes = [\"data:/data\", \"logs:/logs:rx\"]")),
            ("an empty command", web("command = []")),
            ("a command as a string", web("command = \"serve --port 80\"")),
            ("a relative folder", web("working_dir = \"app\"")),
            ("an unknown signal", web("stop_signal = \"SIGTREM\"")),
            ("a word for a boolean", web("read_only = \"yes\"")),
        ],
    );
}
