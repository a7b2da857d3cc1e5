//! A database on a disk whose power may go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::testing::{Disk, Loss, Synchronous};
use store::{Store, StoreConfig};

use super::Folder;

/// A store on a modelled disk, over a copy of a database that was closed in the ordinary way.
pub(crate) struct Powered {
    pub store: Store,
    pub disk: Arc<Disk>,
    // The files lie in it until the store is closed.
    _folder: Folder,
}

impl Powered {
    /// Checkpoints after so many KiB are frequent, so that cuts fall into them too.
    pub(crate) fn open(original: &Folder, synchronous: Synchronous, checkpoint_kib: usize) -> Self {
        let folder = Folder::new();
        std::fs::copy(original.database(), folder.database()).unwrap();
        let disk = Arc::new(Disk::default());
        let config = folder
            .config()
            .with_checkpoints_every(checkpoint_kib)
            .with_synchronous(synchronous);
        Self {
            store: Store::open(&on_disk(config, &disk)).unwrap(),
            disk,
            _folder: folder,
        }
    }

    /// What the machine finds when it starts again. Of what was not synced every second seed loses
    /// all, the others some.
    pub(crate) fn after(self, seed: u64) -> Folder {
        let after = Folder::new();
        let loss = if seed.is_multiple_of(2) {
            Loss::All
        } else {
            Loss::Some(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        };
        self.disk.restore(after.0.path(), loss).unwrap();
        self.store.close().unwrap();
        after
    }
}

/// Opens and closes what is in a folder on a disk whose power goes after so many operations; answers
/// with how many there were.
pub(crate) fn opened_and_closed(folder: &Folder, operations: u64) -> (Arc<Disk>, u64) {
    let disk = Arc::new(Disk::default());
    disk.cut_after(operations);
    let store = Store::open(&on_disk(folder.config(), &disk)).unwrap();
    store.close().unwrap();
    let operations = disk.operations();
    (disk, operations)
}

/// Waits until somebody was answered again, or the power is cut: others are served between two steps
/// of a job, however fast the machine is.
pub(crate) async fn others_go_on(answered: &AtomicU64, disk: &Disk) {
    let before = answered.load(Ordering::SeqCst);
    while answered.load(Ordering::SeqCst) == before && !disk.is_cut() {
        tokio::task::yield_now().await;
    }
}

/// Puts a database on a modelled disk, under a name that no other in this process has.
pub(crate) fn on_disk(config: StoreConfig, disk: &Arc<Disk>) -> StoreConfig {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("disk-{}", NUMBER.fetch_add(1, Ordering::SeqCst));
    config.on_disk(&name, disk).unwrap()
}
