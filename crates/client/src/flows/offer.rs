//! Offering a passphrase of random words. How strong one's own is, the crate `strength` says.

use protocol::passphrase;

use crate::core::Core;
use crate::event::Event;
use crate::secret_text::SecretText;

impl Core {
    /// Six random words.
    pub(crate) fn offer_passphrase(&mut self) {
        let words = passphrase::generate(&mut self.io.rng);
        self.io.event(Event::PassphraseOffered {
            passphrase: SecretText::new(words.as_str().to_owned()),
            bits: passphrase::BITS,
        });
    }
}
