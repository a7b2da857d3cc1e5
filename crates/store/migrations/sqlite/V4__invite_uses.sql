-- Who used an invite: for each account a hash of 32 bytes over the code and the account's id. The code
-- is not kept, so nobody can tell from the file who came by which invite.
--
-- The row's tag is over this column too, where it is not empty.
ALTER TABLE invites ADD COLUMN used_by BLOB NOT NULL DEFAULT x'' CHECK (length(used_by) % 32 = 0);
