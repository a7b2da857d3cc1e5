//! What the server needs of the machine: connections, TLS, signals, memory, the log, the service manager.

pub mod lock;
pub mod logging;
pub mod memory;
pub mod net;
pub mod service;
pub mod signals;
pub mod tls;
