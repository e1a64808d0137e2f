//! The small HTTP service that the examples, the demo and the tests deploy.
//!
//! It does what a good service does (kept-alive connections, a clean stop on SIGTERM) and, on request, what a bad one
//! does: `settings::Mode` lists how it can misbehave. One thread a connection, nothing but `std`, `tungstenite` and
//! `signal-hook`, so that it links statically and runs as PID 1 of an image made `FROM scratch`.

mod connection;
mod probe;
mod request;
mod response;
mod service;
mod settings;
mod stream;

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use service::Service;
use settings::{Mode, Settings};

/// The argument by which it looks whether the service beside it is healthy, as a container's health check does that has
/// no other program.
const PROBE: &str = "probe";

/// How a service that was told to fail ends.
const TOLD_TO_FAIL: u8 = 3;

/// A connection's thread: the parser and the buffers need little.
const STACK_BYTES: usize = 128 * 1024;

fn main() -> ExitCode {
    let probes = std::env::args().nth(1).is_some_and(|first| first == PROBE);
    let settings = match Settings::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(why) => {
            log(&why);
            return ExitCode::from(2);
        }
    };
    if probes {
        return if probe::healthy(settings.port) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match run(&settings) {
        Ok(code) => code,
        Err(error) => {
            log(&format!("cannot serve port {}: {error}", settings.port));
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> io::Result<ExitCode> {
    // Before anything else: PID 1 has no default action for SIGTERM.
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    match settings.mode {
        Mode::Exit => {
            log("exiting: MODE=exit");
            return Ok(ExitCode::from(TOLD_TO_FAIL));
        }
        Mode::DiesAfter(life) => die_after(life),
        Mode::HungryAfter(time) => eat_after(time),
        _ => {}
    }
    let service = Arc::new(Service::new(settings));
    let start = Arc::clone(&service);
    let (port, mode) = (settings.port, settings.mode);
    thread::spawn(move || {
        if let Mode::SlowStart(time) = mode {
            thread::sleep(time);
        }
        if let Err(error) = accept(&start, port, mode) {
            log(&format!("cannot serve port {port}: {error}"));
            process::exit(1);
        }
    });
    if let Some(signal) = signals.forever().next() {
        log(&format!("stopping: signal {signal}"));
    }
    service.stop();
    wake(listening_port(port, mode));
    let quiet = service.wait_until_quiet(settings.grace);
    log(if quiet { "stopped" } else { "stopped: the grace is over, requests were cut" });
    Ok(ExitCode::SUCCESS)
}

/// Serves connections until the service is told to stop.
fn accept(service: &Arc<Service>, port: u16, mode: Mode) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, listening_port(port, mode)))?;
    log(&format!("listening on {} (version {})", listener.local_addr()?, service.version()));
    let mut unanswered = Vec::new();
    for stream in listener.incoming() {
        if service.is_stopping() {
            break;
        }
        // A connection that was reset before it was accepted, or a moment without descriptors: the next may do.
        let Ok(stream) = stream else { continue };
        if mode == Mode::Never {
            unanswered.push(stream);
            continue;
        }
        let service = Arc::clone(service);
        // Without a thread to serve it, closing the connection is all that can be done.
        drop(
            thread::Builder::new().stack_size(STACK_BYTES).spawn(move || connection::serve(stream, &service)),
        );
    }
    Ok(())
}

fn listening_port(port: u16, mode: Mode) -> u16 {
    if mode == Mode::WrongPort { port.wrapping_add(1) } else { port }
}

/// Gets the accepting thread out of `accept`, which no signal interrupts, so that it closes the listener.
fn wake(port: u16) {
    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
}

fn die_after(life: Duration) {
    thread::spawn(move || {
        thread::sleep(life);
        log(&format!("exiting: MODE=dies-after:{}", life.as_millis()));
        process::exit(i32::from(TOLD_TO_FAIL));
    });
}

/// Takes memory, a MiB at a time, and no more than 128 where nobody sets a limit.
fn eat_after(time: Duration) {
    thread::spawn(move || {
        thread::sleep(time);
        log(&format!("taking memory: MODE=hungry-after:{}", time.as_millis()));
        let taken: Vec<Vec<u8>> = (0..128).map(|_| vec![1; 1 << 20]).collect();
        log(&format!("took {} MiB and was not killed", taken.len()));
    });
}

/// A line for `docker logs`. A closed stdout must not end the service.
fn log(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}
