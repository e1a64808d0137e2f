//! gRPC over HTTP/2, as a server: message frames, and a status in the trailers.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use std::convert::Infallible;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyDataStream, BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response};
use prost::Message;

/// The body of an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The longest message that is taken, in bytes: what BuildKit allows itself.
const LONGEST: usize = 16 << 20;
/// A message's flag for compression, and its length.
const HEAD: usize = 5;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// One of the status codes of gRPC.
    code: u16,
    message: String,
}

impl Failure {
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { code: 5, message: message.into() }
    }

    pub(super) fn unimplemented() -> Self {
        Self { code: 12, message: "no such method".to_owned() }
    }
}

/// An answer of one message.
pub(super) fn one(answer: Result<impl Message, Failure>) -> Response<Body> {
    let messages = answer.map(|message| framed(&message));
    many(stream::iter([messages]))
}

/// An answer of as many messages as come. It ends with the first failure.
pub(super) fn many(messages: impl Stream<Item = Result<Bytes, Failure>> + Send + 'static) -> Response<Body> {
    let state = Some(messages.boxed());
    let frames = stream::unfold(state, |state| async move {
        let mut messages = state?;
        Some(match messages.next().await {
            Some(Ok(message)) => (Ok(Frame::data(message)), Some(messages)),
            Some(Err(failure)) => (Ok(Frame::trailers(trailers(failure.code, &failure.message))), None),
            None => (Ok(Frame::trailers(trailers(0, ""))), None),
        })
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

pub(super) fn trailers(code: u16, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(HeaderName::from_static("grpc-status"), code.into());
    let printable: String =
        message.chars().map(|c| if matches!(c, ' '..='$' | '&'..='~') { c } else { '?' }).collect();
    if let Ok(message) = HeaderValue::from_str(&printable) {
        trailers.insert(HeaderName::from_static("grpc-message"), message);
    }
    trailers
}

/// A message with its head.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(HEAD + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // Writing to a buffer that grows does not fail.
    message.encode(&mut bytes).unwrap_or_default();
    bytes.freeze()
}

/// The messages that a call sends.
pub(super) struct Messages {
    parts: BodyDataStream<Incoming>,
    held: BytesMut,
}

impl Messages {
    pub(super) fn new(body: Incoming) -> Self {
        Self { parts: BodyDataStream::new(body), held: BytesMut::new() }
    }

    /// The next message; `None` when the caller will send no more.
    pub(super) async fn next<T: Message + Default>(&mut self) -> Result<Option<T>, Failure> {
        loop {
            if let Some(message) = unframed(&mut self.held)? {
                return T::decode(message).map(Some).map_err(|e| Failure::unknown(e.to_string()));
            }
            match self.parts.try_next().await {
                Ok(Some(part)) => self.held.extend_from_slice(&part),
                Ok(None) => return Ok(None),
                Err(e) => return Err(Failure::unknown(e.to_string())),
            }
        }
    }

    /// The only message of a call.
    pub(super) async fn only<T: Message + Default>(mut self) -> Result<T, Failure> {
        self.next().await?.ok_or_else(|| Failure::unknown("the call has no message"))
    }
}

/// Takes the first message, if it is there whole.
pub(super) fn unframed(held: &mut BytesMut) -> Result<Option<Bytes>, Failure> {
    let Some(&[compressed, a, b, c, d]) = held.first_chunk::<HEAD>() else { return Ok(None) };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if compressed != 0 || length > LONGEST {
        return Err(Failure::unknown("compressed and longer messages are not taken"));
    }
    if held.len() < HEAD + length {
        return Ok(None);
    }
    held.advance(HEAD);
    Ok(Some(held.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::super::message::SecretRequest;
    use super::*;

    #[test]
    fn a_message_is_taken_when_it_is_whole_however_it_comes() {
        let sent = SecretRequest { id: "token".to_owned() };
        let bytes = framed(&sent);
        let mut held = BytesMut::new();
        for byte in &bytes[..bytes.len() - 1] {
            held.put_u8(*byte);
            assert_eq!(unframed(&mut held), Ok(None));
        }
        held.extend_from_slice(&bytes[bytes.len() - 1..]);
        held.put_u8(0);
        let taken = unframed(&mut held).unwrap().unwrap();
        assert_eq!(SecretRequest::decode(taken).unwrap(), sent);
        assert_eq!(&held[..], [0]);
    }

    #[test]
    fn a_message_that_is_too_long_is_refused_before_it_is_held() {
        let mut held = BytesMut::from(&[0, 0xff, 0xff, 0xff, 0xff][..]);
        assert!(unframed(&mut held).is_err());
    }
}
