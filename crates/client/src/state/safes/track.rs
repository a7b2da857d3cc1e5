//! Which changes of a safe are in memory, on their way, and stored at the server.

use protocol::safe::SafeMark;

/// The state of one safe's writes.
#[derive(Debug)]
pub(crate) struct Track {
    mark: SafeMark,
    /// The number of the newest change in memory.
    wanted: u64,
    /// The number of the newest change that the server has.
    stored: u64,
    /// Number and mark of the write on its way.
    writing: Option<(u64, SafeMark)>,
}

impl Track {
    pub(crate) const fn new(mark: SafeMark) -> Self {
        Self {
            mark,
            wanted: 0,
            stored: 0,
            writing: None,
        }
    }

    pub(super) const fn touch(&mut self) {
        self.wanted += 1;
    }

    pub(super) const fn wanted(&self) -> u64 {
        self.wanted
    }

    pub(super) const fn stored(&self) -> u64 {
        self.stored
    }

    pub(super) const fn mark(&self) -> SafeMark {
        self.mark
    }

    /// Whether a write is due.
    pub(super) const fn due(&self) -> bool {
        self.wanted > self.stored && self.writing.is_none()
    }

    pub(super) const fn begin(&mut self, mark: SafeMark) {
        self.writing = Some((self.wanted, mark));
    }

    /// The server took it.
    pub(crate) const fn finish(&mut self) {
        if let Some((change, mark)) = self.writing.take() {
            self.stored = change;
            // A read may have shown what another session wrote on top of it.
            if mark.version > self.mark.version {
                self.mark = mark;
            }
        }
    }

    /// The write did not happen.
    pub(crate) const fn give_up(&mut self) {
        self.writing = None;
    }

    /// Whether a write is on its way.
    pub(super) const fn writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Written under another key; changes since then are still due.
    pub(super) const fn rekeyed(&mut self, mark: SafeMark) {
        self.mark = mark;
        self.writing = None;
    }

    /// Another session's version was read and joined into ours.
    pub(super) const fn joined(&mut self, mark: SafeMark) {
        self.mark = mark;
    }
}
