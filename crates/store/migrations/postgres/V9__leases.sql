-- Which instance does what only one may do at a time, and until when.
CREATE TABLE leases (
    name    text   NOT NULL PRIMARY KEY,
    holder  bytea  NOT NULL CHECK (length(holder) = 16),
    ends_at bigint NOT NULL
);
