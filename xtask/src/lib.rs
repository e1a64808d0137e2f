//! The workspace's chores, and every command of cutover.
//!
//! [`main`] is what `cargo xtask` runs. [`rig`] holds the real parts that the demo and the end-to-end tests stand on.
//! A chore is a file of its own, named as the chore is; `chore.rs` lists them.

mod architecture;
mod audit;
pub mod bench;
mod cargo;
pub mod chaos;
mod chore;
mod ci;
mod codegen;
pub mod cut;
pub mod demo;
mod fuzz;
mod metadata;
mod output;
mod ready;
pub mod rig;
mod test;

pub use chore::main;
