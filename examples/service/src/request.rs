//! The head of a request, parsed in place: ranges into the connection's buffer instead of copies.

use std::ops::Range;

/// The longest head that is read, in bytes.
pub(crate) const MAX_HEAD: usize = 16 * 1024;

/// The longest body that is read, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024 * 1024;

/// The methods that some route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// Any other.
    Other,
}

/// A request's head (RFC 9112, sections 2 and 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The method.
    pub(crate) method: Method,
    /// Where the path stands in the buffer.
    pub(crate) path: Range<usize>,
    /// Where the query stands in the buffer, without its question mark.
    pub(crate) query: Range<usize>,
    /// How many bytes the head takes, the empty line included.
    pub(crate) length: usize,
    /// How many bytes of body follow it.
    pub(crate) body: usize,
    /// Whether the client wants the connection to stay.
    pub(crate) keep: bool,
    /// Whether the client waits for `100 Continue`.
    pub(crate) expects: bool,
    /// `Sec-WebSocket-Key`, when an upgrade is asked for.
    pub(crate) websocket: Option<Range<usize>>,
}

/// Why a request is refused: the status line's end.
pub(crate) type Refusal = &'static str;

/// Parses the head at the beginning of `buffer`; `None` while it is not whole.
pub(crate) fn parse(buffer: &[u8]) -> Result<Option<Head>, Refusal> {
    let Some(end) = find(buffer, b"\r\n\r\n") else {
        return if buffer.len() > MAX_HEAD { Err("431 Request Header Fields Too Large") } else { Ok(None) };
    };
    let line_end = find(buffer, b"\r\n").unwrap_or(end);
    let mut head = request_line(&buffer[..line_end]).ok_or("400 Bad Request")?;
    head.length = end + 4;
    let mut at = line_end + 2;
    while at < end {
        let length = find(&buffer[at..end], b"\r\n").unwrap_or(end - at);
        header(&mut head, buffer, at..at + length)?;
        at += length + 2;
    }
    Ok(Some(head))
}

fn request_line(line: &[u8]) -> Option<Head> {
    let mut spaces = line.iter().enumerate().filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
    let (first, second) = (spaces.next()?, spaces.next()?);
    let target = first + 1..second;
    let path_end = find(&line[target.clone()], b"?").map_or(target.end, |at| target.start + at);
    Some(Head {
        method: match &line[..first] {
            b"GET" => Method::Get,
            b"POST" => Method::Post,
            _ => Method::Other,
        },
        path: target.start..path_end,
        query: (path_end + 1).min(target.end)..target.end,
        length: 0,
        body: 0,
        keep: match &line[second + 1..] {
            b"HTTP/1.1" => true,
            b"HTTP/1.0" => false,
            _ => return None,
        },
        expects: false,
        websocket: None,
    })
}

fn header(head: &mut Head, buffer: &[u8], line: Range<usize>) -> Result<(), Refusal> {
    let text = &buffer[line.clone()];
    let colon = find(text, b":").ok_or("400 Bad Request")?;
    let (name, value) = (&text[..colon], text[colon + 1..].trim_ascii());
    if name.eq_ignore_ascii_case(b"content-length") {
        let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        head.body = length.ok_or("400 Bad Request")?;
        if head.body > MAX_BODY {
            return Err("413 Content Too Large");
        }
    } else if name.eq_ignore_ascii_case(b"connection") {
        if value.eq_ignore_ascii_case(b"close") {
            head.keep = false;
        } else if value.eq_ignore_ascii_case(b"keep-alive") {
            head.keep = true;
        }
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        return Err("411 Length Required");
    } else if name.eq_ignore_ascii_case(b"expect") {
        head.expects = true;
    } else if name.eq_ignore_ascii_case(b"sec-websocket-key") {
        let start = line.end - text[colon + 1..].trim_ascii_start().len();
        head.websocket = Some(start..start + value.len());
    }
    Ok(())
}

/// The value of `name` in a query; nothing is decoded.
pub(crate) fn parameter<'a>(query: &'a [u8], name: &str) -> Option<&'a str> {
    let query = std::str::from_utf8(query).ok()?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_parsed_once_it_is_whole() {
        let text = b"POST /slow?ms=20 HTTP/1.1\r\nHost: x\r\ncontent-length:  3\r\n\r\nabcGET";
        assert_eq!(parse(&text[..40]), Ok(None));
        let head = parse(text).unwrap().unwrap();
        assert_eq!((head.method, head.body, head.keep), (Method::Post, 3, true));
        assert_eq!(&text[head.path.clone()], b"/slow");
        assert_eq!(parameter(&text[head.query.clone()], "ms"), Some("20"));
        assert_eq!(&text[head.length..head.length + head.body], b"abc");
    }

    #[test]
    fn http_1_0_and_close_end_the_connection() {
        let keep = |text: &[u8]| parse(text).unwrap().unwrap().keep;
        assert!(!keep(b"GET / HTTP/1.0\r\n\r\n"));
        assert!(keep(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
        assert!(!keep(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
    }

    #[test]
    fn the_websocket_key_is_found_between_blanks() {
        let text = b"GET /ws HTTP/1.1\r\nSec-WebSocket-Key:  abc= \r\n\r\n";
        let head = parse(text).unwrap().unwrap();
        assert_eq!(&text[head.websocket.unwrap()], b"abc=");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(parse(b"nonsense\r\n\r\n"), Err("400 Bad Request"));
        assert_eq!(parse(b"GET / HTTP/2\r\n\r\n"), Err("400 Bad Request"));
        let chunked = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(parse(chunked), Err("411 Length Required"));
        assert_eq!(parse(&vec![b'x'; MAX_HEAD + 1]), Err("431 Request Header Fields Too Large"));
    }
}
