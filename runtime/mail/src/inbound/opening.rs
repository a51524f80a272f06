//! What a session is opened with: a delivery mapped to fields and made to fit the pack.

use provost_domain::ids::{Digest, PackName};
use provost_domain::nesting;
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::{IntakeMapping, Pack};
use serde_json::{Value, json};

use super::case::CaseId;
use super::fit::fitted;
use super::formats::DeliveryFormat;
use super::loose::{shortened, text};
use super::mapping::{DeclaredFields, MappedCase, MappingFailure, SentData, Taking, has_form, mapped, taking};
use super::presets::mapping_of;

/// Longest title of a session, in characters.
const TITLE_MAX: usize = 120;

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The pack of the session; `None` for the first of those that take deliveries of the format.
    pub pack: Option<PackName>,
    /// What the session is about now: another one of the same case supersedes it. `None` where the pack has no `supersede`.
    pub version: Option<String>,
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
    /// Whose mapping it is; `None` for the preset one where the pack is not known.
    pub(super) pack: Option<&'a Pack>,
    mapping: &'a IntakeMapping,
    declared: DeclaredFields<'a>,
}

impl<'a> PackFields<'a> {
    /// A pack's own mapping, or the preset one.
    pub(super) fn of(pack: &'a Pack, format: DeliveryFormat) -> Self {
        let declared = DeclaredFields { schema: &pack.fields, rosters: &pack.rosters };
        Self { pack: Some(pack), mapping: mapping_of(Some(pack), format), declared }
    }

    /// The preset mapping, for fields whose pack is not known.
    pub(super) fn preset(format: DeliveryFormat, declared: DeclaredFields<'a>) -> Self {
        Self { pack: None, mapping: mapping_of(None, format), declared }
    }

    pub(super) fn taking(self, sent: &SentData<'_>) -> Taking {
        taking(self.mapping, sent)
    }

    /// The group that the pack makes of what was sent; `None` where it says none, and the sender's counts.
    pub(super) fn group(self, sent: &SentData<'_>) -> Option<Digest> {
        if self.mapping.group.is_empty() {
            return None;
        }
        let values: Vec<Option<Value>> = self.mapping.group.iter().map(|part| sent.value(part)).collect();
        Some(Digest::of_json(&json!(["group", values])))
    }

    /// The case that an opening of this pack belongs to.
    pub(super) fn case(self, opening: &Opening) -> CaseId {
        let case = CaseId::of(self.pack.map(|pack| pack.identity.as_slice()).unwrap_or_default(), &opening.fields);
        opening.pack.as_ref().map_or(case, |pack| case.in_pack(pack))
    }

    /// What a session with these fields is about now, in words.
    fn version(self, fields: &Value) -> Option<String> {
        let names = self.pack.map(|pack| pack.supersede.as_slice()).filter(|names| !names.is_empty())?;
        let value = |name: &String| text(fields.get(name)).unwrap_or_default();
        Some(names.iter().map(|name| format!("{name} {}", value(name))).collect::<Vec<_>>().join(", "))
    }

    /// What a session is opened with. The severity that was found is added to what sessions are sent about an alert that
    /// says none itself.
    ///
    /// # Errors
    /// It does not have the form that the pack declares, or a field that every session needs has no value.
    pub(super) fn opening(self, sent: &SentData<'_>, brief: &mut Value) -> Result<Opening, MappingFailure> {
        has_form(self.mapping, sent)?;
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
        Ok(Opening { pack: None, version: self.version(&fields), fields, title, origin })
    }
}
