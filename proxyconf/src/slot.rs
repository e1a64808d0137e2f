//! The two places an app runs, and a pair of values for them.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// One of the two places an app runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The slot that is live while the marker is absent.
    Blue,
    /// The slot that is live while the marker is present.
    Green,
}

impl Slot {
    /// Both slots, blue first.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The slot that this one is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// `blue` or `green`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Slot {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "blue" => Ok(Self::Blue),
            "green" => Ok(Self::Green),
            _ => Err(Error::invalid("slot", text, "a slot is `blue` or `green`")),
        }
    }
}

/// A value for each slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BySlot<T> {
    /// What belongs to the blue slot.
    pub blue: T,
    /// What belongs to the green slot.
    pub green: T,
}

impl<T> BySlot<T> {
    /// Makes both values, blue first.
    pub fn from_fn(mut make: impl FnMut(Slot) -> T) -> Self {
        Self { blue: make(Slot::Blue), green: make(Slot::Green) }
    }

    /// The value of `slot`.
    pub const fn get(&self, slot: Slot) -> &T {
        match slot {
            Slot::Blue => &self.blue,
            Slot::Green => &self.green,
        }
    }

    /// The value of `slot`, to change.
    pub const fn get_mut(&mut self, slot: Slot) -> &mut T {
        match slot {
            Slot::Blue => &mut self.blue,
            Slot::Green => &mut self.green,
        }
    }

    /// Both values, each made into another.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> BySlot<U> {
        BySlot { blue: change(self.blue), green: change(self.green) }
    }
}

impl<T> Index<Slot> for BySlot<T> {
    type Output = T;

    fn index(&self, slot: Slot) -> &T {
        self.get(slot)
    }
}

impl<T> IndexMut<Slot> for BySlot<T> {
    fn index_mut(&mut self, slot: Slot) -> &mut T {
        self.get_mut(slot)
    }
}
