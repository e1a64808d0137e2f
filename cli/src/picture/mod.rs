//! A run's record as people look at it: as text, as a chart, and as a page that needs nothing but itself. Pure.

mod chart;
mod columns;
mod markup;
mod page;
mod tables;
mod words;

pub use self::chart::svg;
pub use self::page::html;
pub use self::words::text;

#[cfg(test)]
mod tests;
