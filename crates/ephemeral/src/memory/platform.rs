//! The locks and tables that the vault is built on, replaceable so that tests can explore it.

use std::collections::hash_map::RandomState;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

/// What becomes of an entry after it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It stays.
    Keep,
    /// It leaves the table, and is handed to the caller to be dropped outside the lock.
    Remove,
}

/// A family of locks.
pub trait Platform: 'static {
    /// A mutual exclusion lock.
    type Lock<T: Send + 'static>: Lock<T> + 'static;
    /// A table with a lock for each entry, or for a few of them together.
    type Table<K: Key, V: Send + Sync + 'static>: Table<K, V>;
}

/// What a key of a table needs.
pub trait Key: Copy + Eq + Hash + Ord + Send + Sync + 'static {}
impl<K: Copy + Eq + Hash + Ord + Send + Sync + 'static> Key for K {}

/// A mutual exclusion lock.
pub trait Lock<T>: Send + Sync {
    /// Makes a lock around a value.
    fn new(value: T) -> Self;
    /// Runs `f` alone.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R;
}

/// A table whose entries are locked while they are looked at.
pub trait Table<K, V>: Send + Sync {
    /// Makes an empty table.
    fn new() -> Self;
    /// Inserts a value under its lock unless the key is present (`Err(None)`) or `admit` refuses.
    fn insert<E>(
        &self,
        key: K,
        value: V,
        admit: impl FnOnce(&mut V) -> Result<(), E>,
    ) -> Result<(), Option<E>>;
    /// Changes an entry under its lock, making it first when there is none.
    fn upsert(&self, key: K, make: impl FnOnce() -> V, f: impl FnOnce(&mut V));
    /// Changes an entry under its lock, and may remove it; leaves nothing for an absent key.
    fn update<R>(&self, key: &K, f: impl FnOnce(&mut V) -> (R, After)) -> Option<(R, Option<V>)>;
    /// Reads an entry under its lock.
    fn read<R>(&self, key: &K, f: impl FnOnce(&V) -> R) -> Option<R>;
    /// Lists the keys of a moment.
    fn keys(&self) -> Vec<K>;
    /// Gives spare room back.
    fn shrink(&self);
}

/// The standard library's mutex and DashMap.
#[derive(Debug, Clone, Copy)]
pub struct Native;

impl Platform for Native {
    type Lock<T: Send + 'static> = Mutex<T>;
    type Table<K: Key, V: Send + Sync + 'static> = DashMap<K, V>;
}

impl<T: Send> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Mutex::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<K: Key, V: Send + Sync + 'static> Table<K, V> for DashMap<K, V> {
    fn new() -> Self {
        // RandomState: keys come from clients and must not be steerable into one bucket.
        DashMap::with_hasher(RandomState::new())
    }

    fn insert<E>(
        &self,
        key: K,
        mut value: V,
        admit: impl FnOnce(&mut V) -> Result<(), E>,
    ) -> Result<(), Option<E>> {
        match self.entry(key) {
            Entry::Occupied(_) => Err(None),
            Entry::Vacant(vacant) => {
                admit(&mut value).map_err(Some)?;
                vacant.insert(value);
                Ok(())
            }
        }
    }

    fn upsert(&self, key: K, make: impl FnOnce() -> V, f: impl FnOnce(&mut V)) {
        f(&mut self.entry(key).or_insert_with(make));
    }

    fn update<R>(&self, key: &K, f: impl FnOnce(&mut V) -> (R, After)) -> Option<(R, Option<V>)> {
        let mut result = None;
        let removed = self.remove_if_mut(key, |_, value| {
            let (outcome, after) = f(value);
            result = Some(outcome);
            after == After::Remove
        });
        result.map(|outcome| (outcome, removed.map(|(_, value)| value)))
    }

    fn read<R>(&self, key: &K, f: impl FnOnce(&V) -> R) -> Option<R> {
        self.view(key, |_, value| f(value))
    }

    fn keys(&self) -> Vec<K> {
        self.iter().map(|entry| *entry.key()).collect()
    }

    fn shrink(&self) {
        self.shrink_to_fit();
    }
}
