//! The live page: what the API serves to programs, rendered for people. It knows nothing the API does not, sends the same
//! commands, and works without its script; with it, the page follows the sessions as they go on.
//!
//! | file | what |
//! |---|---|
//! | `routes` | the paths, grouped by the permission they need |
//! | `guard`, `login` | from the cookie of a login to a caller; every form shows that it came from a page of its login |
//! | `frame`, `readable`, `assets` | what surrounds every page; problems as pages; style and script |
//! | `text`, `pieces` | the escaper of untrusted text, links to evidence |
//! | `list`, `session`, `approvals`, `tables` | the pages |
//! | `timeline`, `facts`, `flow`, `asks` | a session's parts: its events, what is known of it, how far it came, what people must do |
//! | `actions` | the forms |

mod actions;
mod approvals;
mod asks;
mod assets;
mod facts;
mod flow;
mod frame;
mod guard;
mod list;
mod login;
mod pieces;
mod readable;
mod routes;
mod session;
mod tables;
pub(crate) mod text;
mod timeline;

pub(crate) use assets::Paths;
pub(crate) use frame::rendered;
pub(crate) use readable::readable;
pub(crate) use routes::routes;

/// What a browser may load and do on our pages: our own files, nothing inline, no frame around them.
pub(crate) const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
