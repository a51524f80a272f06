//! Tool servers: the sections of `tools` that have a `kind`. Any number of each kind, each under a name of the site's own.
//!
//! A kind is a folder of this crate with a type that implements [`ServerKind`], and one line in `registry`. What all servers
//! have in common is here: address, authentication, TLS, the limits of single tools, and that no secret of a server appears
//! in what its tools return.

mod auth;
mod entries;
mod finding;
mod kind;
mod limits;
mod open;
mod rate;
mod remote;
mod section;
mod served;

pub(crate) use entries::{ToolWordsSource, entries};
pub use finding::ServerFinding;
pub(crate) use kind::{DeclaredTool, ServerKind};
pub(crate) use open::{OpenServer, ToolWords};
pub(crate) use remote::{RemoteSection, RemoteServer, ServerUrl, is_for_auth_or_client};
pub(crate) use section::ServerSection;
