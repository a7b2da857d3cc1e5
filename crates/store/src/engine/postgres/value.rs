//! Values on their way to PostgreSQL and back.

use std::error::Error;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::engine::sql::{Bindable, Columns, Readable, Taken, Unreadable, Value, kind};

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (*self, of) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Number(number), &Type::INT8) => out.extend_from_slice(&number.to_be_bytes()),
            (Value::Number(number), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(number)?.to_be_bytes());
            }
            (Value::Bytes(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME) => {
                out.extend_from_slice(text.as_bytes());
            }
            (value, of) => return Err(format!("{of} does not take {}", kind(value)).into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Taken {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.value().to_sql(of, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Columns for Row {
    fn column(&self, index: usize) -> Readable<Value<'_>> {
        fn found<'r, T>(
            read: Result<Option<T>, tokio_postgres::Error>,
            value: fn(T) -> Value<'r>,
        ) -> Readable<Value<'r>> {
            let unreadable = |error: tokio_postgres::Error| Unreadable(error.to_string());
            Ok(read.map_err(unreadable)?.map_or(Value::Null, value))
        }
        let Some(column) = self.columns().get(index) else {
            return Err(Unreadable(format!("there is no column {index}")));
        };
        match *column.type_() {
            Type::INT8 => found(self.try_get(index), Value::Number),
            Type::INT4 => found(self.try_get(index), |number: i32| {
                Value::Number(number.into())
            }),
            Type::BOOL => found(self.try_get(index), |yes: bool| Value::Number(yes.into())),
            Type::BYTEA => found(self.try_get(index), Value::Bytes),
            Type::TEXT | Type::VARCHAR | Type::NAME => found(self.try_get(index), Value::Text),
            ref other => Err(Unreadable(format!("column {index} holds {other}"))),
        }
    }
}
