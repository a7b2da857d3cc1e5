//! The policy that decides which backups are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use crate::date::utc;
use crate::id::{BackupId, Kind};

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Numbers of backups to keep by age, such as `48h 7d 4w 12m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Hours of which every backup is kept.
    pub hours: u64,
    /// Days of which one backup each is kept.
    pub days: u64,
    /// Weeks of which one backup each is kept.
    pub weeks: u64,
    /// Months of which one backup each is kept.
    pub months: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hours: 48,
            days: 7,
            weeks: 4,
            months: 12,
        }
    }
}

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "backup_keep is {0:?}: write numbers of hours, days, weeks and months, such as \"48h 7d 4w 12m\""
)]
pub struct PolicyError(String);

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let wrong = || PolicyError(text.to_owned());
        let mut policy = Self {
            hours: 0,
            days: 0,
            weeks: 0,
            months: 0,
        };
        let mut said = BTreeSet::new();
        for word in text.split_whitespace() {
            let (number, unit) = word
                .char_indices()
                .last()
                .map(|(at, unit)| (&word[..at], unit))
                .ok_or_else(wrong)?;
            let number: u64 = number.parse().map_err(|_| wrong())?;
            let field = match unit {
                'h' => &mut policy.hours,
                'd' => &mut policy.days,
                'w' => &mut policy.weeks,
                'm' => &mut policy.months,
                _ => return Err(wrong()),
            };
            *field = number;
            if number > 100_000 || !said.insert(unit) {
                return Err(wrong());
            }
        }
        if said.is_empty() {
            return Err(wrong());
        }
        Ok(policy)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}h {}d {}w {}m",
            self.hours, self.days, self.weeks, self.months
        )
    }
}

/// A backup as the policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub id: BackupId,
    /// Its base.
    pub parent: Option<BackupId>,
}

impl Policy {
    /// Returns the names that are kept: those that the policy selects, and all of their bases.
    ///
    /// Of a day, a week or a month it selects the first full backup, because a full one needs no bases; without
    /// a full one, the first. The newest is always kept. A backup from the future counts as one from now, and
    /// the newest one before it is kept as well.
    pub fn keep(&self, known: &[Known], now: u64) -> BTreeSet<BackupId> {
        let mut kept: BTreeSet<BackupId> = known
            .iter()
            .filter(|one| now.saturating_sub(one.id.time()) < self.hours.saturating_mul(HOUR))
            .map(|one| one.id.clone())
            .collect();
        let ids = || known.iter().map(|one| &one.id);
        kept.extend(ids().max().cloned());
        kept.extend(ids().filter(|id| !id.is_of_the_future(now)).max().cloned());
        let month = |time: u64| -> u64 {
            let at = utc(time);
            u64::from(at.year().unsigned_abs() * 12 + u32::from(u8::from(at.month())))
        };
        // 1970 began on a Thursday: weeks begin on Mondays.
        let week = |time: u64| (time / DAY + 3) / 7;
        let rules: [(u64, &dyn Fn(u64) -> u64); 3] = [
            (self.days, &|time| time / DAY),
            (self.weeks, &week),
            (self.months, &month),
        ];
        for (count, period_of) in rules {
            let mut periods: BTreeMap<u64, &BackupId> = BTreeMap::new();
            for one in known {
                let period = period_of(one.id.time().min(now));
                if period + count <= period_of(now) {
                    continue;
                }
                let place = periods.entry(period).or_insert(&one.id);
                let rank = |id: &BackupId| (id.kind() != Kind::Full, id.clone());
                if rank(&one.id) < rank(place) {
                    *place = &one.id;
                }
            }
            kept.extend(periods.into_values().cloned());
        }
        with_bases(known, kept)
    }
}

/// Adds the bases of the backups that are kept.
fn with_bases(known: &[Known], mut kept: BTreeSet<BackupId>) -> BTreeSet<BackupId> {
    let parents: HashMap<&BackupId, &BackupId> = known
        .iter()
        .filter_map(|one| Some((&one.id, one.parent.as_ref()?)))
        .collect();
    let mut open: Vec<BackupId> = kept.iter().cloned().collect();
    while let Some(id) = open.pop() {
        if let Some(parent) = parents.get(&id)
            && kept.insert((*parent).clone())
        {
            open.push((*parent).clone());
        }
    }
    kept
}
