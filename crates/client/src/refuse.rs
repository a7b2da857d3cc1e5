//! Which clause an error of the protocol belongs to.

use protocol::DecodeError;
use protocol::envelope::EnvelopeError;
use protocol::epoch::EpochError;
use protocol::identity::IdentityError;
use protocol::link::LinkError;
use protocol::prekeys::PrekeyError;
use protocol::safe::SafeError;

use crate::refusal::Refusal;

pub(crate) const fn of_decode(error: &DecodeError) -> Refusal {
    match error {
        DecodeError::UnknownSuite(_) => Refusal::UnknownSuite,
        DecodeError::UnknownVersion(_) => Refusal::UnknownVersion,
        _ => Refusal::Malformed,
    }
}

pub(crate) const fn of_identity(error: &IdentityError) -> Refusal {
    match error {
        IdentityError::Decode(error) => of_decode(error),
        IdentityError::BadSignature => Refusal::BadPrekeys,
        IdentityError::SwappedKey => Refusal::SwappedKey,
    }
}

pub(crate) const fn of_prekeys(error: &PrekeyError) -> Refusal {
    match error {
        PrekeyError::Decode(error) => of_decode(error),
        PrekeyError::Identity(error) => of_identity(error),
        PrekeyError::StaleBatch { .. } => Refusal::StaleBatch,
        PrekeyError::StaleBundle => Refusal::StaleBundle,
        PrekeyError::Expired | PrekeyError::FromTheFuture => Refusal::OutOfTime,
        PrekeyError::WrongIdentity => Refusal::SwappedKey,
        _ => Refusal::BadPrekeys,
    }
}

pub(crate) const fn of_epoch(error: &EpochError) -> Refusal {
    match error {
        EpochError::Decode(error) => of_decode(error),
        EpochError::TooFarAhead | EpochError::TooOld => Refusal::OutOfTime,
        EpochError::UnknownKey | EpochError::DestroyedKey => Refusal::CannotOpen,
        // The key ids are ours but the handshake is not: as with a slot, nobody can tell whether it was
        // changed or made for somebody else.
        EpochError::BadHint => Refusal::MovedSlot,
        EpochError::SwappedKey => Refusal::SwappedKey,
        _ => Refusal::Malformed,
    }
}

pub(crate) const fn of_envelope(error: &EnvelopeError) -> Refusal {
    match error {
        EnvelopeError::Decode(error) => of_decode(error),
        EnvelopeError::Epoch(error) => of_epoch(error),
        EnvelopeError::WrongTarget | EnvelopeError::WrongConversation => Refusal::CrossDelivered,
        EnvelopeError::MovedSlot | EnvelopeError::BadCommitment | EnvelopeError::BadBody => {
            Refusal::MovedSlot
        }
        EnvelopeError::SenderMismatch | EnvelopeError::KindMismatch | EnvelopeError::TooLong => {
            Refusal::Malformed
        }
    }
}

pub(crate) const fn of_safe(error: &SafeError) -> Refusal {
    match error {
        SafeError::Decode(error) => of_decode(error),
        SafeError::BadSeal | SafeError::BadWrap => Refusal::DamagedSafe,
        SafeError::RolledBack { .. } | SafeError::Forked { .. } => Refusal::RolledBackSafe,
    }
}

/// Why a link is refused; nothing where it only ended.
pub(crate) const fn of_link(error: &LinkError) -> Option<Refusal> {
    Some(match error {
        LinkError::Ended => return None,
        LinkError::Decode(error) => match of_decode(error) {
            Refusal::Malformed => Refusal::BrokenLink,
            other => other,
        },
        LinkError::OtherServer | LinkError::BadSignature => Refusal::OtherServer,
        LinkError::OtherTime => Refusal::LinkClock,
        LinkError::OtherSession | LinkError::OtherAccount => Refusal::OtherAccount,
        _ => Refusal::BrokenLink,
    })
}

#[cfg(test)]
mod tests {
    use protocol::DecodeError;
    use protocol::epoch::EpochError;
    use protocol::identity::IdentityError;
    use protocol::prekeys::PrekeyError;

    use super::{LinkError, of_epoch, of_link, of_prekeys};
    use crate::refusal::Refusal;

    #[test]
    fn a_link_that_only_ended_is_not_refused_and_every_other_is() {
        for (error, refusal) in [
            (LinkError::Ended, None),
            (LinkError::OtherServer, Some(Refusal::OtherServer)),
            (LinkError::BadSignature, Some(Refusal::OtherServer)),
            (LinkError::OtherTime, Some(Refusal::LinkClock)),
            (LinkError::OtherSession, Some(Refusal::OtherAccount)),
            (LinkError::OtherAccount, Some(Refusal::OtherAccount)),
            (LinkError::BadSeal, Some(Refusal::BrokenLink)),
            (LinkError::OutOfOrder, Some(Refusal::BrokenLink)),
            (DecodeError::Truncated.into(), Some(Refusal::BrokenLink)),
            (
                DecodeError::UnknownSuite(2).into(),
                Some(Refusal::UnknownSuite),
            ),
        ] {
            assert_eq!(of_link(&error), refusal, "{error:?}");
        }
    }

    #[test]
    fn what_is_wrong_inside_is_called_what_it_is() {
        for (error, refusal) in [
            (
                PrekeyError::Decode(DecodeError::UnknownSuite(2)),
                Refusal::UnknownSuite,
            ),
            (
                PrekeyError::Identity(IdentityError::SwappedKey),
                Refusal::SwappedKey,
            ),
            (PrekeyError::Expired, Refusal::OutOfTime),
            (PrekeyError::FromTheFuture, Refusal::OutOfTime),
            (PrekeyError::BadSignature, Refusal::BadPrekeys),
        ] {
            assert_eq!(of_prekeys(&error), refusal, "{error:?}");
        }
        for (error, refusal) in [
            (
                EpochError::Decode(DecodeError::UnknownVersion(2)),
                Refusal::UnknownVersion,
            ),
            (EpochError::TooFarAhead, Refusal::OutOfTime),
            (EpochError::TooOld, Refusal::OutOfTime),
            (EpochError::SwappedKey, Refusal::SwappedKey),
            (EpochError::CounterTooHigh, Refusal::Malformed),
        ] {
            assert_eq!(of_epoch(&error), refusal, "{error:?}");
        }
    }
}
