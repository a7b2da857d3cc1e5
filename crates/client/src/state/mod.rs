//! What an unlocked account holds, in parts that know nothing of one another.
//!
//! A part has private fields. It is given others as arguments, returns what follows for them, or asks
//! for an [effect](crate::effects); the [core](crate::unlocked) does the rest.

pub(crate) mod boot;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod drafts;
pub(crate) mod inbox;
pub(crate) mod outbox;
pub(crate) mod prekeys;
pub(crate) mod presence;
pub(crate) mod safes;
