-- Tags over what stands in the clear and decides: HMACs under a key that stands sealed in
-- server_secrets. Opening the database gives the rows that were there before theirs, once.
--
-- users: user_id, handle_index, fingerprint, role, active, created_at.
-- public_keys: user_id, created_at, identity_key, verify_key, account_keys.
-- sessions: every column but encrypted_data, which is bound to session_id and user_id.
-- invites: every column. settings: name and value of those that decide.
-- audit_log: id and hash. Records of before are vouched for by settings.audit_adopted.
ALTER TABLE users ADD COLUMN tag BLOB;
ALTER TABLE public_keys ADD COLUMN tag BLOB;
ALTER TABLE sessions ADD COLUMN tag BLOB;
ALTER TABLE invites ADD COLUMN tag BLOB;
ALTER TABLE settings ADD COLUMN tag BLOB;
ALTER TABLE audit_log ADD COLUMN tag BLOB;

-- What is written into the audit log when the job is done, as JSON.
ALTER TABLE key_jobs ADD COLUMN outcomes TEXT;
