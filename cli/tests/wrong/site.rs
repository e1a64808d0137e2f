//! Wrong values in what nginx is given: refused as the file is read, though only nginx's text would show them.

use super::{refused, web};

fn site(more: &str) -> String {
    web(&format!("site = {{ listen = \"80\", {more} }}"))
}

#[test]
fn a_site_that_nginx_would_not_take_is_refused() {
    refused(
        "wrong-site",
        &[
            ("listens nowhere", web("site = { listen = [] }")),
            ("listens on a word", web("site = { listen = \"http\" }")),
            ("listens on port 0", web("site = { listen = [\"80\", \"127.0.0.1:0\"] }")),
            ("listens with an unknown word", web("site = { listen = \"80 quic\" }")),
            ("listens on a number", web("site = { listen = 80 }")),
            ("listens where the control server does", web("site = { listen = \"127.0.0.1:9180\" }")),
            ("TLS without a certificate", web("site = { listen = \"443 ssl\" }")),
            ("a relative certificate", site("tls = { certificate = \"a.pem\", key = \"/b.pem\" }")),
            ("a relative key", site("tls = { certificate = \"/a.pem\", key = \"b.pem\" }")),
            ("a certificate without its key", site("tls = { certificate = \"/a.pem\" }")),
            (
                "a path that breaks out",
                site("tls = { certificate = \"/a.pem\", key = \"/b\\\"; include /c\" }"),
            ),
            ("a body without a unit", site("max_body = \"10x\"")),
        ],
    );
}

#[test]
fn what_would_break_out_of_a_directive_is_refused() {
    refused(
        "wrong-break-out",
        &[
            ("a name with ;", site("server_names = [\"example.com\", \"a.b; include /etc/passwd\"]")),
            ("a name with {", site("server_names = [\"a{b\"]")),
            ("a name with a line's end", site("server_names = [\"a\\nb\"]")),
            ("a name that is an expression", site("server_names = [\"~^www\"]")),
            ("a star within a name", site("server_names = [\"a.*.b\"]")),
            ("extra that closes the block", site("extra = [\"gzip on;\", \"} server { listen 81;\"]")),
            ("extra that is not ended", site("extra = [\"gzip on\"]")),
            ("extra that opens a block", site("extra = [\"location /a {\"]")),
            ("extra with an open quote", site("extra = [\"add_header A \\\"b;\"]")),
            ("extra that ends in a comment", site("extra = [\"gzip on; # for all\"]")),
            ("a resolver", web("[apps.web.upstream]\nresolver = \"127.0.0.11; include /a\"")),
            ("a host with ;", web("health = { host = \"a;b\" }")),
        ],
    );
}

#[test]
fn numbers_that_nginx_would_not_take_are_refused() {
    let upstream = |line: &str| web(&format!("[apps.web.upstream]\n{line}"));
    refused(
        "wrong-upstream",
        &[
            ("half a second to fail", upstream("fail_timeout = \"500ms\"")),
            ("a second and a half to fail", upstream("fail_timeout = \"1500ms\"")),
            ("no time to fail", upstream("fail_timeout = \"0s\"")),
            ("no time to connect", upstream("connect_timeout = \"0s\"")),
            ("more than a year to read", upstream("read_timeout = \"10000h\"")),
            ("no time to send", upstream("send_timeout = \"0s\"")),
            ("no time for a stream", upstream("stream_timeout = \"0s\"")),
            ("no time to keep", upstream("keepalive_timeout = \"0s\"")),
            ("too many to keep", upstream("keepalive = 70000")),
            ("fewer failures than none", upstream("max_fails = -1")),
            ("an unknown balance", upstream("balance = \"least-conn\"")),
        ],
    );
}
