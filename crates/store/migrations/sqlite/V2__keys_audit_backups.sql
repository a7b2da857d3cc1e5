-- Keys that rotate, an audit log with signed heads and a door for its retention.

-- reference: name of the key within its provider, such as a PKCS#11 label.
-- encrypted_handover: while a rotation runs, this key sealed under the other one, so that either
-- opens the database; NULL at all other times, and for keys that cannot leave their provider.
-- closed_at: from then on no value is written under this key.
-- retired_at: from then on no value is under this key, and what it was derived with is erased.
ALTER TABLE keks ADD COLUMN reference TEXT;
ALTER TABLE keks ADD COLUMN encrypted_handover BLOB;
ALTER TABLE keks ADD COLUMN closed_at INTEGER;
ALTER TABLE keks ADD COLUMN retired_at INTEGER;

CREATE TRIGGER keks_stay_retired BEFORE UPDATE ON keks WHEN old.state = 'retired'
BEGIN
    SELECT raise(ABORT, 'a retired key does not come back');
END;

-- Moving every value to another key, or giving every value a new data key. cursor is where to go on.
CREATE TABLE key_jobs (
    id          INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL CHECK (kind IN ('rewrap', 'renew')),
    state       TEXT    NOT NULL CHECK (state IN ('running', 'done')),
    reason      TEXT    NOT NULL,
    cursor      TEXT    NOT NULL,
    done        INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE UNIQUE INDEX key_jobs_one_running ON key_jobs (state) WHERE state = 'running';

-- A sealed column takes only envelopes, and only under a key that is in use: bytes 3 to 18 of an
-- envelope name its key. Neither plaintext nor a value under a retired key gets past these,
-- whichever process writes it.
CREATE TRIGGER server_secrets_encrypted_secret_inserts BEFORE INSERT ON server_secrets
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_secret, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'server_secrets.encrypted_secret takes only values sealed under a key in use');
END;
CREATE TRIGGER server_secrets_encrypted_secret_updates BEFORE UPDATE OF encrypted_secret ON server_secrets
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_secret, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'server_secrets.encrypted_secret takes only values sealed under a key in use');
END;
CREATE TRIGGER users_encrypted_data_inserts BEFORE INSERT ON users
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_data, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'users.encrypted_data takes only values sealed under a key in use');
END;
CREATE TRIGGER users_encrypted_data_updates BEFORE UPDATE OF encrypted_data ON users
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_data, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'users.encrypted_data takes only values sealed under a key in use');
END;
CREATE TRIGGER users_encrypted_credential_inserts BEFORE INSERT ON users
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_credential, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'users.encrypted_credential takes only values sealed under a key in use');
END;
CREATE TRIGGER users_encrypted_credential_updates BEFORE UPDATE OF encrypted_credential ON users
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_credential, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'users.encrypted_credential takes only values sealed under a key in use');
END;
CREATE TRIGGER key_safes_encrypted_wraps_inserts BEFORE INSERT ON key_safes
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_wraps, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'key_safes.encrypted_wraps takes only values sealed under a key in use');
END;
CREATE TRIGGER key_safes_encrypted_wraps_updates BEFORE UPDATE OF encrypted_wraps ON key_safes
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_wraps, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'key_safes.encrypted_wraps takes only values sealed under a key in use');
END;
CREATE TRIGGER key_safes_encrypted_private_keys_inserts BEFORE INSERT ON key_safes
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_private_keys, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'key_safes.encrypted_private_keys takes only values sealed under a key in use');
END;
CREATE TRIGGER key_safes_encrypted_private_keys_updates BEFORE UPDATE OF encrypted_private_keys ON key_safes
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_private_keys, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'key_safes.encrypted_private_keys takes only values sealed under a key in use');
END;
CREATE TRIGGER prekey_safes_encrypted_data_inserts BEFORE INSERT ON prekey_safes
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_data, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'prekey_safes.encrypted_data takes only values sealed under a key in use');
END;
CREATE TRIGGER prekey_safes_encrypted_data_updates BEFORE UPDATE OF encrypted_data ON prekey_safes
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_data, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'prekey_safes.encrypted_data takes only values sealed under a key in use');
END;
CREATE TRIGGER sessions_encrypted_data_inserts BEFORE INSERT ON sessions
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_data, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'sessions.encrypted_data takes only values sealed under a key in use');
END;
CREATE TRIGGER sessions_encrypted_data_updates BEFORE UPDATE OF encrypted_data ON sessions
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_data, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'sessions.encrypted_data takes only values sealed under a key in use');
END;
CREATE TRIGGER audit_keys_encrypted_key_inserts BEFORE INSERT ON audit_keys
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_key, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'audit_keys.encrypted_key takes only values sealed under a key in use');
END;
CREATE TRIGGER audit_keys_encrypted_key_updates BEFORE UPDATE OF encrypted_key ON audit_keys
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_key, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'audit_keys.encrypted_key takes only values sealed under a key in use');
END;

