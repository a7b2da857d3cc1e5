//! The PostgreSQL backend: what every backend must do, and what only a database of several instances must.

mod cluster;
mod conformance;
mod guards;
mod kills;
mod lost;
mod opening;
mod replicas;
mod several;
