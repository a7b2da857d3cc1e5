//! PKCS#11 modules, each loaded and initialised once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use crate::pkcs11::error::{Pkcs11Error, answer, code};

/// `C_Initialize` is for the whole process, by the standard, and so is this.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// The module of that path, ready for use by many threads.
pub(crate) fn load(path: &Path) -> Result<Pkcs11, Pkcs11Error> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(path) {
        return Ok(module.clone());
    }
    if !path.is_file() {
        return Err(Pkcs11Error::ModuleNotFound(path.to_owned()));
    }
    let unusable = |error: Error| Pkcs11Error::ModuleUnusable {
        path: path.to_owned(),
        reason: answer(&error),
    };
    let module = Pkcs11::new(path).map_err(unusable)?;
    initialise(&module).map_err(unusable)?;
    modules.insert(path.to_owned(), module.clone());
    Ok(module)
}

/// Initialises a module unless something in this process did so already.
pub(super) fn initialise(module: &Pkcs11) -> Result<(), Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(error) if code(&error) == Some(RvError::CryptokiAlreadyInitialized) => Ok(()),
        outcome => outcome,
    }
}
