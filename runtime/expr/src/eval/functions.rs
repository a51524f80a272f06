//! Functions and methods that evaluate their arguments first.

use std::rc::Rc;

use regex::Regex;

use super::{Evaluation, Outcome, wrong};
use crate::ast::{Ast, Function, Shape};
use crate::datum::{Datum, View};
use crate::judgement::CannotTell;
use crate::limits::BYTES_PER_STEP;

/// A linear search looks at each byte this many times, measured on patterns of one kilobyte.
const REGEX_COST: usize = 16;

impl<'a> Evaluation<'a> {
    pub(super) fn call(&mut self, function: Function, args: &'a [Ast], at: usize) -> Outcome<'a> {
        match (function, args) {
            (Function::Has, [field]) => self.has(field).map(Datum::Bool),
            (Function::Size, [of]) => self.size(of, at),
            (Function::Min, args) => self.extreme(args, f64::min, at),
            (Function::Max, args) => self.extreme(args, f64::max, at),
            (Function::ToText, [of]) => {
                let value = self.plain(of)?;
                let text = match value.view() {
                    View::Bool(_) | View::Number(_) | View::Text(_) => value.text(),
                    other @ (View::Null | View::List | View::Table | View::Maybe) => {
                        return Err(wrong("a number or a truth value", &other, at));
                    }
                };
                let text = text.ok_or_else(|| CannotTell::new(at, "the number is NaN or infinite"))?;
                self.charge(text.len(), at)?;
                Ok(Datum::Text(text.into()))
            }
            (Function::ToNumber, [of]) => self.parse_number(of, at),
            (Function::Contains, [of, part]) => self.texts((of, part), |of, part| of.contains(part), at),
            (Function::StartsWith, [of, part]) => self.texts((of, part), |of, part| of.starts_with(part), at),
            (Function::EndsWith, [of, part]) => self.texts((of, part), |of, part| of.ends_with(part), at),
            (Function::OrValue, [of, other]) => match self.value(of)? {
                Datum::Maybe(Some(found)) => Ok(Rc::unwrap_or_clone(found)),
                Datum::Maybe(None) => self.plain(other),
                _ => Err(CannotTell::new(at, "`orValue` follows `.?name`")),
            },
            (
                Function::Has
                | Function::Size
                | Function::ToText
                | Function::ToNumber
                | Function::Contains
                | Function::StartsWith
                | Function::EndsWith
                | Function::OrValue,
                _,
            ) => Err(CannotTell::new(at, "another number of values is needed")),
        }
    }

    /// Whether a field is there. What cannot be told about the way to it cannot be told about it.
    fn has(&mut self, field: &'a Ast) -> Result<bool, CannotTell> {
        let (of, key) = match &field.shape {
            Shape::Field { of, name, .. } => (of, Datum::Text(name.as_str().into())),
            Shape::Index { of, by, .. } => (of, self.plain(by)?),
            _ => return Err(CannotTell::new(field.at, "`has` asks for a field")),
        };
        let Some(of_value) = self.value_or_absent(of)? else { return Ok(false) };
        let of_value = match of_value {
            Datum::Maybe(None) => return Ok(false),
            Datum::Maybe(Some(inner)) => Rc::unwrap_or_clone(inner),
            value => value,
        };
        let found = match (of_value.view(), key.view()) {
            (View::Table, View::Text(key)) => of_value.field(key),
            (View::List, View::Number(index)) => super::position(index).and_then(|index| of_value.item(index)),
            (other, _) => return Err(wrong("an object", &other, of.at)),
        };
        Ok(found.is_some_and(|value| super::is_present(&value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "no size here comes near 2^53")]
    fn size(&mut self, of: &'a Ast, at: usize) -> Outcome<'a> {
        let value = self.plain(of)?;
        if let View::Text(text) = value.view() {
            self.charge(text.len(), at)?;
        }
        let size = value.size().ok_or_else(|| wrong("a list, an object or a text", &value.view(), at))?;
        Ok(Datum::Number(size as f64))
    }

    /// The least or greatest of several numbers or of one list of them; NaN makes it unknown.
    fn extreme(&mut self, args: &'a [Ast], pick: fn(f64, f64) -> f64, at: usize) -> Outcome<'a> {
        let mut values = args.iter().map(|arg| self.plain(arg)).collect::<Result<Vec<_>, _>>()?;
        if let [list] = values.as_slice()
            && let View::List = list.view()
        {
            let length = super::compare::length_of(list, at)?;
            values = (0..length).filter_map(|index| list.item(index)).collect();
        }
        let mut best: Option<f64> = None;
        for value in &values {
            self.charge(0, at)?;
            let number = match value.view() {
                View::Number(number) if !number.is_nan() => number,
                View::Number(_) => return Err(CannotTell::new(at, "NaN compares with nothing")),
                other => return Err(wrong("a number", &other, at)),
            };
            best = Some(best.map_or(number, |best| pick(best, number)));
        }
        best.map(Datum::Number).ok_or_else(|| CannotTell::new(at, "the list is empty"))
    }

    fn parse_number(&mut self, of: &'a Ast, at: usize) -> Outcome<'a> {
        let value = self.plain(of)?;
        match value.view() {
            View::Number(number) => Ok(Datum::Number(number)),
            View::Text(text) => {
                self.charge(text.len(), at)?;
                let number = text.trim().parse().map_err(|error| CannotTell::new(at, format!("{error}")));
                number.map(Datum::Number)
            }
            other => Err(wrong("a text that holds a number", &other, at)),
        }
    }

    fn texts(&mut self, (of, part): (&'a Ast, &'a Ast), holds: fn(&str, &str) -> bool, at: usize) -> Outcome<'a> {
        let (of_value, part_value) = (self.plain(of)?, self.plain(part)?);
        match (of_value.view(), part_value.view()) {
            (View::Text(text), View::Text(part)) => {
                self.charge(text.len() + part.len(), at)?;
                Ok(Datum::Bool(holds(text, part)))
            }
            (View::Text(_), other) => Err(wrong("a text", &other, part.at)),
            (other, _) => Err(wrong("a text", &other, of.at)),
        }
    }

    pub(super) fn matches(&mut self, of: &'a Ast, pattern: &Regex, at: usize) -> Outcome<'a> {
        let value = self.plain(of)?;
        match value.view() {
            View::Text(text) => {
                self.charge(text.len().saturating_mul(REGEX_COST) + BYTES_PER_STEP, at)?;
                Ok(Datum::Bool(pattern.is_match(text)))
            }
            other => Err(wrong("a text", &other, of.at)),
        }
    }
}
