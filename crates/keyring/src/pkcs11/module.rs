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
    /// A call of the module holds it for reading. Finalising and initialising hold it for writing, because
    /// they must not run beside any other call.
    state: RwLock<State>,
}

struct State {
    /// Counts how often the module was initialised anew.
    epoch: u64,
    /// Why the module could not be initialised again. It is not called until that succeeds: only
    /// `C_Initialize` makes a module safe for several threads.
    fault: Option<Error>,
}

/// The right to call the module; it is not initialised anew meanwhile.
pub(crate) struct Calling<'a> {
    functions: &'a Pkcs11,
    state: RwLockReadGuard<'a, State>,
}

/// The module of that path.
pub(crate) fn load(path: &Path) -> Result<Arc<Module>, Pkcs11Error> {
    // By whichever path a library is loaded, the process has it once.
    let Ok(file) = path.canonicalize() else {
        return Err(Pkcs11Error::ModuleNotFound(path.to_owned()));
    };
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(&file) {
        return Ok(Arc::clone(module));
    }
    if !file.is_file() {
        return Err(Pkcs11Error::ModuleNotFound(path.to_owned()));
    }
    let unusable = |error: Error| Pkcs11Error::ModuleUnusable {
        path: path.to_owned(),
        reason: answer(&error),
    };
    let functions = Pkcs11::new(&file).map_err(unusable)?;
    initialise(&functions).map_err(unusable)?;
    let module = Arc::new(Module {
        functions,
        state: RwLock::new(State {
            epoch: 0,
            fault: None,
        }),
    });
    modules.insert(file, Arc::clone(&module));
    Ok(module)
}

impl Module {
    /// Waits while the module is initialised anew.
    pub(crate) fn calling(&self) -> Calling<'_> {
        Calling {
            functions: &self.functions,
            state: self.state.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Initialises the module anew, unless somebody tried since `epoch`. Every session ends.
    ///
    /// Many modules look for tokens when they are initialised and never again.
    pub(super) fn begin_anew(&self, epoch: u64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.epoch != epoch {
            return;
        }
        state.epoch += 1;
        // Whether it ended, or had ended already, is the same once it is initialised.
        let _ = self.functions.clone().finalize();
        state.fault = initialise(&self.functions).err();
    }
}

impl Calling<'_> {
    /// The module's functions, or why it has none at present.
    pub(crate) fn functions(&self) -> Result<&Pkcs11, &Error> {
        match &self.state.fault {
            None => Ok(self.functions),
            Some(fault) => Err(fault),
        }
    }

    /// How often the module was initialised anew.
    pub(super) fn epoch(&self) -> u64 {
        self.state.epoch
    }
}

/// Initialises a module unless something in this process did so already.
fn initialise(module: &Pkcs11) -> Result<(), Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(error) if code(&error) == Some(RvError::CryptokiAlreadyInitialized) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::softhsm::with_token;

    #[test]
    fn a_library_is_one_module_by_whichever_path_it_is_loaded() {
        with_token(|hsm| {
            let link = hsm.tokens().with_extension("so");
            std::os::unix::fs::symlink(hsm.module(), &link).unwrap();
            let module = load(hsm.module()).unwrap();
            assert!(Arc::ptr_eq(&module, &load(&link).unwrap()));
        });
    }

    #[test]
    fn a_module_is_begun_anew_once_for_all_who_saw_the_same_fault() {
        with_token(|hsm| {
            let module = load(hsm.module()).unwrap();
            let first = module.calling().epoch();
            module.begin_anew(first);
            let second = module.calling().epoch();
            assert_ne!(first, second);
            let session = {
                let calling = module.calling();
                let functions = calling.functions().unwrap();
                let slots = functions.get_slots_with_token().unwrap();
                functions.open_ro_session(slots[0]).unwrap()
            };
            // Who comes too late with what was seen before ends nobody's session.
            module.begin_anew(first);
            assert_eq!(module.calling().epoch(), second);
            session.get_session_info().unwrap();
            module.begin_anew(second);
            let third = module.calling().epoch();
            assert!(third != second && third != first);
            assert!(session.get_session_info().is_err(), "the control");
        });
    }

    #[test]
    fn a_module_that_could_not_be_initialised_is_called_by_nobody() {
        with_token(|hsm| {
            let module = load(hsm.module()).unwrap();
            let begin_anew = || {
                let epoch = module.calling().epoch();
                module.begin_anew(epoch);
            };
            let away = hsm.tokens().with_extension("away");
            std::fs::rename(hsm.tokens(), &away).unwrap();
            begin_anew();
            assert!(module.calling().functions().is_err());
            std::fs::rename(&away, hsm.tokens()).unwrap();
            assert!(module.calling().functions().is_err(), "not by itself");
            begin_anew();
            let calling = module.calling();
            let functions = calling.functions().unwrap();
            assert!(!functions.get_slots_with_token().unwrap().is_empty());
        });
    }

    #[test]
    fn a_module_that_somebody_else_initialised_is_used_as_it_is() {
        with_token(|hsm| {
            let module = load(hsm.module()).unwrap();
            let flags = CInitializeFlags::OS_LOCKING_OK;
            let again = module.functions.initialize(CInitializeArgs::new(flags));
            let already = Some(RvError::CryptokiAlreadyInitialized);
            assert_eq!(again.err().as_ref().and_then(code), already, "the control");
            initialise(&module.functions).unwrap();
        });
    }
}
