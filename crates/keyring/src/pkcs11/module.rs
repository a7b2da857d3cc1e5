//! PKCS#11 modules, each loaded once, and initialised anew when they lost sight of their tokens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use crate::pkcs11::error::{Pkcs11Error, answer, code};

/// `C_Initialize` is for the whole process, by the standard, and so is this.
static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A module, ready for use by many threads.
pub(crate) struct Module {
    functions: Pkcs11,
    /// Counts how often the module was initialised anew. Whoever calls the module holds it for
    /// reading: `C_Finalize` may run beside no other call.
    epoch: RwLock<u64>,
}

/// The right to call the module; it is not initialised anew meanwhile.
pub(super) type Calling<'a> = RwLockReadGuard<'a, u64>;

/// The module of that path.
pub(crate) fn load(path: &Path) -> Result<Arc<Module>, Pkcs11Error> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(path) {
        return Ok(Arc::clone(module));
    }
    if !path.is_file() {
        return Err(Pkcs11Error::ModuleNotFound(path.to_owned()));
    }
    let unusable = |error: Error| Pkcs11Error::ModuleUnusable {
        path: path.to_owned(),
        reason: answer(&error),
    };
    let functions = Pkcs11::new(path).map_err(unusable)?;
    initialise(&functions).map_err(unusable)?;
    let module = Arc::new(Module {
        functions,
        epoch: RwLock::new(0),
    });
    modules.insert(path.to_owned(), Arc::clone(&module));
    Ok(module)
}

impl Module {
    /// The module's functions, for whoever holds [`Calling`].
    pub(crate) fn functions(&self) -> &Pkcs11 {
        &self.functions
    }

    /// Waits until the module may be called.
    pub(super) fn calling(&self) -> Calling<'_> {
        self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Initialises the module anew, unless somebody did since `epoch`. Every session ends.
    ///
    /// Many modules look for tokens when they are initialised and never again.
    pub(super) fn begin_anew(&self, epoch: u64) -> Result<(), Error> {
        let mut current = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        if *current != epoch {
            return Ok(());
        }
        *current += 1;
        match self.functions.clone().finalize() {
            Err(error) if code(&error) != Some(RvError::CryptokiNotInitialized) => Err(error),
            _ => initialise(&self.functions),
        }
    }
}

/// Initialises a module unless something in this process did so already.
pub(super) fn initialise(module: &Pkcs11) -> Result<(), Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(error) if code(&error) == Some(RvError::CryptokiAlreadyInitialized) => Ok(()),
        outcome => outcome,
    }
}
