-- wrapped_kek: the key as a key service outside wrapped it, bound to kek_id. NULL for keys of other providers,
-- and from retired_at on.
ALTER TABLE keks ADD COLUMN wrapped_kek bytea;
