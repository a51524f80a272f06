//! What a session is opened with: a delivery mapped to fields and made to fit the pack.

use provost_domain::nesting;
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::{IntakeMapping, Pack};
use serde_json::Value;

use super::fit::fitted;
use super::formats::DeliveryFormat;
use super::loose::{shortened, text};
use super::mapping::{DeclaredFields, MappedCase, MappingFailure, SentData, Taking, mapped, taking};
use super::presets::mapping_of;

/// Longest title of a session, in characters.
const TITLE_MAX: usize = 120;

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The fields of the session.
    pub fields: Value,
    /// One line about it.
    pub title: String,
    /// What else was said of the case.
    pub origin: CaseOrigin,
}

/// A pack's mapping for one form, with the fields it is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackFields<'a> {
    mapping: &'a IntakeMapping,
    declared: DeclaredFields<'a>,
}

impl<'a> PackFields<'a> {
    /// A pack's own mapping, or the preset one.
    pub(super) fn of(pack: &'a Pack, format: DeliveryFormat) -> Self {
        let declared = DeclaredFields { schema: &pack.fields, rosters: &pack.rosters };
        Self { mapping: mapping_of(Some(pack), format), declared }
    }

    /// The preset mapping, for fields whose pack is not known.
    pub(super) fn preset(format: DeliveryFormat, declared: DeclaredFields<'a>) -> Self {
        Self { mapping: mapping_of(None, format), declared }
    }

    pub(super) fn taking(self, sent: &SentData<'_>) -> Taking {
        taking(self.mapping, sent)
    }

    /// What a session is opened with. The severity that was found is added to what sessions are sent about an alert that
    /// says none itself.
    ///
    /// # Errors
    /// A field that every session needs has no value.
    pub(super) fn opening(self, sent: &SentData<'_>, brief: &mut Value) -> Result<Opening, MappingFailure> {
        let MappedCase { fields, origin } = mapped(self.mapping, self.declared, sent)?;
        let words = |value: Option<&Value>| text(value);
        let title = words(fields.get("summary")).or_else(|| words(brief.get("name")));
        let mut fields = fitted(self.declared.schema, self.declared.rosters, Value::Object(fields));
        // One alert with an odd part still opens its session.
        nesting::cut(&mut fields, nesting::LEVELS_MAX);
        if let Some(brief) = brief.as_object_mut() {
            brief.entry("severity").or_insert_with(|| fields.get("severity").cloned().unwrap_or_default());
        }
        let title = shortened(&title.unwrap_or_else(|| "case".to_owned()), TITLE_MAX);
        Ok(Opening { fields, title, origin })
    }
}
