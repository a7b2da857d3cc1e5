//! The suite over a folder, and what somebody who can write there may try.

use std::path::{Path, PathBuf};

use backup::{OpenError, Progress, RestoreError, S3Options, Target, Wish};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::conformance::conforms;
use crate::support::{Changing, NOW, Numbers, key, make, restored, source};

fn open(folder: &Path) -> Target {
    let address = format!("file:{}", folder.display());
    Target::open(&address, &S3Options::default()).unwrap()
}

#[tokio::test]
async fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("made/on/the/way");
    let target = open(&place);
    conforms(&target, &|id| {
        std::fs::remove_file(place.join(id.as_str()).join("manifest")).unwrap();
    })
    .await;
}

#[test]
fn an_address_of_no_known_kind_is_refused_with_what_to_write() {
    for address in ["", "/tmp/x", "file:relative", "ftp://x/y", "s3://"] {
        let error = Target::open(address, &S3Options::default()).unwrap_err();
        assert!(error.to_string().contains("file:/absolute/path"), "{error}");
    }
}

/// Two backups, the second incremental, and the paths of their folders.
async fn two() -> (tempfile::TempDir, Target, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = open(folder.path());
    let mut file = Changing::new(64);
    let first = make(&target, &mut file, NOW, Wish::Full).await.manifest;
    file.change(4, 0);
    let second = make(&target, &mut file, NOW + 60, Wish::Incremental).await;
    let first = folder.path().join(first.id.as_str());
    let second = folder.path().join(second.manifest.id.as_str());
    (folder, target, first, second)
}

async fn refusal(target: &Target) -> String {
    restored(target, None).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_found_on_restoring() {
    let (_folder, target, first, second) = two().await;
    assert!(restored(&target, None).await.is_ok());
    for part in [
        first.join("pages"),
        second.join("pages"),
        second.join("hashes"),
        first.join("manifest"),
        second.join("manifest"),
    ] {
        let sound = std::fs::read(&part).unwrap();
        for at in (0..sound.len()).step_by(sound.len() / 23 + 1) {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&part, &bytes).unwrap();
            let error = refusal(&target).await;
            assert!(!error.is_empty(), "{} at {at}", part.display());
        }
        std::fs::write(&part, &sound).unwrap();
    }
    assert!(restored(&target, None).await.is_ok());
}

#[tokio::test]
async fn objects_that_change_places_are_refused_by_name() {
    let (_folder, target, first, second) = two().await;
    let sound = std::fs::read(first.join("pages")).unwrap();
    std::fs::copy(second.join("pages"), first.join("pages")).unwrap();
    let error = refusal(&target).await;
    assert!(error.contains("was put in the place of"), "{error}");
    std::fs::write(first.join("pages"), &sound).unwrap();
    std::fs::copy(second.join("hashes"), second.join("pages")).unwrap();
    let error = refusal(&target).await;
    assert!(error.contains("was put in the place of"), "{error}");
}

#[tokio::test]
async fn a_base_that_was_exchanged_for_another_backup_of_its_name_does_not_fit() {
    let (_folder, target, first, second) = two().await;
    // Another full backup, honestly sealed for the same name, but of another state: its salt is
    // another, and so is what its manifest says.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut file = Changing::new(64);
    file.change(30, 0);
    let other = open(elsewhere.path());
    make(&other, &mut file, NOW, Wish::Full).await;
    let found = backup::catalogue(&other, &key(1)).await.unwrap();
    let folder = elsewhere.path().join(found.backups[0].id.as_str());
    for part in ["pages", "hashes", "manifest"] {
        std::fs::copy(folder.join(part), first.join(part)).unwrap();
    }
    let error = refusal(&target).await;
    assert!(
        error.contains("was put in the place of") || error.contains("builds on"),
        "{error}"
    );
    std::fs::remove_dir_all(&first).unwrap();
    let error = refusal(&target).await;
    assert!(error.contains("builds on"), "{error}");
    assert!(second.exists());
}

#[tokio::test]
async fn a_key_file_goes_along_only_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let target = open(folder.path());
    let mut file = Changing::new(4);
    let path = file.path();
    let secret = Zeroizing::new(b"the database's key, 5f1e9a".to_vec());
    for (at, key_file) in [(NOW, None), (NOW + 1, Some(&secret))] {
        let source = backup::Source {
            key_file,
            ..source(&path, at)
        };
        let progress = Progress::default();
        let made = backup::create(
            &target,
            &key(1),
            &source,
            Wish::Full,
            &mut file.numbers,
            &progress,
        )
        .await
        .unwrap();
        assert_eq!(made.manifest.key_inside, key_file.is_some());
        let plan = backup::plan(&target, &key(1), Some(at)).await.unwrap();
        let read = backup::key_file(&target, &key(1), &plan).await.unwrap();
        assert_eq!(read.as_ref(), key_file);
    }
}

#[tokio::test]
async fn nothing_of_the_file_or_of_the_manifest_lies_there_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let target = open(folder.path());
    let mut file = Changing::new(4);
    let marker = b"a marker that nobody may see";
    file.bytes[5_000..5_000 + marker.len()].copy_from_slice(marker);
    file.change(0, 0);
    let made = make(&target, &mut file, NOW, Wish::Full).await.manifest;
    let seen = |needle: &[u8]| {
        std::fs::read_dir(folder.path().join(made.id.as_str()))
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .filter(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
            .count()
    };
    // The control: what does stand there in the clear is found.
    assert_eq!(seen(b"SMBK"), 3);
    assert_eq!(seen(marker), 0);
    assert_eq!(seen(b"users"), 0);
    let hash = made.content;
    assert_eq!(seen(&hash), 0);
}

