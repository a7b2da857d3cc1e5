-- The durable plane. Columns named encrypted_… hold envelopes of crate keyring, whose associated
-- data binds table, column, row id and layout. Times are unix seconds.

CREATE TABLE keks (
    kek_id          BLOB    NOT NULL PRIMARY KEY CHECK (length(kek_id) = 16),
    provider        TEXT    NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),
    state           TEXT    NOT NULL CHECK (state IN ('active', 'retiring', 'retired')),
    salt            BLOB,
    iterations      INTEGER,
    encrypted_check BLOB    NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keks_one_active ON keks (state) WHERE state = 'active';

CREATE TABLE server_secrets (
    name             TEXT    NOT NULL PRIMARY KEY,
    encrypted_secret BLOB    NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    number               INTEGER PRIMARY KEY,
    user_id              BLOB    NOT NULL UNIQUE CHECK (length(user_id) = 16),
    handle_index         BLOB    NOT NULL UNIQUE CHECK (length(handle_index) = 32),
    fingerprint          BLOB    NOT NULL,
    role                 TEXT    NOT NULL CHECK (role IN ('user', 'admin')),
    active               INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    created_at           INTEGER NOT NULL,
    last_login           INTEGER,
    encrypted_data       BLOB    NOT NULL,
    encrypted_credential BLOB    NOT NULL
) STRICT;

CREATE TABLE public_keys (
    number             INTEGER PRIMARY KEY,
    user_id            BLOB    NOT NULL UNIQUE REFERENCES users (user_id),
    created_at         INTEGER NOT NULL,
    identity_key       BLOB    NOT NULL,
    signed_prekey      BLOB    NOT NULL,
    verify_key         BLOB    NOT NULL,
    quantum_public_key BLOB    NOT NULL,
    account_keys       BLOB    NOT NULL
) STRICT;

-- The safes stand apart from users: they are large, they change on their own, and the prekey safe
-- is left out of every backup.
CREATE TABLE key_safes (
    number                 INTEGER PRIMARY KEY,
    user_id                BLOB    NOT NULL UNIQUE REFERENCES users (user_id),
    version                INTEGER NOT NULL CHECK (version >= 0),
    encrypted_wraps        BLOB    NOT NULL,
    encrypted_private_keys BLOB    NOT NULL
) STRICT;

CREATE TABLE prekey_safes (
    number         INTEGER PRIMARY KEY,
    user_id        BLOB    NOT NULL UNIQUE REFERENCES users (user_id),
    version        INTEGER NOT NULL CHECK (version >= 0),
    encrypted_data BLOB    NOT NULL
) STRICT;

-- One row holds a batch's public parts, written once; prekey_stock counts what was handed out; a
-- row of prekeys is one pair that was, so that its primary key makes a second claim impossible.
-- leaves comes last, so that reading the columns before it does not touch its pages.
CREATE TABLE prekey_batches (
    number            INTEGER PRIMARY KEY,
    user_id           BLOB    NOT NULL UNIQUE REFERENCES users (user_id),
    last_resort_id    INTEGER NOT NULL,
    last_resort_index INTEGER NOT NULL,
    first_index       INTEGER NOT NULL,
    head              BLOB    NOT NULL,
    tree              BLOB    NOT NULL,
    last_resort       BLOB    NOT NULL,
    leaves            BLOB    NOT NULL
) STRICT;

CREATE TABLE prekey_stock (
    user_id      BLOB    NOT NULL PRIMARY KEY REFERENCES users (user_id),
    batch_number INTEGER NOT NULL,
    leaf_count   INTEGER NOT NULL,
    next_leaf    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX prekey_stock_expiry ON prekey_stock (expires_at);

CREATE TABLE prekeys (
    user_id    BLOB    NOT NULL REFERENCES users (user_id),
    prekey_id  INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, prekey_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX prekeys_expiry ON prekeys (expires_at);

CREATE TABLE sessions (
    session_id          BLOB    NOT NULL PRIMARY KEY CHECK (length(session_id) = 32),
    user_id             BLOB    NOT NULL REFERENCES users (user_id),
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    absolute_expires_at INTEGER NOT NULL,
    last_activity       INTEGER NOT NULL,
    encrypted_data      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE invites (
    code_hash  BLOB    NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    created_by BLOB    NOT NULL REFERENCES users (user_id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    max_uses   INTEGER NOT NULL,
    uses       INTEGER NOT NULL DEFAULT 0 CHECK (uses <= max_uses)
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_creator ON invites (created_by);
CREATE INDEX invites_expiry ON invites (expires_at);

-- A key per user, and sixteen zero bytes for the system's. No reference to users: records outlive
-- accounts.
CREATE TABLE audit_keys (
    subject       BLOB    NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
    encrypted_key BLOB    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id                INTEGER PRIMARY KEY,
    event_id          BLOB    NOT NULL CHECK (length(event_id) = 16),
    user_id           BLOB,
    action            TEXT    NOT NULL,
    timestamp         INTEGER NOT NULL,
    encrypted_details BLOB    NOT NULL,
    previous_hash     BLOB    NOT NULL CHECK (length(previous_hash) = 64),
    hash              BLOB    NOT NULL CHECK (length(hash) = 64)
) STRICT;
CREATE INDEX audit_log_user ON audit_log (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_log_action ON audit_log (action);
CREATE INDEX audit_log_time ON audit_log (timestamp);

CREATE TRIGGER audit_log_keeps_records BEFORE UPDATE ON audit_log
BEGIN
    SELECT raise(ABORT, 'audit_log is append-only: no record may be changed');
END;
CREATE TRIGGER audit_log_loses_nothing BEFORE DELETE ON audit_log
BEGIN
    SELECT raise(ABORT, 'audit_log is append-only: no record may be deleted');
END;
-- Also against INSERT OR REPLACE, which deletes without telling the trigger above.
CREATE TRIGGER audit_log_only_appends BEFORE INSERT ON audit_log
WHEN new.id <= (SELECT max(id) FROM audit_log)
BEGIN
    SELECT raise(ABORT, 'audit_log is append-only: a record goes to the end');
END;
