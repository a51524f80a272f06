//! Servers of the kind `mcp`: tools that a server of the Model Context Protocol offers, as a child of this process or over HTTP.
//!
//! Only the tools that the configuration lists exist, and only as a person accepted them: what a server says of its tools is
//! kept in a file, and a tool whose server says something else now is not called. A call is sent once; when its answer is lost,
//! its effect class decides what follows. A server's own words on effects are believed only where they make us more careful.

mod accepted;
mod answer;
mod definition;
mod entry;
mod events;
mod link;
mod message;
mod pipe;
mod server;
mod session;
mod tool;
mod web;
mod wire;

pub(crate) use server::McpServer;
