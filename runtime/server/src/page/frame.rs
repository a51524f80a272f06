//! What surrounds every page.

use std::fmt;

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use provost_domain::access::Permission;
use provost_face::{Code, write_visible};

use super::assets::Paths;
use super::guard::Viewer;
use crate::problem::Problem;
use crate::state::Server;

/// Pending approvals are counted up to here.
const COUNTED_MAX: u32 = 100;

/// Names, links and counts around a page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) assets: Paths,
    /// Who looks.
    pub(crate) who: String,
    pub(crate) role: &'static str,
    pub(crate) csrf: String,
    /// The path of the page's place in the navigation.
    pub(crate) here: &'static str,
    /// Whether tokens are shown.
    pub(crate) administers: bool,
    /// Whether the looker may steer sessions.
    pub(crate) operates: bool,
    /// Whether the looker may answer approvals.
    pub(crate) approves: bool,
    /// How many approvals wait.
    pub(crate) waiting: usize,
}

impl Frame {
    pub(crate) async fn new(server: &Server, viewer: &Viewer, here: &'static str) -> Result<Self, Problem> {
        let waiting = server.lookups().waiting(&viewer.caller, COUNTED_MAX).await?;
        Ok(Self {
            assets: Paths::new(),
            who: viewer.caller.principal.to_string(),
            role: viewer.caller.role.as_str(),
            csrf: viewer.csrf.clone(),
            here,
            administers: viewer.caller.may(Permission::Administer),
            operates: viewer.caller.may(Permission::Operate),
            approves: viewer.caller.may(Permission::Approve),
            waiting,
        })
    }
}

/// A template as an answer. Whatever a page shows, nothing in it hides: no place of a template has to think of it.
pub(crate) fn rendered(template: &impl Template) -> Result<Response, Problem> {
    let failed =
        |error: &dyn fmt::Display| Problem::new(Code::Internal, format!("the page cannot be written: {error}"));
    let text = template.render().map_err(|error| failed(&error))?;
    let mut visible = String::with_capacity(text.len());
    write_visible(&mut visible, &text).map_err(|error| failed(&error))?;
    Ok(Html(visible).into_response())
}
