//! What makes a process a daemon: its socket, its service manager, its configured tokens, its reload.

pub(crate) mod files;
pub(crate) mod reload;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod supervision;
pub(crate) mod tokens;
