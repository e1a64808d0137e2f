//! The messages of a session with BuildKit, as far as they are used here. The numbers are those of its `.proto` files.

use zeroize::Zeroize as _;

/// `moby.buildkit.secrets.v1.GetSecretRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SecretRequest {
    #[prost(string, tag = "1")]
    pub(super) id: String,
}

/// `moby.buildkit.secrets.v1.GetSecretResponse`
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct SecretResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) data: Vec<u8>,
}

impl Drop for SecretResponse {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

/// `moby.filesync.v1.CredentialsRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CredentialsRequest {
    #[prost(string, tag = "1")]
    pub(super) host: String,
}

/// `moby.filesync.v1.CredentialsResponse`
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct CredentialsResponse {
    #[prost(string, tag = "1")]
    pub(super) username: String,
    #[prost(string, tag = "2")]
    pub(super) secret: String,
}

impl Drop for CredentialsResponse {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// `grpc.health.v1.HealthCheckResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HealthResponse {
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

/// The status of a service that serves.
pub(super) const SERVING: i32 = 1;

/// `fsutil.types.Packet`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Packet {
    #[prost(enumeration = "PacketKind", tag = "1")]
    pub(super) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) stat: Option<Stat>,
    #[prost(uint32, tag = "3")]
    pub(super) id: u32,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) data: Vec<u8>,
}

/// `fsutil.types.Packet.PacketType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum PacketKind {
    /// From us: a file, folder or link; without one, the last was told.
    Stat = 0,
    /// To us: send that file.
    Request = 1,
    /// From us: part of a file; without bytes, its end.
    Data = 2,
    /// To us, and then from us: all is there.
    Finish = 3,
    /// To us: the other side failed.
    Error = 4,
}

/// `fsutil.types.Stat`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Stat {
    #[prost(string, tag = "1")]
    pub(super) path: String,
    /// As Go's `os.FileMode` has it.
    #[prost(uint32, tag = "2")]
    pub(super) mode: u32,
    #[prost(uint32, tag = "3")]
    pub(super) uid: u32,
    #[prost(uint32, tag = "4")]
    pub(super) gid: u32,
    #[prost(int64, tag = "5")]
    pub(super) size: i64,
    /// In nanoseconds since 1970.
    #[prost(int64, tag = "6")]
    pub(super) modified: i64,
    #[prost(string, tag = "7")]
    pub(super) link: String,
}

/// `moby.buildkit.v1.StatusResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::build) struct Status {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::build) vertexes: Vec<Vertex>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::build) statuses: Vec<VertexStatus>,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::build) logs: Vec<VertexLog>,
    #[prost(message, repeated, tag = "4")]
    pub(in crate::build) warnings: Vec<VertexWarning>,
}

/// `moby.buildkit.v1.Vertex`
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::build) struct Vertex {
    #[prost(string, tag = "1")]
    pub(in crate::build) digest: String,
    #[prost(string, tag = "3")]
    pub(in crate::build) name: String,
    #[prost(bool, tag = "4")]
    pub(in crate::build) cached: bool,
    #[prost(message, optional, tag = "5")]
    pub(in crate::build) started: Option<Timestamp>,
    #[prost(message, optional, tag = "6")]
    pub(in crate::build) completed: Option<Timestamp>,
    #[prost(string, tag = "7")]
    pub(in crate::build) error: String,
}

/// `moby.buildkit.v1.VertexStatus`
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::build) struct VertexStatus {
    #[prost(string, tag = "1")]
    pub(in crate::build) id: String,
    #[prost(int64, tag = "4")]
    pub(in crate::build) current: i64,
    #[prost(int64, tag = "5")]
    pub(in crate::build) total: i64,
}

/// `moby.buildkit.v1.VertexLog`
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::build) struct VertexLog {
    #[prost(string, tag = "1")]
    pub(in crate::build) vertex: String,
    /// 1 is the output, 2 the error output.
    #[prost(int64, tag = "3")]
    pub(in crate::build) stream: i64,
    #[prost(bytes = "vec", tag = "4")]
    pub(in crate::build) message: Vec<u8>,
}

/// `moby.buildkit.v1.VertexWarning`
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::build) struct VertexWarning {
    #[prost(bytes = "vec", tag = "3")]
    pub(in crate::build) short: Vec<u8>,
}

/// `google.protobuf.Timestamp`
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(in crate::build) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(in crate::build) seconds: i64,
}
