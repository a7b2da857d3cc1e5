//! Data classes in statements: which values may be bound.

use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Params, ParamsFromIter, ToSql};

use crate::classes::{Public, Sealed};

impl<T: ToSql> ToSql for Public<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl ToSql for Sealed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for Sealed {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self::of_envelope(value.as_blob()?.to_vec()))
    }
}

/// A value that may be bound to a statement.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no data class that may stand in the database",
    note = "wrap it in `Public` where everybody who holds the file may see it, or seal it"
)]
pub trait Bindable: ToSql {}

impl<T: ToSql> Bindable for Public<T> {}
impl Bindable for Sealed {}
impl<const N: usize> Bindable for [u8; N] {}
impl<T: Bindable + ?Sized> Bindable for &T {}
impl<T: Bindable> Bindable for Option<T> {}

macro_rules! numbers {
    ($($number:ty),+) => { $(impl Bindable for $number {})+ };
}
numbers!(bool, u8, u16, u32, u64, usize, i32, i64);

/// The values of one statement, each of which may be bound.
pub trait BindableRow: Params {}

impl BindableRow for [&(dyn ToSql + Send + Sync); 0] {}
impl<I> BindableRow for ParamsFromIter<I>
where
    I: IntoIterator,
    I::Item: Bindable,
{
}

macro_rules! arrays {
    ($($len:literal),+) => { $(impl<T: Bindable> BindableRow for [T; $len] {})+ };
}
arrays!(1, 2, 3, 4);

macro_rules! rows {
    ($(($($value:ident),+)),+ $(,)?) => {
        $(impl<$($value: Bindable),+> BindableRow for ($($value,)+) {})+
    };
}
rows!(
    (A),
    (A, B),
    (A, B, C),
    (A, B, C, D),
    (A, B, C, D, E),
    (A, B, C, D, E, F),
    (A, B, C, D, E, F, G),
    (A, B, C, D, E, F, G, H),
    (A, B, C, D, E, F, G, H, I),
    (A, B, C, D, E, F, G, H, I, J),
    (A, B, C, D, E, F, G, H, I, J, K),
    (A, B, C, D, E, F, G, H, I, J, K, L),
);
