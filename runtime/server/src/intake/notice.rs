//! What every kind of delivery is read into.

use provost_domain::ids::Digest;
use serde_json::Value;

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The session's fields.
    pub fields: Value,
    /// One line about it.
    pub title: String,
}

/// Why a delivery cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDelivery {
    /// It is no JSON.
    #[error("{0}")]
    Syntax(String),
    /// It is JSON of another form.
    #[error("{0}")]
    Form(String),
    /// A session cannot be opened with what it says.
    #[error("{0}")]
    Fields(String),
}

impl BadDelivery {
    /// From the reader's error; `form` names the form that was expected.
    pub(super) fn of(error: &serde_json::Error, form: &str) -> Self {
        let detail = format!("it does not have the form of {form}: {error}");
        if error.is_data() { Self::Form(detail) } else { Self::Syntax(detail) }
    }
}

/// What a delivery says of one alert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// It fires. A session can be opened for it, or not, with the reason.
    Firing(Result<Box<Opening>, String>),
    /// It is over.
    Resolved,
    /// Everything its group told before is over.
    AllResolved,
}

/// One alert of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alert {
    /// The same whenever the same alert is told again.
    pub(crate) mark: String,
    /// What is said of it.
    pub(crate) change: Change,
    /// What a session is told of it.
    pub(crate) brief: Value,
}

/// A delivery that can be worked on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    /// The group it belongs to.
    pub(crate) group: Digest,
    /// What it says, in order; nothing when there is nothing to do.
    pub(crate) alerts: Vec<Alert>,
    /// Whether what is over fires anew when it is told again. Else that is an old delivery come late.
    pub(crate) refires: bool,
}

impl Notice {
    /// Keeps only the openings that pass, and is bad when alerts fire and none of them passes.
    pub(crate) fn checked(mut self, check: impl Fn(&Opening) -> Result<(), String>) -> Result<Self, BadDelivery> {
        let (mut openable, mut refused) = (false, None);
        for alert in &mut self.alerts {
            let Change::Firing(opening) = &mut alert.change else { continue };
            if let Ok(found) = opening
                && let Err(reason) = check(found)
            {
                *opening = Err(reason);
            }
            match opening {
                Ok(_) => openable = true,
                Err(reason) => drop(refused.get_or_insert_with(|| reason.clone())),
            }
        }
        match refused {
            Some(reason) if !openable => Err(BadDelivery::Fields(reason)),
            Some(_) | None => Ok(self),
        }
    }
}
