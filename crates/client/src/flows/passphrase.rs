//! A typed passphrase, in the forms in which it may have been registered.

use protocol::passphrase;

use crate::secret_text::SecretText;

/// What is proven: first the prepared form, then the text as it was typed, where that is another one.
///
/// New passphrases are registered in the prepared form alone; accounts that were made from the text as
/// it stood open at the second try, which the server counts as any other.
pub(super) struct Typed {
    form: SecretText,
    raw: Option<SecretText>,
}

impl Typed {
    pub(super) fn new(typed: SecretText) -> Self {
        let form = prepared(&typed);
        let raw = (form != typed).then_some(typed);
        Self { form, raw }
    }

    /// The form that is tried now.
    pub(super) fn bytes(&self) -> &[u8] {
        self.form.expose().as_bytes()
    }

    /// Goes on to the next form; `false` when there is none.
    pub(super) fn advance(&mut self) -> bool {
        match self.raw.take() {
            Some(raw) => {
                self.form = raw;
                true
            }
            None => false,
        }
    }
}

/// The form in which a passphrase is registered.
pub(super) fn prepared(typed: &SecretText) -> SecretText {
    SecretText::new(std::mem::take(&mut *passphrase::prepare(typed.expose())))
}
