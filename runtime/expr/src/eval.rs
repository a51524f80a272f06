//! The evaluation of a tree on data. It always ends: its steps are counted.

mod compare;
mod steps;

use std::rc::Rc;

use regex::Regex;
use serde_json::Value;

use self::compare::{Outcome, is_present, length_of, wrong};
use self::steps::StepCount;
use crate::ast::{Ast, Comprehension, Function, Operator, Shape};
use crate::datum::{Datum, View};
use crate::judgement::CannotTell;
use crate::limits::{BYTES_PER_STEP, DATA_DEPTH_MAX, DATA_MAX};

/// Evaluates a tree on data, whose fields are the names that it reads.
pub(crate) fn evaluate<'a>(root: &'a Ast, data: &'a Value) -> Result<Datum<'a>, CannotTell> {
    if let Some(flaw) = flaw(data) {
        return Err(CannotTell::new(root.at, flaw));
    }
    let mut run = Evaluation { data, steps: StepCount::default(), item: None };
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

/// An expression under evaluation: what it reads, and what it has cost so far.
struct Evaluation<'a> {
    data: &'a Value,
    steps: StepCount,
    /// The item of the comprehension that is under way, with its name.
    item: Option<(&'a str, Datum<'a>)>,
}

impl<'a> Evaluation<'a> {
    fn value(&mut self, ast: &'a Ast) -> Outcome<'a> {
        self.steps.charge(0, ast.at)?;
        match &ast.shape {
            Shape::Null => Ok(Datum::Null),
            Shape::Bool(value) => Ok(Datum::Bool(*value)),
            Shape::Number(number) => Ok(Datum::Number(*number)),
            Shape::Text(text) => {
                self.steps.charge(text.len(), ast.at)?;
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
        found.map(Datum::Data).ok_or_else(|| CannotTell::new(at, format!("`{name}` is missing")))
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
        let absent = || CannotTell::new(at, format!("`{name}` is missing"));
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
        found.ok_or_else(|| CannotTell::new(at, format!("[{key}] is missing")))
    }

    fn binary(&mut self, operator: Operator, (left, right): (&'a Ast, &'a Ast), at: usize) -> Outcome<'a> {
        if operator == Operator::In {
            let (item, holder) = (self.plain(left)?, self.plain(right)?);
            return self.steps.contained(&item, &holder, at);
        }
        if let Some(asked) =
            [(left, right), (right, left)].into_iter().find(|(one, _)| matches!(one.shape, Shape::Null))
        {
            let is_null = matches!(self.plain(asked.1)?.view(), View::Null);
            return Ok(Datum::Bool(is_null == (operator == Operator::Equal)));
        }
        let (a, b) = (self.plain(left)?, self.plain(right)?);
        match operator {
            Operator::Equal => self.steps.equal(&a, &b, at).map(Datum::Bool),
            Operator::Unequal => self.steps.equal(&a, &b, at).map(|same| Datum::Bool(!same)),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                self.steps.ordered(operator, (&a, &b), at).map(Datum::Bool)
            }
            Operator::Plus | Operator::Minus | Operator::Times | Operator::Over | Operator::Modulo => {
                self.steps.arithmetic(operator, (&a, &b), at)
            }
            Operator::In => Err(CannotTell::new(at, "`in` has no value")),
        }
    }
}

/// The index that a number stands for.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and within the bounds")]
fn position(number: f64) -> Option<usize> {
    (number >= 0.0 && number.fract() == 0.0 && number < 1e9).then_some(number as usize)
}

/// A linear search looks at each byte this many times, measured on patterns of one kilobyte.
const REGEX_COST: usize = 16;

impl<'a> Evaluation<'a> {
    fn call(&mut self, function: Function, args: &'a [Ast], at: usize) -> Outcome<'a> {
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
                self.steps.charge(text.len(), at)?;
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
            (View::List, View::Number(index)) => position(index).and_then(|index| of_value.item(index)),
            (other, _) => return Err(wrong("an object", &other, of.at)),
        };
        Ok(found.is_some_and(|value| is_present(&value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "no size here comes near 2^53")]
    fn size(&mut self, of: &'a Ast, at: usize) -> Outcome<'a> {
        let value = self.plain(of)?;
        if let View::Text(text) = value.view() {
            self.steps.charge(text.len(), at)?;
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
            let length = length_of(list, at)?;
            values = (0..length).filter_map(|index| list.item(index)).collect();
        }
        let mut best: Option<f64> = None;
        for value in &values {
            self.steps.charge(0, at)?;
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
                self.steps.charge(text.len(), at)?;
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
                self.steps.charge(text.len() + part.len(), at)?;
                Ok(Datum::Bool(holds(text, part)))
            }
            (View::Text(_), other) => Err(wrong("a text", &other, part.at)),
            (other, _) => Err(wrong("a text", &other, of.at)),
        }
    }

    fn matches(&mut self, of: &'a Ast, pattern: &Regex, at: usize) -> Outcome<'a> {
        let value = self.plain(of)?;
        match value.view() {
            View::Text(text) => {
                self.steps.charge(text.len().saturating_mul(REGEX_COST) + BYTES_PER_STEP, at)?;
                Ok(Datum::Bool(pattern.is_match(text)))
            }
            other => Err(wrong("a text", &other, of.at)),
        }
    }
}

/// The item's name, what is asked or made of it, and the condition of a `map` with one.
type WalkBody<'a> = (&'a str, &'a Ast, Option<&'a Ast>);

impl<'a> Evaluation<'a> {
    fn walk(&mut self, walk: Comprehension, over: &'a Ast, body: WalkBody<'a>, at: usize) -> Outcome<'a> {
        let list = self.plain(over)?;
        match list.view() {
            View::List => {}
            View::Table => return Err(CannotTell::new(at, "the keys of an object have no order to walk in")),
            other => return Err(wrong("a list", &other, over.at)),
        }
        let length = length_of(&list, at)?;
        let items = (0..length).filter_map(|index| list.item(index));
        match walk {
            Comprehension::Exists => self.decided(items, body, true),
            Comprehension::All => self.decided(items, body, false),
            Comprehension::ExistsOne => self.exists_one(items, body),
            Comprehension::Filter => {
                let mut kept = Vec::new();
                for item in items {
                    if self.holds(&item, body.0, body.1)? {
                        kept.push(item);
                    }
                }
                Ok(Datum::List(Rc::new(kept)))
            }
            Comprehension::Map => {
                let mut made = Vec::new();
                for item in items {
                    let wanted = body.2.map(|condition| self.holds(&item, body.0, condition)).transpose()?;
                    if wanted.unwrap_or(true) {
                        made.push(self.with_item(&item, body.0, |run| run.plain(body.1))?);
                    }
                }
                Ok(Datum::List(Rc::new(made)))
            }
        }
    }

    /// Evaluates with the item under its name.
    fn with_item<T>(&mut self, item: &Datum<'a>, name: &'a str, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.item.replace((name, item.clone()));
        let value = evaluate(self);
        self.item = outer;
        value
    }

    fn holds(&mut self, item: &Datum<'a>, name: &'a str, condition: &'a Ast) -> Result<bool, CannotTell> {
        self.with_item(item, name, |run| run.truth(condition))
    }

    /// As `||` and `&&` over all items.
    fn decided(
        &mut self,
        items: impl Iterator<Item = Datum<'a>>,
        (name, condition, _): WalkBody<'a>,
        decides: bool,
    ) -> Outcome<'a> {
        let mut unknown = None;
        for item in items {
            match self.holds(&item, name, condition) {
                Ok(value) if value == decides => return Ok(Datum::Bool(decides)),
                Ok(_) => {}
                Err(why) => {
                    unknown.get_or_insert(why);
                }
            }
        }
        unknown.map_or(Ok(Datum::Bool(!decides)), Err)
    }

    /// Two that hold decide, whatever cannot be told about the others.
    fn exists_one(
        &mut self,
        items: impl Iterator<Item = Datum<'a>>,
        (name, condition, _): WalkBody<'a>,
    ) -> Outcome<'a> {
        let (mut unknown, mut count) = (None, 0_usize);
        for item in items {
            match self.holds(&item, name, condition) {
                Ok(holds) => count += usize::from(holds),
                Err(why) => unknown = Some(why),
            }
            if count > 1 {
                return Ok(Datum::Bool(false));
            }
        }
        unknown.map_or(Ok(Datum::Bool(count == 1)), Err)
    }
}
