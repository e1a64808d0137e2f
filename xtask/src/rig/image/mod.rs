//! Images made here, `FROM scratch`: nothing is pulled from anywhere.

mod context;
mod layout;
mod nginx;
mod program;
mod service;

pub use layout::Layout;
pub use nginx::NginxImage;
pub(in crate::rig) use nginx::{CONF_DIR, LOG_DIR, STATE_DIR};
pub use program::ProgramImage;
pub use service::{ServiceImage, service_binary};