-- The door of the audit log's retention: records up to through_id may be deleted. hash is the hash of
-- that record, so that the chain goes on from here.
CREATE TABLE audit_retention (
    id         INTEGER PRIMARY KEY,
    through_id INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 64),
    cutoff     INTEGER NOT NULL,
    timestamp  INTEGER NOT NULL
) STRICT;
CREATE TRIGGER audit_retention_keeps_rows BEFORE UPDATE ON audit_retention
BEGIN
    SELECT raise(ABORT, 'audit_retention is append-only: no row may be changed');
END;
CREATE TRIGGER audit_retention_loses_nothing BEFORE DELETE ON audit_retention
BEGIN
    SELECT raise(ABORT, 'audit_retention is append-only: no row may be deleted');
END;
CREATE TRIGGER audit_retention_only_appends BEFORE INSERT ON audit_retention
WHEN new.id <= (SELECT max(id) FROM audit_retention)
    OR new.through_id <= (SELECT max(through_id) FROM audit_retention)
BEGIN
    SELECT raise(ABORT, 'audit_retention is append-only: a row goes to the end');
END;
CREATE TRIGGER audit_retention_names_a_record BEFORE INSERT ON audit_retention
WHEN NOT EXISTS (SELECT 1 FROM audit_log WHERE id = new.through_id AND hash = new.hash)
BEGIN
    SELECT raise(ABORT, 'audit_retention names no record of audit_log');
END;

-- Deleting needs the door, and the newest record stays: the chain grows from it.
DROP TRIGGER audit_log_loses_nothing;
CREATE TRIGGER audit_log_loses_nothing BEFORE DELETE ON audit_log
WHEN old.id > coalesce((SELECT max(through_id) FROM audit_retention), 0)
    OR old.id = (SELECT max(id) FROM audit_log)
BEGIN
    SELECT raise(ABORT, 'audit_log is append-only: no record may be deleted');
END;

-- Signed heads of the chain; those of records that went through the door may go as well.
CREATE TABLE audit_heads (
    id        INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL,
    hash      BLOB    NOT NULL CHECK (length(hash) = 64),
    timestamp INTEGER NOT NULL,
    signature BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_heads_record ON audit_heads (record_id);
CREATE TRIGGER audit_heads_keeps_rows BEFORE UPDATE ON audit_heads
BEGIN
    SELECT raise(ABORT, 'audit_heads is append-only: no head may be changed');
END;
CREATE TRIGGER audit_heads_loses_nothing BEFORE DELETE ON audit_heads
WHEN old.record_id > coalesce((SELECT max(through_id) FROM audit_retention), 0)
BEGIN
    SELECT raise(ABORT, 'audit_heads is append-only: no head may be deleted');
END;
CREATE TRIGGER audit_heads_only_appends BEFORE INSERT ON audit_heads
WHEN new.id <= (SELECT max(id) FROM audit_heads)
    OR new.record_id < (SELECT max(record_id) FROM audit_heads)
BEGIN
    SELECT raise(ABORT, 'audit_heads is append-only: a head goes to the end');
END;
