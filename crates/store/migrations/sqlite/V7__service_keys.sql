-- Keys of services: a row for each version, and one active version for each service. Bound in the
-- associated data of the private half: service_id, kid, version. The tag is over every other column.
CREATE TABLE service_keys (
    number                INTEGER PRIMARY KEY,
    service_id            TEXT    NOT NULL,
    service_name          TEXT    NOT NULL,
    version               INTEGER NOT NULL CHECK (version > 0),
    state                 TEXT    NOT NULL CHECK (state IN ('active', 'retired')),
    algorithm             TEXT    NOT NULL,
    key_size              INTEGER NOT NULL,
    kid                   TEXT    NOT NULL,
    public_key            BLOB    NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    retired_at            INTEGER,
    encrypted_private_key BLOB    NOT NULL,
    tag                   BLOB,
    UNIQUE (service_id, version)
) STRICT;
CREATE UNIQUE INDEX service_keys_one_active ON service_keys (service_id) WHERE state = 'active';

CREATE TRIGGER service_keys_encrypted_private_key_inserts BEFORE INSERT ON service_keys
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_private_key, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'service_keys.encrypted_private_key takes only values sealed under a key in use');
END;
CREATE TRIGGER service_keys_encrypted_private_key_updates BEFORE UPDATE OF encrypted_private_key ON service_keys
WHEN NOT EXISTS (
    SELECT 1 FROM keks WHERE kek_id = substr(new.encrypted_private_key, 3, 16) AND closed_at IS NULL
)
BEGIN
    SELECT raise(ABORT, 'service_keys.encrypted_private_key takes only values sealed under a key in use');
END;
