//! Which backups are kept.

use std::collections::BTreeSet;

use backup::{BackupId, Kind, Known, Policy};
use proptest::prelude::*;

use crate::support::{NOW, Numbers};

/// Hourly backups for so many days, a full one first on each.
fn hourly(days: u64) -> Vec<Known> {
    let mut numbers = Numbers::from(1);
    let mut known: Vec<Known> = Vec::new();
    for hour in 0..days * 24 {
        let kind = if hour % 24 == 0 {
            Kind::Full
        } else {
            Kind::Incremental
        };
        let id = BackupId::new(NOW + hour * 3_600, kind, &mut numbers);
        let parent = (kind == Kind::Incremental).then(|| known[known.len() - 1].id.clone());
        known.push(Known { id, parent });
    }
    known
}

#[test]
fn the_policy_of_an_ordinary_year_keeps_days_weeks_and_months() {
    let known = hourly(365);
    let now = known[known.len() - 1].id.time() + 60;
    let kept = Policy::default().keep(&known, now);
    let fulls = kept.iter().filter(|id| id.kind() == Kind::Full).count();
    let hours = kept.len() - fulls;
    // Two days and the rest of a third in hours; a full one for each of the days, weeks and months.
    assert!((46..=72).contains(&hours), "{hours} hourly ones");
    assert!((18..=24).contains(&fulls), "{fulls} full ones");
    let oldest = kept.first().unwrap().time();
    assert!(now - oldest > 330 * 86_400);
}

#[test]
fn a_policy_reads_as_it_is_written_and_anything_else_is_refused() {
    let policy = Policy::default();
    assert_eq!(policy.to_string().parse::<Policy>().unwrap(), policy);
    assert_eq!("2d".parse::<Policy>().unwrap().days, 2);
    for wrong in [
        "",
        "7",
        "7x",
        "d",
        "-1d",
        "1d 2d",
        "7 d",
        "999999999d",
        "7д",
    ] {
        let error = wrong.parse::<Policy>().unwrap_err().to_string();
        assert!(error.contains("48h 7d 4w 12m"), "{error}");
    }
}

fn any_known() -> impl Strategy<Value = Vec<Known>> {
    prop::collection::vec(
        (
            0_u64..400 * 86_400,
            any::<bool>(),
            any::<prop::sample::Index>(),
        ),
        1..60,
    )
    .prop_map(|rows| {
        let mut rows = rows;
        rows.sort_by_key(|(time, ..)| *time);
        let mut numbers = Numbers::from(3);
        let mut known: Vec<Known> = Vec::new();
        for (time, full, parent) in rows {
            let full = full || known.is_empty();
            let kind = if full { Kind::Full } else { Kind::Incremental };
            let id = BackupId::new(NOW + time, kind, &mut numbers);
            // On any earlier one: two writers may build on the same.
            let parent = (!full).then(|| known[parent.index(known.len())].id.clone());
            known.push(Known { id, parent });
        }
        known
    })
}

proptest! {
    #[test]
    fn no_base_of_a_kept_backup_is_ever_removed(
        known in any_known(), hours in 0_u64..60, days in 0_u64..9, weeks in 0_u64..5, months in 0_u64..13,
        later in 0_u64..100 * 86_400,
    ) {
        let policy = Policy { hours, days, weeks, months };
        let now = NOW + 300 * 86_400 + later;
        let kept = policy.keep(&known, now);
        let names: BTreeSet<_> = known.iter().map(|one| one.id.clone()).collect();
        prop_assert!(kept.is_subset(&names));
        for one in known.iter().filter(|one| kept.contains(&one.id)) {
            if let Some(parent) = &one.parent {
                prop_assert!(kept.contains(parent), "{} needs {parent}", one.id);
            }
        }
        let newest = names.last().unwrap();
        prop_assert!(kept.contains(newest));
        // What is kept stays kept when the same policy is asked again.
        let left: Vec<Known> = known.iter().filter(|one| kept.contains(&one.id)).cloned().collect();
        prop_assert_eq!(policy.keep(&left, now), kept);
    }
}
