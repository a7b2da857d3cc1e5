//! What of a safe has changed, is on its way and is stored.

use protocol::safe::SafeMark;

/// One safe's way to the server.
#[derive(Debug)]
pub(crate) struct Track {
    mark: SafeMark,
    /// Counts changes in memory.
    wanted: u64,
    /// The change that the server has.
    stored: u64,
    /// The change and the mark that is being written.
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
