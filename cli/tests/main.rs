//! The command as a person and a script meet it: the real binary, in an environment of its own.

#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod sandbox;

mod colour;
mod compose;
mod doctor;
mod engine;
mod flags;
mod github;
mod help;
mod init;
mod notify;
mod right;
mod schema;
mod secrets;
mod wrong;
