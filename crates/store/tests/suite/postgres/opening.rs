//! What a start finds, and what it refuses.

use store::{OpenError, PostgresConfig, Store, StoreConfig};

use super::cluster::Database;

fn refused(database: &Database) -> OpenError {
    match Store::open(&database.config()) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn a_schema_of_a_newer_program_is_refused() {
    let database = Database::new();
    database.open();
    let later =
        "INSERT INTO refinery_schema_history VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')";
    database.psql(later).unwrap();
    let error = refused(&database);
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_database_with_foreign_tables_is_refused_and_left_as_it_is() {
    let database = Database::new();
    database.psql("CREATE TABLE theirs (a int)").unwrap();
    let error = refused(&database);
    assert!(matches!(error, OpenError::Unfit { .. }), "{error}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.psql(tables).unwrap(), "1");
}

#[test]
fn a_database_of_another_encoding_is_refused_with_what_to_make() {
    let database = Database::new();
    let (name, role) = (
        format!("{}_ascii", database.name),
        format!("of_{}", database.name),
    );
    let make = format!(
        "CREATE DATABASE {name} OWNER {role} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    );
    database.psql(&make).unwrap();
    let mut config = database.config();
    let address = database.cluster.address_for(&role, &name);
    config.postgres = Some(PostgresConfig::new(address));
    let error = Store::open(&config).err().unwrap().to_string();
    assert!(
        error.contains("SQL_ASCII") && error.contains("ENCODING 'UTF8'"),
        "{error}"
    );
}

#[test]
fn an_authority_whose_file_holds_none_is_named_with_its_setting() {
    let database = Database::new();
    let file = database.folder.path().join("ca.pem");
    for (content, word) in [(None, "cannot be read"), (Some(""), "holds no certificate")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let mut config = database.config();
        let mut postgres = PostgresConfig::new(format!("{}?sslmode=require", database.address));
        postgres.authority = Some(file.clone());
        config.postgres = Some(postgres);
        let error = Store::open(&config).err().unwrap().to_string();
        for word in [word, "SECURE_MESSAGING_DATABASE_CA"] {
            assert!(error.contains(word), "{error}");
        }
    }
}

#[test]
fn only_a_role_that_serves_is_let_in_and_only_by_the_owner() {
    let database = Database::new();
    let owner = format!("of_{}", database.name);
    let serving = format!("serving_{}", database.name);
    let make = format!(
        "ALTER ROLE {owner} CREATEROLE; CREATE ROLE {serving} LOGIN PASSWORD 'a password of tests'"
    );
    database.psql(&make).unwrap();
    let mut config = database.config();
    let of_server = database.cluster.address_for(&serving, &database.name);
    config.postgres = Some(PostgresConfig::new(of_server));
    let not_granted = |config: &StoreConfig| {
        let error = Store::open(config).err().unwrap();
        assert!(matches!(error, OpenError::NotGranted(_)), "{error}");
        assert!(error.to_string().contains("migrate --grant"), "{error}");
    };
    not_granted(&config);
    database.open();
    not_granted(&config);
    let refused = |config: &StoreConfig, role: &str, word: &str| {
        let error = Store::grant(config, role).unwrap_err();
        assert!(matches!(error, OpenError::Grant { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    };
    refused(&database.config(), &owner, "name the role that serves");
    refused(&database.config(), "nobody_at_all", "no such role");
    let inherits = format!("SELECT rolinherit FROM pg_roles WHERE rolname = '{owner}'");
    assert_eq!(database.psql(&inherits).unwrap(), "t");
}

#[test]
fn another_key_is_refused() {
    let database = Database::new();
    database.open();
    let mut config = database.config();
    let file = database.folder.path().join("none.db");
    config.key = store::KeySource::beside(Some("another key than before".into()), &file);
    let error = Store::open(&config).err().unwrap();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
}

#[test]
fn an_error_names_the_place_and_no_password() {
    let database = Database::new();
    let mut config = database.config();
    let address = database.address.replace("of_test", "nobody_");
    config.postgres = Some(PostgresConfig::new(address));
    let error = Store::open(&config).err().unwrap().to_string();
    assert!(error.contains(&database.name), "{error}");
    assert!(error.contains("password authentication failed"), "{error}");
    assert!(!error.contains("tests@"), "{error}");
    let (who, place) = database.address.split_once('@').unwrap();
    let (user, _) = who.rsplit_once(':').unwrap();
    config.postgres = Some(PostgresConfig::new(format!("{user}@{place}")));
    let error = Store::open(&config).err().unwrap().to_string();
    assert!(error.contains("set DATABASE_PASSWORD"), "{error}");
    for address in ["postgres://", "mysql://a@b/c", "postgres:///nowhere"] {
        config.postgres = Some(PostgresConfig::new(address.to_owned()));
        let error = Store::open(&config).err().unwrap();
        assert!(matches!(error, OpenError::Address(_)), "{address}: {error}");
    }
}

#[test]
fn both_engines_have_the_same_tables_and_columns() {
    let database = Database::new();
    database.open();
    let columns = "SELECT table_name || '.' || column_name FROM information_schema.columns
                   WHERE table_schema = 'public' AND table_name NOT IN
                       ('audit_turn', 'refinery_schema_history')
                   ORDER BY 1";
    let server = database.psql(columns).unwrap();
    let file = database.folder.path().join("file.db");
    Store::open(&store::StoreConfig::for_tests(&file))
        .unwrap()
        .close()
        .unwrap();
    let file = rusqlite::Connection::open(file).unwrap();
    let mut statement = file
        .prepare(
            "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT IN ('refinery_schema_history')
             ORDER BY 1",
        )
        .unwrap();
    let columns = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let mut columns: Vec<String> = columns.map(Result::unwrap).collect();
    columns.sort();
    let mut server: Vec<&str> = server.lines().collect();
    server.sort_unstable();
    assert_eq!(server, columns);
}
