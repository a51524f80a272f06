//! What every wire format is read into. The fields of a session are `Value`s as they were read and `CheckedFields` once
//! they fit the pack.

use provost_domain::fields::CheckedFields;
use provost_domain::ids::Digest;
use provost_domain::nesting;
use serde_json::Value;

/// Most levels kept of what a session is sent about an alert.
const ALERT_LEVELS: usize = nesting::LEVELS_MAX - 4;

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening<F = Value> {
    /// The fields of the session.
    pub fields: F,
    /// One line about it.
    pub title: String,
}

/// Why a delivery cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDelivery {
    /// It is not JSON.
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
pub(super) enum AlertChange<F = Value> {
    /// It fires. A session can be opened for it, or not, with the reason.
    Firing(Result<Box<Opening<F>>, String>),
    /// It is over.
    Resolved,
    /// Every alert of its group that was reported before is over.
    AllResolved,
}

/// One alert of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alert<F = Value> {
    /// The same whenever the same alert is reported again.
    pub(super) mark: String,
    pub(super) change: AlertChange<F>,
    /// What a session is sent about it.
    pub(super) brief: Value,
}

/// A delivery that can be worked on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice<F = Value> {
    /// The group it belongs to.
    pub(super) group: Digest,
    /// What it says, in order; nothing when there is nothing to do.
    pub(super) alerts: Vec<Alert<F>>,
    /// Whether an alert that is over fires anew when it is reported again. Else the report is an old delivery come late.
    pub(super) refires: bool,
}

impl Notice {
    /// Keeps only the openings whose fields pass, and is bad when alerts fire and none of them passes.
    pub(super) fn checked(
        self,
        check: impl Fn(Value) -> Result<CheckedFields, String>,
    ) -> Result<Notice<CheckedFields>, BadDelivery> {
        let (mut openable, mut refused) = (false, None);
        let mut alerts = Vec::with_capacity(self.alerts.len());
        for Alert { mark, change, mut brief } in self.alerts {
            // A signal puts a few levels around what it lists.
            nesting::cut(&mut brief, ALERT_LEVELS);
            let change = change.checked(&check);
            match &change {
                AlertChange::Firing(Ok(_)) => openable = true,
                AlertChange::Firing(Err(reason)) => drop(refused.get_or_insert_with(|| reason.clone())),
                AlertChange::Resolved | AlertChange::AllResolved => {}
            }
            alerts.push(Alert { mark, change, brief });
        }
        match refused {
            Some(reason) if !openable => Err(BadDelivery::Fields(reason)),
            Some(_) | None => Ok(Notice { group: self.group, alerts, refires: self.refires }),
        }
    }
}

impl AlertChange {
    fn checked(self, check: impl Fn(Value) -> Result<CheckedFields, String>) -> AlertChange<CheckedFields> {
        match self {
            Self::Firing(opening) => AlertChange::Firing(opening.and_then(|opening| {
                let Opening { mut fields, title } = *opening;
                // One alert with an odd part still opens its session.
                nesting::cut(&mut fields, nesting::LEVELS_MAX);
                Ok(Box::new(Opening { fields: check(fields)?, title }))
            })),
            Self::Resolved => AlertChange::Resolved,
            Self::AllResolved => AlertChange::AllResolved,
        }
    }
}
