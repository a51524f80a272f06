//! The evaluation of a tree on data. It always ends: its steps are counted.

mod compare;
mod functions;
mod walks;

use std::rc::Rc;

use serde_json::Value;

use crate::ast::{Ast, Operator, Shape};
use crate::datum::{Datum, View};
use crate::judgement::CannotTell;
use crate::limits::{BYTES_PER_STEP, DATA_DEPTH_MAX, DATA_MAX, STEPS_MAX};

/// A value, or why there is none.
type Outcome<'a> = Result<Datum<'a>, CannotTell>;

/// Evaluates a tree on data, whose fields are the names that it reads.
pub(crate) fn evaluate<'a>(root: &'a Ast, data: &'a Value) -> Result<Datum<'a>, CannotTell> {
    if let Some(flaw) = flaw(data) {
        return Err(CannotTell::new(root.at, flaw));
    }
    let mut run = Evaluation { data, steps: 0, item: None };
    let value = run.value(root)?;
    match value {
        Datum::Maybe(_) => Err(CannotTell::new(root.at, "an optional value needs `.orValue(…)`")),
        value => Ok(value),
    }
}

/// What is too large about data. Texts and keys count with their bytes, everything else with eight.
fn flaw(data: &Value) -> Option<String> {
    const VALUE_BYTES: usize = 8;
    let (mut left, mut open) = (DATA_MAX, vec![(data, 0)]);
    let too_large = || format!("there are more than {} KiB of data", DATA_MAX / 1024);
    while let Some((value, depth)) = open.pop() {
        if depth > DATA_DEPTH_MAX {
            return Some(format!("the data is nested deeper than {DATA_DEPTH_MAX}"));
        }
        let bytes = match value {
            Value::String(text) => text.len(),
            Value::Object(entries) => entries.keys().map(String::len).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => 0,
        };
        let Some(rest) = left.checked_sub(bytes + VALUE_BYTES) else { return Some(too_large()) };
        left = rest;
        match value {
            Value::Array(items) if items.len() > left / VALUE_BYTES => return Some(too_large()),
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(entries) => open.extend(entries.values().map(|value| (value, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    None
}

/// One evaluation.
struct Evaluation<'a> {
    data: &'a Value,
    steps: usize,
    /// The item of the comprehension that is under way, with its name.
    item: Option<(&'a str, Datum<'a>)>,
}

impl<'a> Evaluation<'a> {
    /// Counts steps, at least one.
    fn charge(&mut self, bytes: usize, at: usize) -> Result<(), CannotTell> {
        self.steps += 1 + bytes / BYTES_PER_STEP;
        if self.steps > STEPS_MAX { Err(CannotTell::new(at, "there is too much to work through")) } else { Ok(()) }
    }

    fn value(&mut self, ast: &'a Ast) -> Outcome<'a> {
        self.charge(0, ast.at)?;
        match &ast.shape {
            Shape::Null => Ok(Datum::Null),
            Shape::Bool(value) => Ok(Datum::Bool(*value)),
            Shape::Number(number) => Ok(Datum::Number(*number)),
            Shape::Text(text) => {
                self.charge(text.len(), ast.at)?;
                Ok(Datum::Text(text.as_str().into()))
            }
            Shape::Name(name) => self.name(name, ast.at),
            Shape::List(items) => {
                let items = items.iter().map(|item| self.plain(item)).collect::<Result<_, _>>()?;
                Ok(Datum::List(Rc::new(items)))
            }
            Shape::Table(entries) => {
                let entry = |(key, value): &'a (String, Ast)| Ok((key.clone(), self.plain(value)?));
                Ok(Datum::Table(Rc::new(entries.iter().map(entry).collect::<Result<_, _>>()?)))
            }
            Shape::Field { of, name, optional } => self.field((of, name), *optional, ast.at),
            Shape::Index { of, by, optional } => self.index((of, by), *optional, ast.at),
            Shape::Not(of) => Ok(Datum::Bool(!self.truth(of)?)),
            Shape::Minus(of) => Ok(Datum::Number(-self.number(of)?)),
            Shape::All(parts) => self.joined(parts, false),
            Shape::Any(parts) => self.joined(parts, true),
            Shape::Binary(operator, left, right) => self.binary(*operator, (left, right), ast.at),
            Shape::Choice(condition, yes, no) => {
                let branch = if self.truth(condition)? { yes } else { no };
                self.value(branch)
            }
            Shape::Call(function, args) => self.call(*function, args, ast.at),
            Shape::Matches(of, pattern) => self.matches(of, pattern, ast.at),
            Shape::Walk { walk, over, variable, body, filter } => {
                self.walk(*walk, over, (variable, body, filter.as_deref()), ast.at)
            }
        }
    }

    fn name(&self, name: &'a str, at: usize) -> Outcome<'a> {
        if let Some((_, item)) = self.item.as_ref().filter(|(own, _)| *own == name) {
            return Ok(item.clone());
        }
        let found = self.data.get(name).filter(|value| !value.is_null());
        found.map(Datum::Data).ok_or_else(|| CannotTell::new(at, format!("there is no `{name}`")))
    }

    /// A value that is not an optional one.
    fn plain(&mut self, ast: &'a Ast) -> Outcome<'a> {
        match self.value(ast)? {
            Datum::Maybe(_) => Err(CannotTell::new(ast.at, "an optional value needs `.orValue(…)`")),
            value => Ok(value),
        }
    }

    fn truth(&mut self, ast: &'a Ast) -> Result<bool, CannotTell> {
        let value = self.plain(ast)?;
        match value.view() {
            View::Bool(value) => Ok(value),
            other => Err(wrong("a truth value", &other, ast.at)),
        }
    }

    fn number(&mut self, ast: &'a Ast) -> Result<f64, CannotTell> {
        let value = self.plain(ast)?;
        match value.view() {
            View::Number(number) => Ok(number),
            other => Err(wrong("a number", &other, ast.at)),
        }
    }

    /// `||` is decided by a true part and `&&` by a false one, whatever cannot be told about the others.
    fn joined(&mut self, parts: &'a [Ast], decides: bool) -> Outcome<'a> {
        let mut unknown = None;
        for part in parts {
            match self.truth(part) {
                Ok(value) if value == decides => return Ok(Datum::Bool(decides)),
                Ok(_) => {}
                Err(why) => {
                    unknown.get_or_insert(why);
                }
            }
        }
        unknown.map_or(Ok(Datum::Bool(!decides)), Err)
    }

    fn field(&mut self, (of, name): (&'a Ast, &str), optional: bool, at: usize) -> Outcome<'a> {
        let absent = || CannotTell::new(at, format!("there is no `{name}`"));
        let of_value = if optional { self.value_or_absent(of)? } else { Some(self.value(of)?) };
        let Some(of_value) = of_value else { return Ok(Datum::Maybe(None)) };
        let (of_value, optional) = match of_value {
            Datum::Maybe(None) => return Ok(Datum::Maybe(None)),
            Datum::Maybe(Some(inner)) => ((*inner).clone(), true),
            value => (value, optional),
        };
        match of_value.view() {
            View::Table => {}
            other => return Err(wrong("an object", &other, of.at)),
        }
        let found = of_value.field(name).filter(is_present);
        if optional { Ok(Datum::Maybe(found.map(Rc::new))) } else { found.ok_or_else(absent) }
    }

    /// The value that `.?` reads from: an absent name is absent, not an error.
    fn value_or_absent(&mut self, of: &'a Ast) -> Result<Option<Datum<'a>>, CannotTell> {
        match &of.shape {
            Shape::Name(name) if self.item.as_ref().is_none_or(|(own, _)| own != name) => {
                Ok(self.data.get(name).filter(|value| !value.is_null()).map(Datum::Data))
            }
            _ => self.value(of).map(Some),
        }
    }

    fn index(&mut self, (of, by): (&'a Ast, &'a Ast), optional: bool, at: usize) -> Outcome<'a> {
        let (of_value, optional) = match self.value(of)? {
            Datum::Maybe(None) => return Ok(Datum::Maybe(None)),
            Datum::Maybe(Some(inner)) => ((*inner).clone(), true),
            value => (value, optional),
        };
        let by = self.plain(by)?;
        let (found, key) = match (of_value.view(), by.view()) {
            (View::List, View::Number(number)) => {
                let index = position(number);
                (index.and_then(|index| of_value.item(index)), crate::number::print(number))
            }
            (View::Table, View::Text(key)) => (of_value.field(key), format!("\"{key}\"")),
            (View::List, other) => return Err(wrong("a number between the brackets", &other, at)),
            (View::Table, other) => return Err(wrong("a text between the brackets", &other, at)),
            (other, _) => return Err(wrong("a list or an object", &other, of.at)),
        };
        let found = found.filter(is_present);
        if optional {
            return Ok(Datum::Maybe(found.map(Rc::new)));
        }
        found.ok_or_else(|| CannotTell::new(at, format!("there is nothing at [{key}]")))
    }

    fn binary(&mut self, operator: Operator, (left, right): (&'a Ast, &'a Ast), at: usize) -> Outcome<'a> {
        if operator == Operator::In {
            return self.contained((left, right), at);
        }
        if let Some(asked) =
            [(left, right), (right, left)].into_iter().find(|(one, _)| matches!(one.shape, Shape::Null))
        {
            let is_null = matches!(self.plain(asked.1)?.view(), View::Null);
            return Ok(Datum::Bool(is_null == (operator == Operator::Equal)));
        }
        let (a, b) = (self.plain(left)?, self.plain(right)?);
        match operator {
            Operator::Equal => self.equal(&a, &b, at).map(Datum::Bool),
            Operator::Unequal => self.equal(&a, &b, at).map(|same| Datum::Bool(!same)),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                self.ordered(operator, (&a, &b), at).map(Datum::Bool)
            }
            Operator::Plus | Operator::Minus | Operator::Times | Operator::Over | Operator::Modulo => {
                self.arithmetic(operator, (&a, &b), at)
            }
            Operator::In => Err(CannotTell::new(at, "`in` has no value")),
        }
    }
}

/// Whether a value is there: null means that it is not.
fn is_present(value: &Datum<'_>) -> bool {
    !matches!(value.view(), View::Null)
}

/// The index that a number stands for.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and within the bounds")]
fn position(number: f64) -> Option<usize> {
    (number >= 0.0 && number.fract() == 0.0 && number < 1e9).then_some(number as usize)
}

fn wrong(wanted: &str, found: &View<'_>, at: usize) -> CannotTell {
    CannotTell::new(at, format!("{wanted} is needed, and this is {}", found.kind()))
}
