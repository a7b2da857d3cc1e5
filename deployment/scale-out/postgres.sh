#!/bin/sh
# Makes the roles: one that owns the tables, one that serves. PostgreSQL's image runs it once, over an empty volume.
set -eu
secrets=${SECRETS:-/run/secrets}
export secrets
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `cat "$secrets/database_owner_password"`
\set password `cat "$secrets/database_password"`
CREATE ROLE messaging_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE messaging LOGIN PASSWORD :'password';
-- From PostgreSQL 16 on a role that makes others changes only those that it may grant.
GRANT messaging TO messaging_owner WITH ADMIN OPTION;
SELECT format('ALTER DATABASE %I OWNER TO messaging_owner', current_database()) \gexec
SQL
