//! Wrong addresses of slots.

use super::{refused, web};

fn slots(blue: &str, green: &str) -> String {
    web(&format!("slots = {{ blue = {blue}, green = {green} }}"))
}

#[test]
fn addresses_that_cannot_be_two_slots_are_refused() {
    let two_apps = |second: &str| {
        let first = slots("\"127.0.0.1:8112\"", "\"127.0.0.1:8113\"");
        format!("{first}\n[apps.api]\nimage = \"nginx\"\nport = 80\nslots = {second}\n")
    };
    refused(
        "wrong-slots",
        &[
            ("no port", slots("\"127.0.0.1\"", "\"127.0.0.1:8113\"")),
            ("port 0", slots("\"127.0.0.1:0\"", "\"127.0.0.1:8113\"")),
            ("port 70000", slots("\"127.0.0.1:8112\"", "\"127.0.0.1:70000\"")),
            ("half an address", slots("\"127.0.1:8112\"", "\"127.0.0.1:8113\"")),
            ("a port alone", slots("8112", "8113")),
            ("a wrong one in a list", slots("[\"127.0.0.1:8112\", \"127.0.0.1:x\"]", "\"127.0.0.1:8113\"")),
            ("one address twice", slots("\"127.0.0.1:8112\"", "\"127.0.0.1:8112\"")),
            ("two for one replica", slots("[\"127.0.0.1:8112\", \"127.0.0.1:8113\"]", "\"127.0.0.1:8114\"")),
            ("none", slots("[]", "[]")),
            (
                "one for two replicas",
                web(
                    "replicas = 2\nslots = { blue = \"127.0.0.1:1\", green = [\"127.0.0.1:2\", \"127.0.0.1:3\"] }",
                ),
            ),
            (
                "one address for two apps",
                two_apps("{ blue = \"127.0.0.1:8114\", green = \"127.0.0.1:8113\" }"),
            ),
            ("a name with another port", slots("\"web-blue:8113\"", "\"web-green:8112\"")),
            ("a name without a network", slots("\"web-blue:8112\"", "\"web-green:8112\"")),
            (
                "a third slot",
                web("slots = { blue = \"127.0.0.1:1\", green = \"127.0.0.1:2\", red = \"127.0.0.1:3\" }"),
            ),
        ],
    );
}
