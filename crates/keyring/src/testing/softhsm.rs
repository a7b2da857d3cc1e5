//! SoftHSM, a PKCS#11 token in software, with a token of its own for each test.
//!
//! SoftHSM reads where its tokens are once for each process. So a test that needs one starts
//! itself again, alone, in a process that is told a folder of its own: tests cannot meet each
//! other's tokens, and one that deletes its token or ends all sessions disturbs none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cryptoki::context::Pkcs11;
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use crate::{KekId, KekProvider, Pin, Pkcs11Config, Pkcs11Source, TokenSelector, pkcs11};
use ambient::testing::in_a_process_of_its_own;
use ambient::{OsEntropy, SystemClock};

/// Names the module; `cargo xtask test` sets it.
pub const MODULE: &str = "SECURE_MESSAGING_TEST_SOFTHSM";
/// Folders of the module's libraries, where it was not installed but unpacked.
pub const LIBRARIES: &str = "SECURE_MESSAGING_TEST_SOFTHSM_LIBRARIES";

const FOLDER: &str = "SECURE_MESSAGING_TEST_SOFTHSM_FOLDER";
const INSTALLED: [&str; 2] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
const SO_PIN: &str = "an officer's PIN";

/// A token that this process has for itself.
pub struct SoftHsm {
    module: PathBuf,
    folder: PathBuf,
}

impl SoftHsm {
    /// Label of the token.
    pub const LABEL: &str = "secure messaging test";
    /// PIN of the token's user.
    pub const PIN: &str = "a user's PIN";

    /// The module.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The folder that holds SoftHSM's tokens.
    pub fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// What a process has to be told to see this token.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut environment = vec![("SOFTHSM2_CONF", configuration(&self.folder))];
        if let Some(libraries) = std::env::var_os(LIBRARIES) {
            environment.push(("LD_LIBRARY_PATH", libraries.into()));
        }
        environment
    }

    /// How to reach the token, with DEKs kept for so long.
    pub fn config(&self, cache_life: Duration) -> Pkcs11Config {
        Pkcs11Config {
            module: self.module.clone(),
            token: TokenSelector::Label(Self::LABEL.to_owned()),
            pin: Pin::new(Self::PIN.to_owned()),
            cache_life,
        }
    }

    /// A source of keys in the token.
    pub fn source(&self, cache_life: Duration) -> Pkcs11Source {
        let clock = Arc::new(SystemClock::start());
        Pkcs11Source::new(self.config(cache_life), Arc::new(OsEntropy), clock).unwrap()
    }

    /// A new key in the token, with no DEKs kept.
    pub fn key(&self, kek_id: KekId) -> Arc<dyn KekProvider> {
        crate::KekSource::create(&self.source(Duration::ZERO), kek_id)
            .unwrap()
            .0
    }

    /// Makes another token of this module.
    pub fn initialise(&self, label: &str, pin: Option<&str>) {
        let module = pkcs11::load_module(&self.module).unwrap();
        let calling = module.calling();
        let module = calling.functions().unwrap();
        // SoftHSM always offers one more slot, whose token has still to be initialised.
        let free = module
            .get_slots_with_token()
            .unwrap()
            .into_iter()
            .find(|slot| !module.get_token_info(*slot).unwrap().token_initialized())
            .unwrap();
        module.init_token(free, &secret(SO_PIN), label).unwrap();
        if let Some(pin) = pin {
            set_pin(module, free, pin);
        }
    }

    /// Gives the token's user another PIN; nobody may have a session with it.
    pub fn set_pin(&self, pin: &str) {
        let module = pkcs11::load_module(&self.module).unwrap();
        let calling = module.calling();
        let module = calling.functions().unwrap();
        let slots = module.get_slots_with_initialized_token().unwrap();
        let slot = slots
            .into_iter()
            .find(|slot| module.get_token_info(*slot).unwrap().label() == Self::LABEL)
            .unwrap();
        set_pin(module, slot, pin);
    }
}

/// Runs the body of a test in a process of its own with a new token.
///
/// Call it as the whole of a `#[test]`; it fails with a sentence on what to do where there is no
/// SoftHSM.
pub fn with_token(body: impl FnOnce(&SoftHsm)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let hsm = SoftHsm {
            module: module(),
            folder: folder.into(),
        };
        hsm.initialise(SoftHsm::LABEL, Some(SoftHsm::PIN));
        return body(&hsm);
    }
    let folder = Folder::new();
    std::fs::create_dir(folder.0.join("tokens")).unwrap();
    let hsm = SoftHsm {
        module: module(),
        folder: folder.0.clone(),
    };
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        hsm.tokens().display()
    );
    std::fs::write(configuration(&folder.0), text).unwrap();

    let mut environment = hsm.environment();
    environment.push((FOLDER, folder.0.clone()));
    in_a_process_of_its_own(&[], environment);
}

fn set_pin(module: &Pkcs11, slot: Slot, pin: &str) {
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&secret(SO_PIN))).unwrap();
    session.init_pin(&secret(pin)).unwrap();
    session.logout().unwrap();
}

fn secret(text: &str) -> AuthPin {
    AuthPin::new(text.into())
}

fn module() -> PathBuf {
    if let Some(named) = std::env::var_os(MODULE) {
        return named.into();
    }
    INSTALLED
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "there is no SoftHSM: use `cargo xtask test`, which fetches it, or install \
                 Debian's libsofthsm2, or name libsofthsm2.so in {MODULE}"
            )
        })
}

fn configuration(folder: &Path) -> PathBuf {
    folder.join("softhsm2.conf")
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let mut random = [0; 8];
        ambient::Entropy::fill(&OsEntropy, &mut random).unwrap();
        let name = format!("softhsm-{:016x}", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
