-- What opens the safe key: a row for each wrap. Account, id and kind are bound in the associated data; the
-- time of its making is sealed with it. A kind that a later version adds needs no column.
CREATE TABLE safe_wraps (
    number         INTEGER PRIMARY KEY,
    user_id        BLOB    NOT NULL REFERENCES users (user_id),
    wrap_id        BLOB    NOT NULL CHECK (length(wrap_id) = 16),
    kind           TEXT    NOT NULL,
    encrypted_wrap BLOB    NOT NULL,
    UNIQUE (user_id, wrap_id)
) STRICT;
CREATE UNIQUE INDEX safe_wraps_one_of_each ON safe_wraps (user_id, kind)
    WHERE kind IN ('passphrase', 'recovery_key');

CREATE TRIGGER safe_wraps_encrypted_wrap_inserts BEFORE INSERT ON safe_wraps
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_wrap, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'safe_wraps.encrypted_wrap takes only values sealed under a key in use');
END;
CREATE TRIGGER safe_wraps_encrypted_wrap_updates BEFORE UPDATE OF encrypted_wrap ON safe_wraps
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_wrap, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'safe_wraps.encrypted_wrap takes only values sealed under a key in use');
END;

-- Both wraps of each account, sealed in one value. Opening the database gives each a row and drops this.
CREATE TABLE joined_wraps (
    user_id BLOB NOT NULL PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO joined_wraps (user_id, sealed) SELECT user_id, encrypted_wraps FROM key_safes;
DROP TRIGGER key_safes_encrypted_wraps_inserts;
DROP TRIGGER key_safes_encrypted_wraps_updates;
ALTER TABLE key_safes DROP COLUMN encrypted_wraps;
