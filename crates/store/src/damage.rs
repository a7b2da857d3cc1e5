//! Damaged rows: each is logged once with its cause, and the other rows are served.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::fault::Fault;

/// The most rows that are remembered as damaged.
const MOST: usize = 1_024;

/// A row that does not open or whose tag is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// Table of the row.
    pub table: &'static str,
    /// Row id, in hexadecimal or decimal.
    pub row: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Damage {
    /// Extracts the damage from a fault; returns a fault of another kind.
    pub fn of(fault: Fault) -> Result<Self, Fault> {
        match fault {
            Fault::Damaged { table, row, reason } => Ok(Self { table, row, reason }),
            other => Err(other),
        }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "row {} of table {}: {}",
            self.row, self.table, self.reason
        )
    }
}

/// A row of a list, or what is wrong with it.
pub type Listed<T> = Result<T, Damage>;

/// Keeps a damaged row as an item of the list; any other fault ends the list.
pub(crate) fn listed<T>(opened: Result<T, Fault>) -> Result<Listed<T>, Fault> {
    match opened {
        Ok(row) => Ok(Ok(row)),
        Err(fault) => Damage::of(fault).map(Err),
    }
}

/// The damaged rows found since the start.
#[derive(Default)]
pub(crate) struct Damages {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    met: BTreeSet<(&'static str, String)>,
    /// Found and not yet taken by [`Damages::take`].
    new: Vec<Damage>,
}

impl Damages {
    /// Logs a damaged row the first time; passes the result through.
    pub(crate) fn noted<T>(&self, opened: Result<T, Fault>) -> Result<T, Fault> {
        if let Err(Fault::Damaged { table, row, reason }) = &opened {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.met.len() < MOST && state.met.insert((*table, row.clone())) {
                tracing::error!(
                    table,
                    row,
                    reason,
                    "a damaged row: restore it from a backup"
                );
                state.new.push(Damage {
                    table,
                    row: row.clone(),
                    reason: reason.clone(),
                });
            }
        }
        opened
    }

    /// Returns the rows found since the last call.
    pub(crate) fn take(&self) -> Vec<Damage> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_row_is_told_once() {
        let damages = Damages::default();
        let open = |row: u64| Err::<(), _>(Fault::damaged("users", row, "cut short"));
        for row in [1, 2, 1, 1] {
            assert!(damages.noted(open(row)).is_err());
        }
        assert!(damages.noted(Ok(())).is_ok());
        assert!(damages.noted(Err::<(), _>(Fault::Full)).is_err());
        let rows: Vec<String> = damages.take().into_iter().map(|it| it.row).collect();
        assert_eq!(rows, ["1", "2"]);
        assert!(damages.noted(open(1)).is_err());
        assert_eq!(damages.take(), []);
    }

    #[test]
    fn a_list_goes_on_after_damage_and_ends_with_an_outage() {
        let damaged = listed(Err::<(), _>(Fault::damaged("users", 1, "cut short")));
        assert!(matches!(damaged, Ok(Err(Damage { table: "users", .. }))));
        assert!(matches!(listed(Ok(())), Ok(Ok(()))));
        let outage = listed(Err::<(), _>(Fault::Keys("the token is gone".to_owned())));
        assert!(matches!(outage, Err(Fault::Keys(_))));
    }
}
