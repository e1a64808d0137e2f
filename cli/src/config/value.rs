//! Values that are written as strings in the file and are something better in memory.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;

use super::form::{self, Form};
pub use super::quantity::{Period, Size};
pub use super::volume::Volume;
use super::words;

/// A value parsed from a string of the file, with the bytes it was read from.
#[derive(Clone)]
pub struct Parsed<T> {
    value: T,
    span: Range<usize>,
}

impl<T> Parsed<T> {
    /// Where in the file the value stands, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value itself.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.value
    }

    /// A default: a value that stands nowhere in the file.
    #[must_use]
    pub const fn unwritten(value: T) -> Self {
        Self { value, span: 0..0 }
    }
}

impl<T> Deref for Parsed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Parsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Parsed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Parsed<T> {}

impl<T: PartialOrd> PartialOrd for Parsed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Parsed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<'de, T: Form> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Spanned::<Text<T>>::deserialize(deserializer)?;
        let span = text.span();
        let value = form::parse(&text.get_ref().text, &span).map_err(D::Error::custom)?;
        Ok(Self { value, span })
    }
}

/// A string of which a `T` is to be made: anything else is answered with what a `T` looks like.
struct Text<T> {
    text: String,
    wanted: PhantomData<T>,
}

impl<'de, T: Form> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<T>(PhantomData<T>);

        impl<T: Form> Visitor<'_> for TextVisitor<T> {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&words::expecting(T::FORM))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }
        }

        let text = deserializer.deserialize_str(TextVisitor::<T>(PhantomData))?;
        Ok(Self { text, wanted: PhantomData })
    }
}

/// For the defaults in the schema.
impl<T: fmt::Display> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.value)
    }
}

impl<T> JsonSchema for Parsed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "string".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// A value and where it stands in the file, in bytes.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// What stands there.
    pub value: T,
    /// Where.
    pub span: Range<usize>,
}

impl<T> Located<T> {
    /// A default: a value that stands nowhere in the file.
    #[must_use]
    pub const fn unwritten(value: T) -> Self {
        Self { value, span: 0..0 }
    }
}

impl<T: Default> Default for Located<T> {
    fn default() -> Self {
        Self::unwritten(T::default())
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T: PartialOrd> PartialOrd for Located<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Located<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(Self { value: spanned.into_inner(), span })
    }
}

/// For the defaults in the schema.
impl<T: Serialize> Serialize for Located<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMany<T> {
    /// A single value.
    One(T),
    /// Several, in order.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values as a slice, whichever way they were written.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

// Not `untagged`: serde would buffer the value, and with that lose its place and what is wrong with it.
impl<'de, T: Form> Deserialize<'de> for OneOrMany<Parsed<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Spanned::<Texts<T>>::deserialize(deserializer)?;
        let span = written.span();
        match written.into_inner() {
            Texts::One(text) => {
                let value = form::parse(&text, &span).map_err(D::Error::custom)?;
                Ok(Self::One(Parsed { value, span }))
            }
            Texts::Many(values) => Ok(Self::Many(values)),
        }
    }
}

/// A single one is still a text: only what is around it knows its place.
enum Texts<T> {
    One(String),
    Many(Vec<Parsed<T>>),
}

impl<'de, T: Form> Deserialize<'de> for Texts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor(PhantomData))
    }
}

struct TextsVisitor<T>(PhantomData<T>);

impl<'de, T: Form> Visitor<'de> for TextsVisitor<T> {
    type Value = Texts<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words::expecting(T::FORM))?;
        f.write_str(", or a list of such")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Texts::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Texts::Many(values))
    }
}
