//! Finding a token, and sessions that its user is logged in to.

use cryptoki::context::Pkcs11;
use cryptoki::error::RvError;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;

use crate::pkcs11::error::{Pkcs11Error, code, unreachable};
use crate::pkcs11::pin::{Pin, TokenSelector};
use crate::provider::ProviderError;

/// The slot of that token.
pub(super) fn find(functions: &Pkcs11, token: &TokenSelector) -> Result<Slot, ProviderError> {
    let slots = functions
        .get_slots_with_token()
        .map_err(|error| unreachable(token, &error))?;
    let mut labels = Vec::new();
    let mut matching = Vec::new();
    for slot in slots {
        // A token that goes away meanwhile is not there.
        let Ok(info) = functions.get_token_info(slot) else {
            continue;
        };
        if !info.token_initialized() {
            continue;
        }
        labels.push(format!("{:?} in slot:{}", info.label(), slot.id()));
        let matches = match token {
            TokenSelector::Label(label) => info.label() == label,
            TokenSelector::Slot(id) => slot.id() == *id,
        };
        if matches {
            matching.push(slot);
        }
    }
    match matching[..] {
        [slot] => Ok(slot),
        [] => Err(Pkcs11Error::TokenNotFound {
            token: token.clone(),
            found: if labels.is_empty() {
                "none".to_owned()
            } else {
                labels.join(", ")
            },
        }
        .into()),
        _ => Err(Pkcs11Error::TokenAmbiguous(token.clone()).into()),
    }
}

/// A new session with the user logged in.
pub(super) fn open(
    functions: &Pkcs11,
    token: &TokenSelector,
    pin: &Pin,
) -> Result<Session, ProviderError> {
    let slot = find(functions, token)?;
    let info = functions
        .get_token_info(slot)
        .map_err(|error| unreachable(token, &error))?;
    if info.user_pin_locked() {
        return Err(Pkcs11Error::PinLocked(token.clone()).into());
    }
    let session = functions
        .open_ro_session_no_drop(slot)
        .map_err(|error| unreachable(token, &error))?;
    match session.login(UserType::User, Some(pin.expose())) {
        Ok(()) => Ok(session),
        // The user is logged in for all sessions of the process at once.
        Err(error) if code(&error) == Some(RvError::UserAlreadyLoggedIn) => Ok(session),
        Err(error) => {
            close(session);
            let refused = code(&error).and_then(|code| refusal(code, token));
            Err(refused.map_or_else(|| unreachable(token, &error), ProviderError::from))
        }
    }
}

/// What the operator has to put right of a login that failed; `None` for what may pass by itself.
fn refusal(code: RvError, token: &TokenSelector) -> Option<Pkcs11Error> {
    use RvError::{
        PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked, UserPinNotInitialized,
    };
    let token = token.clone();
    match code {
        PinIncorrect | PinInvalid | PinLenRange => Some(Pkcs11Error::PinWrong(token)),
        PinLocked => Some(Pkcs11Error::PinLocked(token)),
        UserPinNotInitialized | PinExpired => Some(Pkcs11Error::PinUnset(token)),
        _ => None,
    }
}

/// Ends a session of the module's present epoch.
pub(super) fn close(session: Session) {
    // One that was lost has ended already.
    let _ = session.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_says_what_has_to_be_done_about_the_pin() {
        let token = TokenSelector::Slot(7);
        let wrong = Some(Pkcs11Error::PinWrong(token.clone()));
        let locked = Some(Pkcs11Error::PinLocked(token.clone()));
        let unset = Some(Pkcs11Error::PinUnset(token.clone()));
        for (code, refused) in [
            (RvError::PinIncorrect, &wrong),
            (RvError::PinInvalid, &wrong),
            (RvError::PinLenRange, &wrong),
            (RvError::PinLocked, &locked),
            (RvError::UserPinNotInitialized, &unset),
            (RvError::PinExpired, &unset),
            (RvError::DeviceRemoved, &None),
            (RvError::GeneralError, &None),
        ] {
            assert_eq!(&refusal(code, &token), refused, "{code:?}");
        }
    }
}
