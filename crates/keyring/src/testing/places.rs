//! A place in a database, and others that differ from it in one thing each.

use crate::Context;

/// Where a value stands.
pub fn place() -> Context<'static> {
    Context {
        table: "users",
        column: "encrypted_data",
        row_id: b"row one",
        schema_version: 1,
    }
}

/// Where it must not open.
pub fn elsewhere() -> [Context<'static>; 6] {
    [
        Context {
            table: "sessions",
            ..place()
        },
        Context {
            column: "encrypted_credential",
            ..place()
        },
        Context {
            row_id: b"row two",
            ..place()
        },
        Context {
            row_id: b"",
            ..place()
        },
        Context {
            schema_version: 2,
            ..place()
        },
        // The same bytes in a row, cut in another place.
        Context {
            table: "usersencrypted",
            column: "_data",
            ..place()
        },
    ]
}
