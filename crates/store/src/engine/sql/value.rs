//! Values as they go into statements and come out of rows, and their data classes.

use crate::classes::{Public, Sealed};

/// A value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// A number, or a truth value as 0 or 1.
    Number(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
}

/// A value that may be bound to a statement.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no data class that may stand in the database",
    note = "wrap it in `Public` where everybody who holds the database may see it, or seal it"
)]
pub trait Bindable {
    /// The value as the database gets it.
    fn value(&self) -> Value<'_>;
}

/// What stands in the clear as it is.
pub trait Plain {
    /// The value as the database gets it.
    fn plain(&self) -> Value<'_>;
}

impl Plain for str {
    fn plain(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Plain for String {
    fn plain(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Plain for [u8] {
    fn plain(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Plain for Vec<u8> {
    fn plain(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: Plain + ?Sized> Plain for &T {
    fn plain(&self) -> Value<'_> {
        (**self).plain()
    }
}

impl<T: Plain> Bindable for Public<T> {
    fn value(&self) -> Value<'_> {
        self.0.plain()
    }
}

impl Bindable for Sealed {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self.as_bytes())
    }
}

impl<const N: usize> Bindable for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: Bindable + ?Sized> Bindable for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Bindable> Bindable for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Bindable::value)
    }
}

impl Bindable for bool {
    fn value(&self) -> Value<'_> {
        Value::Number(i64::from(*self))
    }
}

macro_rules! numbers {
    ($($number:ty),+) => { $(
        impl Bindable for $number {
            fn value(&self) -> Value<'_> {
                // Every time and every count is far below; a database compares no larger one.
                Value::Number(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )+ };
}
numbers!(u8, u16, u32, u64, usize, i64);

/// A value that is kept.
#[derive(Clone)]
pub(crate) enum Taken {
    Null,
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
}

impl From<Value<'_>> for Taken {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Number(number) => Self::Number(number),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Value::Text(text) => Self::Text(text.to_owned()),
        }
    }
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(kind(self.value()))
    }
}

impl Bindable for Taken {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Number(number) => Value::Number(*number),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Text(text) => Value::Text(text),
        }
    }
}

/// What kind a value is; its content stands in no error.
pub(crate) fn kind(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Number(_) => "a number",
        Value::Bytes(_) => "bytes",
        Value::Text(_) => "text",
    }
}

/// Why a column does not read as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub String);

/// What reading a row comes to.
pub(crate) type Readable<T> = Result<T, Unreadable>;

/// The columns of one row.
pub(crate) trait Columns {
    /// The value of a column, counted from 0.
    fn column(&self, index: usize) -> Readable<Value<'_>>;
}

/// One row of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Line<'r>(pub &'r dyn Columns);

impl<'r> Line<'r> {
    /// Reads a column, counted from 0.
    pub(crate) fn get<T: FromValue>(&self, index: usize) -> Readable<T> {
        T::from_value(self.0.column(index)?)
            .map_err(|Unreadable(reason)| Unreadable(format!("column {index}: {reason}")))
    }

    /// A column as it stands.
    pub(crate) fn value(&self, index: usize) -> Readable<Value<'r>> {
        self.0.column(index)
    }
}

/// What a column can be read as.
pub(crate) trait FromValue: Sized {
    fn from_value(value: Value<'_>) -> Readable<Self>;
}

fn wrong(expected: &str, found: Value<'_>) -> Unreadable {
    let found = kind(found);
    Unreadable(format!("{expected} should stand there, not {found}"))
}

impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        match value {
            Value::Number(number) => Ok(number),
            other => Err(wrong("a number", other)),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

macro_rules! from_numbers {
    ($($number:ty),+) => { $(
        impl FromValue for $number {
            fn from_value(value: Value<'_>) -> Readable<Self> {
                let number = i64::from_value(value)?;
                Self::try_from(number).map_err(|_| Unreadable(format!("{number} is out of range")))
            }
        }
    )+ };
}
from_numbers!(u32, u64);

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        match value {
            Value::Text(text) => Ok(text.to_owned()),
            other => Err(wrong("text", other)),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            other => Err(wrong("bytes", other)),
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().map_err(|_| {
                Unreadable(format!("{N} bytes should stand there, not {}", bytes.len()))
            }),
            other => Err(wrong("bytes", other)),
        }
    }
}

impl FromValue for Sealed {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        Vec::from_value(value).map(Self::of_envelope)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Readable<Self> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}
