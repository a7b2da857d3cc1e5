//! The server of Secure Messaging.
//!
//! Data flows from a route to a service and from there to the store, which is durable and sealed, or to the
//! vault, which is in memory only. The two never exchange data.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod accounts;
pub mod admin;
pub mod audit;
pub mod backups;
pub mod boot;
pub mod commands;
pub mod config;
pub mod control;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod logging;
pub mod memory;
pub mod messages;
pub mod metrics;
pub mod net;
pub mod openapi;
pub mod operations;
pub mod pages;
pub mod preflight;
pub mod probe;
pub mod routes;
pub mod service;
pub mod sessions;
pub mod signals;
pub mod startup;
pub mod state;
pub mod tls;
pub mod tokens;
