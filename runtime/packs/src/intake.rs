//! The part `intake` of a pack: how deliveries become cases, by their form. Every name that an expression reads is checked
//! against the form's, every word and default against the field it is for. Schedules stand in `schedules`.

use std::collections::BTreeMap;

use provost_domain::pack::{CaseSchedule, FieldMapping, IntakeMapping, Pack, SCHEDULES, split_words};
use provost_domain::port::DeliveryForms;
use provost_expr::{ExprError, Expression, Scope, Type};
use provost_form::{At, ErrorLog, FromYaml, Json, Names, NodeKind, YamlNode, nearest, table, take};
use serde_json::{Value, json};

use crate::folder::Folder;

mod payload;
mod schedules;

pub(crate) use payload::PackTypes;
pub(crate) use schedules::RawSchedule;

/// Most expressions, patterns or links of one list: a person has to follow them.
const LIST_MAX: usize = 32;

/// The part as written: mappings by the form of deliveries, and the times at which the pack opens cases of its own.
#[derive(Debug, Default)]
pub(crate) struct RawIntake {
    pub(crate) mappings: Names<RawMapping>,
    pub(crate) schedules: Vec<RawSchedule>,
}

impl FromYaml for RawIntake {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let schedules = node.get(SCHEDULES).map(|node| take(node, log)).unwrap_or_default();
        let forms = node.entries().filter(|(key, _)| key.value != SCHEDULES);
        let forms = forms.map(|(key, node)| (key.clone(), node.clone())).collect();
        let forms = if node.is_table() { NodeKind::Table(forms) } else { node.kind.clone() };
        let mappings = Names::read(&YamlNode { place: node.place, kind: forms }, log)?;
        Some(Self { mappings, schedules })
    }

    fn schema() -> Json {
        let own = json!({SCHEDULES: Vec::<RawSchedule>::schema()});
        json!({"type": "object", "properties": own, "additionalProperties": RawMapping::schema()})
    }

    fn blank() -> Self {
        Self { mappings: Names::blank(), schedules: Vec::new() }
    }
}

/// What the part comes to.
#[derive(Debug)]
pub(crate) struct PackIntake {
    pub(crate) mappings: BTreeMap<String, IntakeMapping>,
    pub(crate) schedules: Vec<CaseSchedule>,
}

table! {
    /// The mapping from deliveries of one form, as written.
    #[derive(Debug)]
    pub(crate) struct RawMapping {
        pub(crate) payload: Option<YamlNode> = None,
        pub(crate) when: Option<At<String>> = None,
        pub(crate) group: At<Vec<At<String>>> = At::default(),
        pub(crate) fields: Names<RawSource>,
        pub(crate) onset: Option<At<String>> = None,
        pub(crate) links: At<Vec<At<String>>> = At::default(),
        pub(crate) samples: Vec<At<String>> = Vec::new(),
    }
}

table! {
    /// Where a field's value comes from; an expression alone stands for a table with nothing else.
    #[derive(Debug)]
    pub(crate) struct RawSourceTable {
        pub(crate) from: At<Vec<At<String>>>,
        pub(crate) ignore: At<Vec<At<String>>> = At::default(),
        pub(crate) words: Names<At<String>> = Names::default(),
        pub(crate) default: Option<YamlNode> = None,
    }
}

/// That table, read from either form.
#[derive(Debug)]
pub(crate) struct RawSource(RawSourceTable);

impl FromYaml for RawSource {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if node.is_table() {
            return RawSourceTable::read(node, log).map(Self);
        }
        let only = At::<String>::read(node, log)?;
        let place = only.place;
        Some(Self(RawSourceTable { from: At { value: vec![only], place }, ..RawSourceTable::blank() }))
    }

    fn schema() -> Json {
        json!({"anyOf": [String::schema(), RawSourceTable::schema()]})
    }

    fn blank() -> Self {
        Self(RawSourceTable::blank())
    }
}