#[tokio::test]
async fn backups_stay_in_their_order_when_the_clock_stands_or_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let target = open(folder.path());
    let mut file = Changing::new(8);
    let mut times = Vec::new();
    for at in [NOW, NOW, NOW - 500, NOW + 60] {
        file.change(1, 0);
        let made = make(&target, &mut file, at, Wish::Incremental).await;
        times.push(made.manifest.created_at);
        assert!(restored(&target, None).await.unwrap() == file.bytes);
    }
    assert_eq!(times, [NOW, NOW + 1, NOW + 2, NOW + 60]);
}

#[tokio::test]
async fn restoring_never_writes_over_a_file_that_is_there() {
    let (folder, target, _first, _second) = two().await;
    let taken = folder.path().join("taken");
    std::fs::write(&taken, b"mine").unwrap();
    let plan = backup::plan(&target, &key(1), None).await.unwrap();
    let refused = backup::assemble(&target, &key(1), &plan, &taken, &Progress::default()).await;
    assert!(matches!(refused, Err(RestoreError::File(_))));
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
}

#[tokio::test]
async fn a_damaged_backup_is_listed_with_its_error_and_hides_no_other() {
    let (_folder, target, _first, second) = two().await;
    std::fs::write(
        second.join("manifest"),
        b"SMBK\x07 something of a later time, quite long, so that it holds a head, and more",
    )
    .unwrap();
    let found = backup::catalogue(&target, &key(1)).await.unwrap();
    assert_eq!(found.backups.len(), 2);
    assert_eq!(found.manifests().count(), 1);
    let error = found.backups[1].manifest.as_ref().unwrap_err().to_string();
    assert!(
        error.contains(&OpenError::UnknownVersion(7).to_string()),
        "{error}"
    );
    assert!(restored(&target, Some(NOW)).await.is_ok());
}

#[tokio::test]
async fn a_clock_that_was_ahead_dates_no_later_backup_and_keeps_pruning() {
    let folder = tempfile::tempdir().unwrap();
    let target = open(folder.path());
    let mut file = Changing::new(8);
    make(&target, &mut file, NOW, Wish::Full).await;
    let ahead = NOW + 900 * 86_400;
    let ahead = make(&target, &mut file, ahead, Wish::Full).await.manifest;
    let mut made = Vec::new();
    for hour in 1..200 {
        let at = NOW + hour * 3_600;
        let wish = match hour % 24 {
            0 => Wish::Full,
            _ => Wish::Incremental,
        };
        made.push(make(&target, &mut file, at, wish).await.manifest);
        assert_eq!(made[made.len() - 1].created_at, at);
    }
    assert!(
        made.iter()
            .all(|it| it.parent.as_ref().is_none_or(|it| it.id != ahead.id))
    );
    let policy = "2h".parse().unwrap();
    let now = NOW + 199 * 3_600 + 60;
    let pruned = backup::prune(&target, &key(1), &policy, now).await.unwrap();
    assert_eq!(pruned.of_the_future, std::slice::from_ref(&ahead.id));
    // The two of the last hours, what they build on since the last full one, and that of the future.
    assert_eq!(pruned.kept, 9, "{:?}", pruned.removed);
    let policy = "0h".parse().unwrap();
    let again = backup::prune(&target, &key(1), &policy, now).await.unwrap();
    assert_eq!(again.kept, 9, "the newest that is not of the future");
    // Two in one second, and a clock that went back a little: still in the order of their making.
    let newest = NOW + 199 * 3_600;
    for later in 1..3 {
        let made = make(&target, &mut file, newest - 600, Wish::Full).await;
        assert_eq!(made.manifest.created_at, newest + later);
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused_by_its_name_and_hides_no_other_backup() {
    let (_folder, target, first, second) = two().await;
    let manifest = second.join("manifest");
    let sound = std::fs::read(&manifest).unwrap();
    let put_pipe = |path: &Path| {
        std::fs::remove_file(path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    };
    put_pipe(&manifest);
    let name = format!("{}/manifest", second.file_name().unwrap().display());
    let error = refusal(&target).await;
    assert!(error.contains(&name), "{error}");
    assert!(error.contains("no regular file"), "{error}");
    let found = backup::catalogue(&target, &key(1)).await.unwrap();
    assert_eq!(found.manifests().count(), 1);
    assert_eq!(found.backups.len(), 2);
    let mut file = Changing::new(64);
    let third = make(&target, &mut file, NOW + 120, Wish::Incremental).await;
    let parent = third.manifest.parent.unwrap();
    assert_eq!(
        Some(parent.id.as_str()),
        first.file_name().unwrap().to_str()
    );
    // A link may lead anywhere.
    std::fs::remove_file(&manifest).unwrap();
    let elsewhere = first.join("elsewhere");
    std::fs::write(&elsewhere, sound).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &manifest).unwrap();
    let error = restored(&target, Some(NOW + 60)).await.unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    put_pipe(&first.join("pages"));
    let error = restored(&target, Some(NOW)).await.unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
}

/// Puts something where objects of a backup go, as soon as its folder is there.
struct Hindering<'a>(Numbers, &'a Path);

impl TryRng for Hindering<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for entry in std::fs::read_dir(self.1).unwrap() {
            let place = entry.unwrap().path().join("hashes/in the way");
            std::fs::create_dir_all(place).unwrap();
        }
        self.0.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Hindering<'_> {}

#[tokio::test]
async fn a_backup_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let target = open(folder.path());
    let file = Changing::new(8);
    let path = file.path();
    let source = source(&path, NOW);
    let (wish, progress) = (Wish::Full, Progress::default());
    let mut numbers = Hindering(Numbers::from(5), folder.path());
    let made = backup::create(&target, &key(1), &source, wish, &mut numbers, &progress).await;
    assert!(made.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
