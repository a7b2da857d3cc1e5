//! What survives the end of the process, and what must not.

mod audit;
mod backup;
mod backup_cuts;
mod configuration;
mod kill;
mod memory;
mod plane;
mod plane_tls;
mod postgres;
mod rotation;
mod survival;
mod token;
mod upgrade;
