//! Files that only their owner may read and write.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;

use keyring::private_file::close_to_others;

#[test]
fn what_others_may_do_with_a_file_is_taken_away_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "what it holds").unwrap();
    for (mode, were_others, after) in [
        (0o600, false, 0o600),
        (0o400, false, 0o400),
        (0o700, false, 0o700),
        (0o640, true, 0o600),
        (0o620, true, 0o600),
        (0o610, true, 0o600),
        (0o604, true, 0o600),
        (0o602, true, 0o600),
        (0o601, true, 0o600),
        (0o777, true, 0o600),
        (0o044, true, 0o600),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(close_to_others(&path).unwrap(), were_others, "{mode:o}");
        let now = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(now, after, "{mode:o}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "what it holds");
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = close_to_others(&folder.path().join("file")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_a_link_leads_to_and_what_is_no_file_keep_their_modes() {
    let folder = tempfile::tempdir().unwrap();
    let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
    fs::write(&file, "somebody's notes").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let inside = folder.path().join("folder");
    fs::create_dir(&inside).unwrap();
    for path in [&file, &inside, &pipe] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    for path in [&link, &inside, &pipe] {
        let refused = close_to_others(path).unwrap_err();
        assert_eq!(refused.to_string(), "it is no regular file", "{path:?}");
    }
    for path in [&file, &inside, &pipe] {
        let kept = fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(kept, 0o755, "{path:?}");
    }
}
