//! What a start finds, and what it refuses.

use store::{OpenError, PostgresConfig, Store};

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
    assert!(matches!(error, OpenError::NotOurs { .. }), "{error}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.psql(tables).unwrap(), "1");
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
