-- Which instance does what only one may do at a time, and until when.
CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    holder  BLOB    NOT NULL CHECK (length(holder) = 16),
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
