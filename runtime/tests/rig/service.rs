//! A service for the tests: std only, so that a bare `rustc` makes a static binary of it that needs no base image.
//!
//! `PORT` (default 8080), `BIND` (default 0.0.0.0) and `MODE`: `ok`, `500`, `redirect`, `exit:MS`, `silent`,
//! `late:MS`, `close`, `garbage`, `crash`. As `service check` it is a health check that follows `HEALTH`, as
//! `service echo OUT ERR` something to run by exec, as `service cat FILE` it prints one, and as `service say N` it writes N lines and stays.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::thread::{sleep, spawn};
use std::time::Duration;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("check") => check(),
        Some("echo") => {
            println!("{}", args[2]);
            eprintln!("{}", args[3]);
            exit(7);
        }
        Some("cat") => print!("{}", std::fs::read_to_string(&args[2]).unwrap()),
        Some("say") => {
            for line in 1..=args[2].parse().unwrap_or(0) {
                println!("line {line}");
            }
            sleep(Duration::from_secs(600));
        }
        _ => serve(),
    }
}

fn var(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn check() {
    println!("the service is {}", var("HEALTH", "well"));
    exit(i32::from(var("HEALTH", "well") != "well"));
}

fn serve() {
    let mode = var("MODE", "ok");
    let (mode, millis) = mode.split_once(':').unwrap_or((&mode, "0"));
    let pause = Duration::from_millis(millis.parse().unwrap_or(0));
    eprintln!("starting in mode {mode}");
    match mode {
        "late" => sleep(pause),
        "crash" => exit(3),
        _ => {}
    }
    let listener = TcpListener::bind(format!("{}:{}", var("BIND", "0.0.0.0"), var("PORT", "8080"))).unwrap();
    if mode == "exit" {
        spawn(move || {
            sleep(pause);
            eprintln!("giving up");
            exit(3);
        });
    }
    for stream in listener.incoming().flatten() {
        let mode = mode.to_owned();
        spawn(move || answer(stream, &mode));
    }
}

fn answer(mut stream: TcpStream, mode: &str) {
    if mode == "close" {
        return;
    }
    let mut request = [0; 4096];
    let read = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let reply = match mode {
        "silent" | "exit" => return sleep(Duration::from_secs(600)),
        "garbage" => "SSH-2.0-nothing\r\n",
        "500" => "HTTP/1.1 500 Oops\r\nContent-Length: 21\r\n\r\nno\tdatabase\u{1b}[31m here",
        "redirect" => "HTTP/1.1 301 Moved\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n",
        "host" if !request.contains("host: example.com") => "HTTP/1.1 421 No\r\nContent-Length: 0\r\n\r\n",
        _ => ok,
    };
    let _ = stream.write_all(reply.as_bytes());
    // Stays open until the other side closes, as a kept-alive connection does.
    while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
}
