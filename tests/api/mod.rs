//! The interface over HTTP and WebSocket, as a client sees it.

mod accounts;
mod admin;
mod audit;
mod backups;
mod credentials;
mod damage;
mod deletion;
mod endings;
mod enumeration;
mod hostile;
mod http;
mod keys;
mod limits;
mod messages;
mod observed;
mod pages;
mod people;
mod proxies;
mod races;
mod roads;
mod roles;
mod sessions;
mod sockets;
mod timing;
mod tls;
mod walls;
