//! Where the operator's key comes from.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use ambient::OsEntropy;
use keyring::{
    Context, KekId, KeyMaterial, KeyOrigin, KeySource, KeySourceError, Keyring, LocalProvider,
    MINIMUM_ITERATIONS, SALT_LEN,
};

/// Keys do not show themselves, so equality is tried by sealing and opening.
fn same(a: &KeyMaterial, b: &KeyMaterial) -> bool {
    let ring = |key| {
        let entropy = Arc::new(OsEntropy);
        let provider = LocalProvider::derive(
            key,
            &[5; SALT_LEN],
            MINIMUM_ITERATIONS,
            KekId::from_bytes([1; 16]),
            1,
            entropy.clone(),
        );
        Keyring::new(Arc::new(provider.unwrap()), entropy)
    };
    let place = Context {
        table: "t",
        column: "c",
        row_id: b"r",
        schema_version: 1,
    };
    ring(b)
        .open(&place, &ring(a).seal(&place, b"x").unwrap())
        .is_ok()
}

#[test]
fn a_key_file_is_made_once_for_its_owner_only_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::beside(None, &folder.path().join("secure_messaging.db"));
    let path = folder.path().join("secure_messaging.key");
    assert_eq!(source.key_file(), path);
    let (made, origin) = source.load(true, &OsEntropy).unwrap();
    assert_eq!(origin, KeyOrigin::CreatedFile(path.clone()));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    assert_eq!(
        fs::read(&path).unwrap().len(),
        65,
        "64 digits and a line's end"
    );
    let (found, origin) = source.load(true, &OsEntropy).unwrap();
    assert_eq!(origin, KeyOrigin::File(path));
    assert!(same(&made, &found));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no half-made file stays"
    );
}

#[test]
fn two_key_files_differ() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| {
        KeySource::new(None, folder.path().join(name))
            .load(true, &OsEntropy)
            .unwrap()
            .0
    };
    assert!(!same(&load("a.key"), &load("b.key")));
}

#[test]
fn no_key_file_is_made_unless_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::new(None, folder.path().join("k"));
    assert!(matches!(
        source.load(false, &OsEntropy),
        Err(KeySourceError::Missing(_))
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_key_file_that_leads_to_nothing_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let [link, gone] = ["k", "gone"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&gone, &link).unwrap();
    let source = KeySource::new(None, &link);
    let refused = source.load(true, &OsEntropy).unwrap_err();
    assert!(refused.to_string().contains("remove the link"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let (made, _) = KeySource::new(None, &gone).load(true, &OsEntropy).unwrap();
    let (read, _) = source.load(true, &OsEntropy).unwrap();
    assert!(same(&made, &read), "a link to a key is followed");
}

#[test]
fn a_given_key_wins_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let (from_file, _) = KeySource::new(None, &path).load(true, &OsEntropy).unwrap();
    let given = KeySource::new(Some("given".to_owned()), &path);
    let (key, origin) = given.load(true, &OsEntropy).unwrap();
    assert_eq!(origin, KeyOrigin::Given);
    assert!(same(&key, &KeyMaterial::new(b"given".to_vec())));
    assert!(!same(&key, &from_file));
}

#[test]
fn without_a_folder_for_a_key_file_the_variable_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::new(None, folder.path().join("none/k"));
    let refused = source.load(true, &OsEntropy).unwrap_err();
    assert!(
        refused.to_string().contains("DB_ENCRYPTION_KEY"),
        "{refused}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_empty_key_is_refused_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::new(Some(String::new()), folder.path().join("k"));
    assert!(matches!(
        source.load(true, &OsEntropy),
        Err(KeySourceError::Empty)
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let source = KeySource::new(None, &path);
    source.load(true, &OsEntropy).unwrap();
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        match source.load(true, &OsEntropy) {
            Err(KeySourceError::OpenToOthers { mode: found, .. }) => assert_eq!(found, mode),
            other => panic!("{other:?}"),
        }
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    source.load(true, &OsEntropy).unwrap();
}

#[test]
fn the_next_key_takes_the_present_ones_place_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let source = KeySource::new(None, &path);
    let (present, _) = source.load(true, &OsEntropy).unwrap();
    let next = source.prepare_next(&OsEntropy).unwrap();
    assert!(!same(&present, &next));
    // Until it is adopted the present key is found, and an attempt that was cut off goes on.
    assert!(same(&source.load(false, &OsEntropy).unwrap().0, &present));
    assert!(same(&source.prepare_next(&OsEntropy).unwrap(), &next));
    source.adopt_next().unwrap();
    assert!(same(&source.load(false, &OsEntropy).unwrap().0, &next));
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // Again: nothing waits any more.
    source.adopt_next().unwrap();
    assert!(same(&source.load(false, &OsEntropy).unwrap().0, &next));
}

#[test]
fn a_next_key_that_cannot_take_its_place_is_said_and_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let source = KeySource::new(None, &path);
    let next = source.prepare_next(&OsEntropy).unwrap();
    fs::create_dir(&path).unwrap();
    match source.adopt_next() {
        Err(KeySourceError::Io { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{other:?}"),
    }
    assert!(same(&source.prepare_next(&OsEntropy).unwrap(), &next));
    fs::remove_dir(&path).unwrap();
    source.adopt_next().unwrap();
    assert!(same(&source.load(false, &OsEntropy).unwrap().0, &next));
}

#[test]
fn a_key_file_without_a_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let source = KeySource::new(None, &path);
    let (short, enough) = ("7".repeat(31), "7".repeat(32));
    for content in ["", "\n\n", "too short\n", &*short, &*format!("{short}\r\n")] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            source.load(true, &OsEntropy),
            Err(KeySourceError::Malformed(_))
        ));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            content,
            "it is never overwritten"
        );
    }
    // The control: 32 bytes are a key, and the end of the line is none of it.
    for content in [&*enough, &*format!("{enough}\r\n")] {
        fs::write(&path, content).unwrap();
        let (key, _) = source.load(true, &OsEntropy).unwrap();
        assert!(same(&key, &KeyMaterial::new(enough.clone().into_bytes())));
    }
}

#[test]
fn a_key_file_that_is_no_file_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["k", "k.next"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let source = KeySource::new(None, folder.path().join("k"));
    let refused = [
        source.load(true, &OsEntropy).map(drop),
        source.prepare_next(&OsEntropy).map(drop),
    ];
    for refused in refused {
        let words = refused.err().unwrap().to_string();
        assert!(words.contains("it is no regular file"), "{words}");
    }
}
