//! Memory stays flat whatever is thrown at the server.
