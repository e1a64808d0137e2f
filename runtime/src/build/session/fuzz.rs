//! What a builder may send over a session.

use bytes::BytesMut;
use prost::Message;

use super::grpc;
use super::message::{CredentialsRequest, Packet, SecretRequest, Status};
use super::sync::Source;
use crate::build::trace::Trace;

/// Frames of gRPC, the messages in them, the folders that are asked for, and what a builder tells of its work.
pub fn buildkit(data: &[u8]) {
    let (mut held, mut length) = (BytesMut::from(data), data.len());
    while let Ok(Some(message)) = grpc::unframed(&mut held) {
        assert_eq!(held.len() + message.len() + 5, length);
        length = held.len();
        of(&message);
    }
    of(data);
    let text = String::from_utf8_lossy(data);
    let trailers = grpc::trailers(2, &text);
    assert!(trailers.contains_key("grpc-status") && trailers.contains_key("grpc-message"), "{text:?}");
    let mut words = text.split('\n');
    let folder = words.next().unwrap_or_default().as_bytes();
    let asked = Source::asked(folder, words.map(str::to_owned).collect());
    assert_eq!(asked.is_some(), matches!(folder, b"context" | b"dockerfile"));
}

fn of(message: &[u8]) {
    drop(SecretRequest::decode(message).map(|asked| assert!(asked.id.len() <= message.len())));
    drop(CredentialsRequest::decode(message).map(|asked| assert!(asked.host.len() <= message.len())));
    if let Ok(packet) = Packet::decode(message) {
        let mut framed = BytesMut::from(&grpc::framed(&packet)[..]);
        let again = grpc::unframed(&mut framed).ok().flatten().map(Packet::decode);
        assert_eq!(again, Some(Ok(packet)));
    }
    if let Ok(status) = Status::decode(message) {
        let mut trace = Trace::default();
        let mut told = 0;
        trace.status(&status, &mut |_| told += 1);
        trace.status(&status, &mut |_| told += 1);
        assert!(told <= 4 * message.len() + 4, "{told}");
        drop(trace.failed());
    }
}