/// Reads mappings and schedules with every mistake in them. Without a pack nothing is known about its fields.
pub(crate) fn read(
    raw: &RawIntake,
    declared: PackTypes<'_>,
    pack: Option<&Pack>,
    forms: &dyn DeliveryForms,
    log: &mut ErrorLog,
) -> PackIntake {
    let mut mappings = BTreeMap::new();
    for (form, mapping) in raw.mappings.iter() {
        let (Some(mut scope), Some(group)) = (forms.scope(form), forms.group_scope(form)) else {
            let hint = nearest(form, forms.names());
            log.report(form.place, format!("no deliveries have the form `{}`", form.value), hint);
            continue;
        };
        let payload = payload::read(declared, form, mapping.payload.as_ref(), log);
        let mut groups = group;
        if let Some(payload) = &payload {
            let body = payload::type_of(payload, pack);
            (scope, groups) = (scope.with(payload::BODY, body.clone()), groups.with(payload::BODY, body));
        }
        let read = MappingReader { pack, scope: &scope, log }.mapping(form, mapping);
        let group = MappingReader { pack, scope: &groups, log }.list(&mapping.group, MappingReader::expression);
        mappings.insert(form.value.clone(), IntakeMapping { payload, group, ..read });
    }
    let schedules = schedules::read(&raw.schedules, pack, log);
    if let Some(pack) = pack.filter(|_| !schedules.is_empty()) {
        mappings.insert(SCHEDULES.to_owned(), CaseSchedule::mapping(pack.fields.names()));
    }
    PackIntake { mappings, schedules }
}

/// Reports fields of `supersede` that a session does not have, or that tell one case from another: then nothing is superseded.
pub(crate) fn superseded(names: &[At<String>], pack: Option<&Pack>, log: &mut ErrorLog) {
    let Some(pack) = pack else { return };
    for name in names.iter().filter(|name| !name.is_blank()) {
        if !pack.fields.declares(name) {
            let hint = nearest(name, pack.fields.names());
            log.report(name.place, format!("the session has no field `{}`", name.value), hint);
        } else if pack.identity.contains(&name.value) {
            let message =
                format!("`{}` belongs to the identity of a case, so another value is another case", name.value);
            log.report(name.place, message, "take it out of `identity`, or out of `supersede`");
        }
    }
}

/// Tries the schedules and the samples: each sample must be there, and each of both must open a case.
pub(crate) fn try_samples(
    raw: &RawIntake,
    pack: &Pack,
    forms: &dyn DeliveryForms,
    folder: &Folder,
    log: &mut ErrorLog,
) {
    for (raw, schedule) in raw.schedules.iter().zip(&pack.schedules) {
        if let Err(reason) = forms.opens_scheduled(pack, schedule) {
            let message = format!("the schedule `{}` opens no case: {reason}", schedule.calendar);
            log.report(raw.cron.place, message, "correct its `fields`");
        }
    }
    for (form, mapping) in raw.mappings.iter() {
        for sample in &mapping.samples {
            let Some(file) = folder.find(sample) else {
                let message = format!("the pack has no file `{}`", sample.value);
                log.report(sample.place, message, "write the path from the pack's folder: samples/NAME.json");
                continue;
            };
            if let Err(reason) = forms.opens_case(pack, form, &file.text) {
                let message = format!("the sample `{}` opens no case: {reason}", sample.value);
                log.report(sample.place, message, "correct the mapping or the sample");
            }
        }
    }
}

/// Reads the mapping of one form, with every mistake in the log.
struct MappingReader<'a> {
    pack: Option<&'a Pack>,
    /// The names of a delivery of this form.
    scope: &'a Scope,
    log: &'a mut ErrorLog,
}

