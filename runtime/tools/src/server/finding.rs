//! What a look at a server found.

/// One thing that a look at a server found, for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFinding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, and what to do where it is not as it should be. Words of the server's are in it.
    pub text: String,
}

impl ServerFinding {
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self { ok: true, text: text.into() }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { ok: false, text: text.into() }
    }
}
