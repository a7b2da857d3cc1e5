//! What every target must do.

use backup::{BackupId, Kind, Policy, Progress, RestoreError, Target, Wish};

use crate::support::{Changing, NOW, key, make, restored, source};

/// Takes the manifest of a backup away behind the program's back, as a cut would have left it.
pub(crate) type Unfinish<'a> = &'a dyn Fn(&BackupId);

/// Runs the whole suite over an empty target.
pub(crate) async fn conforms(target: &Target, unfinish: Unfinish<'_>) {
    an_empty_target_has_nothing_to_restore(target).await;
    let states = a_chain_gives_every_state_back(target).await;
    another_key_opens_nothing_and_begins_no_second_chain(target).await;
    a_time_before_the_first_backup_is_refused_with_the_oldest(target).await;
    without_its_manifest_a_backup_does_not_count(target, unfinish, &states).await;
    pruning_keeps_what_is_restorable(target, &states).await;
}

/// A state of the file and the time of its backup.
type State = (u64, Vec<u8>);

async fn an_empty_target_has_nothing_to_restore(target: &Target) {
    let found = backup::catalogue(target, &key(1)).await.unwrap();
    assert!(found.backups.is_empty() && found.unfinished.is_empty());
    let error = backup::plan(target, &key(1), None).await.unwrap_err();
    assert!(matches!(error, RestoreError::None { oldest: None, .. }));
}

async fn a_chain_gives_every_state_back(target: &Target) -> Vec<State> {
    let mut file = Changing::new(300);
    let mut states = Vec::new();
    // (changed pages, growth, wish)
    let steps = [
        (0, 0, Wish::Incremental),
        (3, 0, Wish::Incremental),
        (0, 0, Wish::Incremental),
        (2, 40, Wish::Incremental),
        (5, -90, Wish::Incremental),
        (1, 10, Wish::Full),
        (4, 0, Wish::Incremental),
    ];
    for (hour, (pages, growth, wish)) in steps.into_iter().enumerate() {
        file.change(pages, growth);
        let at = NOW + hour as u64 * 3_600;
        let made = make(target, &mut file, at, wish).await.manifest;
        let full = hour == 0 || wish == Wish::Full;
        assert_eq!(made.kind() == Kind::Full, full, "hour {hour}");
        if full {
            assert_eq!(made.stored_pages, made.pages);
        } else {
            let most = pages as u64 + growth.max(0) as u64;
            assert!(made.stored_pages <= most, "{} of {most}", made.stored_pages);
        }
        states.push((at, file.bytes.clone()));
    }
    for (at, bytes) in &states {
        assert!(restored(target, Some(*at)).await.unwrap() == *bytes);
        assert!(restored(target, Some(at + 3_599)).await.unwrap() == *bytes);
    }
    let (_, newest) = states.last().unwrap();
    assert!(restored(target, None).await.unwrap() == *newest);
    states
}

async fn another_key_opens_nothing_and_begins_no_second_chain(target: &Target) {
    let error = backup::plan(target, &key(2), None).await.unwrap_err();
    assert!(error.to_string().contains("BACKUP_KEY"), "{error}");
    let mut file = Changing::new(2);
    let path = file.path();
    let source = source(&path, NOW + 90_000);
    let refused = backup::create(
        target,
        &key(2),
        &source,
        Wish::Incremental,
        &mut file.numbers,
        &Progress::default(),
    )
    .await;
    assert!(refused.unwrap_err().to_string().contains("BACKUP_KEY"));
}

async fn a_time_before_the_first_backup_is_refused_with_the_oldest(target: &Target) {
    let error = restored(target, Some(NOW - 1)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the oldest is of 20270115T080000Z"), "{text}");
}

async fn without_its_manifest_a_backup_does_not_count(
    target: &Target,
    unfinish: Unfinish<'_>,
    states: &[State],
) {
    let mut file = Changing::new(20);
    let at = NOW + 80_000;
    let cut = make(target, &mut file, at, Wish::Full).await.manifest;
    unfinish(&cut.id);
    let found = backup::catalogue(target, &key(1)).await.unwrap();
    assert_eq!(found.unfinished, std::slice::from_ref(&cut.id));
    assert_eq!(found.backups.len(), states.len());
    let (_, newest) = states.last().unwrap();
    assert!(restored(target, Some(at)).await.unwrap() == *newest);
    let cleared = backup::clear_unfinished(target, &key(1)).await.unwrap();
    assert_eq!(cleared, 1);
    let found = backup::catalogue(target, &key(1)).await.unwrap();
    assert!(found.unfinished.is_empty());
    assert_eq!(found.backups.len(), states.len());
}

async fn pruning_keeps_what_is_restorable(target: &Target, states: &[State]) {
    let policy: Policy = "1h".parse().unwrap();
    let (newest, bytes) = states.last().unwrap();
    // The newest of all builds on the full one before it; the first chain goes.
    let pruned = backup::prune(target, &key(1), &policy, newest + 10)
        .await
        .unwrap();
    assert_eq!((pruned.kept, pruned.removed.len()), (2, 5));
    assert!(restored(target, None).await.unwrap() == *bytes);
    let error = restored(target, Some(states[4].0)).await.unwrap_err();
    assert!(matches!(error, RestoreError::None { .. }));
    let again = backup::prune(target, &key(1), &policy, newest + 10)
        .await
        .unwrap();
    assert!(again.removed.is_empty());
}