impl MappingReader<'_> {
    fn mapping(&mut self, form: &At<String>, raw: &RawMapping) -> IntakeMapping {
        let when = raw.when.as_ref().and_then(|when| self.condition(when));
        let fields = raw.fields.iter().map(|(name, source)| (name.value.clone(), self.field(name, &source.0)));
        let fields = fields.collect();
        self.required(form, &raw.fields);
        let whole =
            self.pack.map_or_else(|| self.scope.clone(), |pack| self.scope.clone().with("fields", fields_of(pack)));
        let mut after = MappingReader { pack: self.pack, scope: &whole, log: self.log };
        let onset = raw.onset.as_ref().and_then(|onset| after.expression(onset));
        let links = after.list(&raw.links, MappingReader::expression);
        IntakeMapping { when, fields, onset, links, ..IntakeMapping::default() }
    }

    /// Reports the fields that a case must have and the mapping does not give.
    fn required(&mut self, form: &At<String>, raw: &Names<RawSource>) {
        let Some(pack) = self.pack.filter(|_| !raw.is_blank()) else { return };
        let missing = pack.fields.names().filter(|name| pack.fields.requires(name) && raw.get(name).is_none());
        for name in missing {
            let hint = format!("add `{name}:` to the fields of the mapping");
            self.log.report(form.place, format!("the mapping gives no `{name}`, which every session needs"), hint);
        }
    }

    fn field(&mut self, name: &At<String>, raw: &RawSourceTable) -> FieldMapping {
        if let Some(pack) = self.pack.filter(|pack| !pack.fields.declares(name)) {
            let hint = nearest(name, pack.fields.names());
            self.log.report(name.place, format!("the session has no field `{}`", name.value), hint);
        }
        if raw.from.is_empty() && !raw.from.is_blank() && raw.default.is_none() {
            let hint = "write an expression, or a `default`";
            self.log.report(raw.from.place, format!("nothing gives `{}` a value", name.value), hint);
        }
        let from = self.list(&raw.from, Self::expression);
        let ignore = self.list(&raw.ignore, |_, pattern| Some(pattern.value.clone()));
        let default = raw.default.as_ref().map(|default| self.default(name, default));
        FieldMapping { from, ignore, words: self.words(name, &raw.words), default }
    }

    fn words(&mut self, name: &At<String>, raw: &Names<At<String>>) -> BTreeMap<String, String> {
        let mut words = BTreeMap::new();
        for (key, word) in raw.iter() {
            if !word.is_blank() {
                self.fits(name, &Value::String(word.value.clone()), word);
            }
            for own in split_words(key) {
                if words.insert(own.clone(), word.value.clone()).is_some() {
                    let message = format!("the word `{own}` is there twice");
                    self.log.report(key.place, message, "leave one; capitals make no difference");
                }
            }
        }
        words
    }

    fn default(&mut self, name: &At<String>, node: &YamlNode) -> Value {
        let value = node.value();
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.fits(name, &value, &At { value: shown, place: node.place });
        value
    }

    /// Reports a value that the field cannot have.
    fn fits(&mut self, name: &str, value: &Value, written: &At<String>) {
        let Some(pack) = self.pack.filter(|pack| pack.fields.declares(name)) else { return };
        let own = fields_of(pack);
        let own = if let Type::Object(fields) = &own { fields.get(name) } else { None };
        // A roster that is not there, or empty, was reported.
        let closed = own.and_then(Type::values).filter(|closed| !closed.is_empty());
        let known = closed.is_none_or(|closed| closed.iter().any(|one| value.as_str() == Some(one)));
        if !known || !pack.fields.takes(name, value) {
            let hint = closed.map(|closed| nearest(&written.value, closed.iter().map(String::as_str)));
            let hint = hint.unwrap_or_else(|| "see the field's schema".to_owned());
            self.log.report(written.place, format!("`{}` is not a value of the field `{name}`", written.value), hint);
        }
    }

    fn list<T>(&mut self, raw: &At<Vec<At<String>>>, read: impl Fn(&mut Self, &At<String>) -> Option<T>) -> Vec<T> {
        if raw.len() > LIST_MAX {
            let message = format!("the list has {} entries, over the limit of {LIST_MAX}", raw.len());
            self.log.report(raw.place, message, "leave out what adds nothing");
        }
        raw.iter().filter(|text| !text.is_blank()).filter_map(|text| read(self, text)).collect()
    }

    fn condition(&mut self, text: &At<String>) -> Option<Expression> {
        self.parsed(text, Expression::check_condition)
    }

    fn expression(&mut self, text: &At<String>) -> Option<Expression> {
        self.parsed(text, |expression, scope| expression.check(scope).map(drop))
    }

    fn parsed(
        &mut self,
        text: &At<String>,
        check: impl FnOnce(&Expression, &Scope) -> Result<(), Vec<ExprError>>,
    ) -> Option<Expression> {
        if text.is_blank() {
            return None;
        }
        let parsed = Expression::parse(text).map_err(|error| vec![error]);
        let checked = parsed.and_then(|parsed| check(&parsed, self.scope).map(|()| parsed));
        match checked {
            Ok(expression) => Some(expression),
            Err(errors) => {
                for ExprError { message, hint, column, .. } in errors {
                    let message = format!("in `{}`, column {column}: {message}", text.value);
                    self.log.report(text.place, message, hint);
                }
                None
            }
        }
    }
}

/// The type of a case's fields.
fn fields_of(pack: &Pack) -> Type {
    Type::of_schema(pack.fields.raw(), &|roster| pack.rosters.get(roster).map(<[String]>::to_vec))
}
