//! An SQLite VFS over the system's own that tells a [`Disk`] what is written and synced.
//!
//! Files are the system's: locks, shared memory and reads are untouched. Of an open file only four
//! methods are replaced, by a table of methods that lies behind the system's own file structure and
//! is followed by what those methods need.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ffi::{
    SQLITE_ERROR, SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_OK, SQLITE_OPEN_MAIN_DB,
    SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_filename, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::engine::sqlite::testing::Disk;

/// Files whose loss matters: the database, its log, its journal.
const WATCHED: c_int = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;

/// What a registered VFS needs; lives as long as the process, as SQLite may call at any time.
struct Shim {
    base: *mut sqlite3_vfs,
    disk: Arc<Disk>,
}

/// Lies behind the system's file structure. `methods` comes first: SQLite's pointer to the file's
/// methods is then a pointer to this.
#[repr(C)]
struct Tail {
    methods: sqlite3_io_methods,
    base: *const sqlite3_io_methods,
    file: *mut Watched,
}

struct Watched {
    path: PathBuf,
    disk: Arc<Disk>,
}

/// Registers a VFS of this name; a few hundred bytes stay allocated for good.
pub(crate) fn register(name: &str, disk: Arc<Disk>) -> Result<(), String> {
    let name = CString::new(name).map_err(|error| error.to_string())?;
    // SAFETY: a null name asks for the default VFS; SQLite keeps it for the life of the process.
    let base = unsafe { sqlite3_vfs_find(std::ptr::null()) };
    if base.is_null() {
        return Err("SQLite has no default VFS".to_owned());
    }
    let shim = Box::into_raw(Box::new(Shim { base, disk }));
    // SAFETY: `base` was checked and is a plain C structure that may be copied. Its functions take
    // no notice of the VFS pointer they are given, except xOpen and xDelete, which are replaced.
    let mut vfs = unsafe { *base };
    vfs.pNext = std::ptr::null_mut();
    vfs.zName = name.into_raw();
    vfs.szOsFile = tail_offset(vfs.szOsFile) as c_int + size_of::<Tail>() as c_int;
    vfs.pAppData = shim.cast();
    vfs.xOpen = Some(open);
    vfs.xDelete = Some(delete);
    // SAFETY: the structure and everything it points to is leaked, so it outlives SQLite's use.
    let code = unsafe { sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) };
    if code == SQLITE_OK {
        Ok(())
    } else {
        Err(format!("SQLite refused the VFS: {code}"))
    }
}

fn tail_offset(base_size: c_int) -> usize {
    (base_size as usize).next_multiple_of(align_of::<Tail>())
}

fn path_of(name: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(name.to_bytes()))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands back the VFS that was registered, whose pAppData is a leaked Shim.
    let shim = unsafe { &*(*vfs).pAppData.cast::<Shim>() };
    // SAFETY: `base` is SQLite's own VFS; `file` has room for its structure and more behind it.
    let (code, base_size) = unsafe {
        let Some(base_open) = (*shim.base).xOpen else {
            return SQLITE_ERROR;
        };
        (
            base_open(shim.base, name, file, flags, out_flags),
            (*shim.base).szOsFile,
        )
    };
    if code != SQLITE_OK || flags & WATCHED == 0 || name.is_null() {
        return code;
    }
    // SAFETY: a name that is not null is a C string for the length of the call.
    let path = path_of(unsafe { CStr::from_ptr(name) }).to_owned();
    shim.disk.opened(&path);
    // SAFETY: the base opened the file, so its methods are set; they are static data of SQLite.
    // The tail lies within the szOsFile bytes that SQLite allocated, at its own alignment, since
    // SQLite's allocations are aligned to eight bytes as Tail is.
    unsafe {
        let base = (*file).pMethods;
        let tail = file.cast::<u8>().add(tail_offset(base_size)).cast::<Tail>();
        let mut methods = *base;
        methods.xClose = Some(close);
        methods.xWrite = Some(write);
        methods.xTruncate = Some(truncate);
        methods.xSync = Some(sync);
        let watched = Watched {
            path,
            disk: Arc::clone(&shim.disk),
        };
        tail.write(Tail {
            methods,
            base,
            file: Box::into_raw(Box::new(watched)),
        });
        (*file).pMethods = tail.cast();
    }
    SQLITE_OK
}

/// The system's methods and what is watched, of a file that [`open`] gave a tail.
///
/// # Safety
/// `file` was opened by [`open`] with a tail and is not closed.
unsafe fn parts<'a>(file: *mut sqlite3_file) -> (&'a sqlite3_io_methods, &'a Watched) {
    // SAFETY: by the contract, pMethods points to the first field of a Tail.
    unsafe {
        let tail = (*file).pMethods.cast::<Tail>();
        (&*(*tail).base, &*(*tail).file)
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite calls this once for a file with a tail; the box is taken back here only. The
    // base clears its own structure and leaves the tail alone.
    unsafe {
        let tail = (*file).pMethods.cast::<Tail>();
        let base = (*tail).base;
        drop(Box::from_raw((*tail).file));
        (*file).pMethods = base;
        match (*base).xClose {
            Some(close) => close(file),
            None => SQLITE_ERROR,
        }
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    len: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite passes an open file of ours and `len` readable bytes.
    unsafe {
        let (base, watched) = parts(file);
        if watched.disk.is_full() {
            return SQLITE_FULL;
        }
        let Some(base_write) = base.xWrite else {
            return SQLITE_ERROR;
        };
        let code = base_write(file, data, len, offset);
        if code == SQLITE_OK {
            let bytes = std::slice::from_raw_parts(data.cast::<u8>(), len as usize);
            watched.disk.written(&watched.path, offset as usize, bytes);
        }
        code
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: i64) -> c_int {
    // SAFETY: SQLite passes an open file of ours.
    unsafe {
        let (base, watched) = parts(file);
        let Some(base_truncate) = base.xTruncate else {
            return SQLITE_ERROR;
        };
        let code = base_truncate(file, len);
        if code == SQLITE_OK {
            watched.disk.truncated(&watched.path, len as usize);
        }
        code
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file of ours.
    unsafe {
        let (base, watched) = parts(file);
        if !watched.disk.takes_sync() {
            return SQLITE_IOERR_FSYNC;
        }
        let Some(base_sync) = base.xSync else {
            return SQLITE_ERROR;
        };
        let code = base_sync(file, flags);
        if code == SQLITE_OK {
            watched.disk.synced(&watched.path);
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as in `open`; the name of a file to delete is a C string.
    unsafe {
        let shim = &*(*vfs).pAppData.cast::<Shim>();
        let Some(base_delete) = (*shim.base).xDelete else {
            return SQLITE_ERROR;
        };
        let code = base_delete(shim.base, name, sync);
        if code == SQLITE_OK {
            shim.disk.deleted(path_of(CStr::from_ptr(name)));
        }
        code
    }
}
