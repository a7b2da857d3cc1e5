-- A third role. SQLite does not change a constraint in place: the column is made anew with the new one.
ALTER TABLE users ADD COLUMN role_of_three TEXT NOT NULL DEFAULT 'user'
    CHECK (role_of_three IN ('user', 'auditor', 'admin'));
UPDATE users SET role_of_three = role;
ALTER TABLE users DROP COLUMN role;
ALTER TABLE users RENAME COLUMN role_of_three TO role;
