//! Tags over what stands in the clear and decides, so that a change in the file is damage.

use std::sync::Arc;

use keyring::TagKey;

use crate::damage::Damages;
use crate::engine::place::Place;
use crate::fault::Fault;

/// A tag as it stands in a row.
pub(crate) type Tag = [u8; keyring::TAG_LEN];

/// Makes and checks tags; shared by readers and the writer.
pub(crate) struct Tags {
    key: TagKey,
    /// What was found damaged since the start.
    pub damages: Arc<Damages>,
}

/// What a tag is over: a kind of row and its deciding values.
pub(crate) trait Tagged {
    /// The table; also the domain of the tag.
    const TABLE: &'static str;
    /// Hands the values on in a fixed order.
    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T;
}

impl Tags {
    pub(crate) fn new(key: TagKey) -> Self {
        Self {
            key,
            damages: Arc::default(),
        }
    }

    /// The key, to be kept sealed.
    pub(crate) fn key(&self) -> &TagKey {
        &self.key
    }

    /// The tag of a row.
    pub(crate) fn of<R: Tagged>(&self, row: &R) -> Tag {
        row.with_values(|values| self.key.tag(R::TABLE, values))
    }

    /// Whether a row's tag is its own.
    pub(crate) fn fits<R: Tagged>(&self, row: &R, tag: Option<&[u8]>) -> bool {
        tag.is_some_and(|tag| row.with_values(|values| self.key.fits(R::TABLE, values, tag)))
    }

    /// Damage where a row's tag is not its own.
    pub(crate) fn check<R: Tagged>(
        &self,
        place: Place<'_>,
        row: &R,
        tag: Option<&[u8]>,
    ) -> Result<(), Fault> {
        self.damages.noted(if self.fits(row, tag) {
            Ok(())
        } else {
            Err(place.damaged("it was changed by somebody else than this program"))
        })
    }
}
