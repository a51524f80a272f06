//! Equality, order and arithmetic.

use std::cmp::Ordering;
use std::rc::Rc;

use super::steps::StepCount;
use crate::ast::Operator;
use crate::datum::{Datum, View};
use crate::judgement::CannotTell;
use crate::limits::{DATA_MAX, LIST_MAX};

impl StepCount {
    /// Whether two values are the same. Values of two kinds do not compare: what is a number today and a text tomorrow was
    /// read wrongly. NaN compares with nothing.
    pub(super) fn equal(&mut self, a: &Datum<'_>, b: &Datum<'_>, at: usize) -> Result<bool, CannotTell> {
        self.charge(0, at)?;
        match (a.view(), b.view()) {
            (View::Bool(a), View::Bool(b)) => Ok(a == b),
            (View::Number(a), View::Number(b)) => order(a, b, at).map(|order| order == Ordering::Equal),
            (View::Text(a), View::Text(b)) => {
                self.charge(a.len().min(b.len()), at)?;
                Ok(a == b)
            }
            (View::List, View::List) => self.same_lists(a, b, at),
            (View::Table, View::Table) => self.same_tables(a, b, at),
            (a, b) => Err(CannotTell::new(at, format!("{} does not compare with {}", a.kind(), b.kind()))),
        }
    }

    fn same_lists(&mut self, a: &Datum<'_>, b: &Datum<'_>, at: usize) -> Result<bool, CannotTell> {
        let (length, other) = (length_of(a, at)?, length_of(b, at)?);
        if length != other {
            return Ok(false);
        }
        let mut unknown = None;
        for (a, b) in (0..length).filter_map(|index| a.item(index).zip(b.item(index))) {
            match self.equal(&a, &b, at) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => unknown = Some(why),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    fn same_tables(&mut self, a: &Datum<'_>, b: &Datum<'_>, at: usize) -> Result<bool, CannotTell> {
        let keys = a.keys();
        if keys.len() > LIST_MAX {
            return Err(too_long(at));
        }
        if keys.len() != b.keys().len() {
            return Ok(false);
        }
        let mut unknown = None;
        for key in keys {
            let (Some(own), Some(other)) = (a.field(key), b.field(key)) else { return Ok(false) };
            match self.equal(&own, &other, at) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => unknown = Some(why),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    pub(super) fn ordered(
        &mut self,
        operator: Operator,
        (a, b): (&Datum<'_>, &Datum<'_>),
        at: usize,
    ) -> Result<bool, CannotTell> {
        let order = match (a.view(), b.view()) {
            (View::Number(a), View::Number(b)) => order(a, b, at)?,
            (View::Text(a), View::Text(b)) => {
                self.charge(a.len().min(b.len()), at)?;
                a.cmp(b)
            }
            (a, b) => {
                return Err(CannotTell::new(at, format!("{} and {} have no order", a.kind(), b.kind())));
            }
        };
        match operator {
            Operator::Less => Ok(order.is_lt()),
            Operator::AtMost => Ok(order.is_le()),
            Operator::Greater => Ok(order.is_gt()),
            Operator::AtLeast => Ok(order.is_ge()),
            Operator::Equal
            | Operator::Unequal
            | Operator::In
            | Operator::Plus
            | Operator::Minus
            | Operator::Times
            | Operator::Over
            | Operator::Modulo => Err(CannotTell::new(at, "no order is asked for")),
        }
    }

    pub(super) fn arithmetic<'a>(
        &mut self,
        operator: Operator,
        (a, b): (&Datum<'a>, &Datum<'a>),
        at: usize,
    ) -> Outcome<'a> {
        match (operator, a.view(), b.view()) {
            (Operator::Plus, View::Text(a), View::Text(b)) => {
                let length = a.len() + b.len();
                if length > DATA_MAX {
                    return Err(CannotTell::new(at, "the text becomes too long"));
                }
                self.charge(length, at)?;
                Ok(Datum::Text([a, b].concat().into()))
            }
            (Operator::Plus, View::List, View::List) => {
                let (first, second) = (length_of(a, at)?, length_of(b, at)?);
                if first + second > LIST_MAX {
                    return Err(too_long(at));
                }
                (0..first + second).try_for_each(|_| self.charge(0, at))?;
                let items = (0..first).filter_map(|i| a.item(i)).chain((0..second).filter_map(|i| b.item(i)));
                Ok(Datum::List(Rc::new(items.collect())))
            }
            (_, View::Number(a), View::Number(b)) => calculate(operator, a, b, at).map(Datum::Number),
            (_, View::Number(_), other) | (_, other, _) => {
                let wanted = if operator == Operator::Plus { "two numbers or two texts" } else { "a number" };
                Err(wrong(wanted, &other, at))
            }
        }
    }

    /// Whether a list holds a value, or an object a key.
    pub(super) fn contained<'a>(&mut self, item: &Datum<'a>, holder: &Datum<'a>, at: usize) -> Outcome<'a> {
        match (item.view(), holder.view()) {
            (View::Text(key), View::Table) => {
                let held = holder.field(key).is_some_and(|value| is_present(&value));
                Ok(Datum::Bool(held))
            }
            (_, View::List) => {
                let mut unknown = None;
                for own in (0..length_of(holder, at)?).filter_map(|index| holder.item(index)) {
                    match self.equal(item, &own, at) {
                        Ok(true) => return Ok(Datum::Bool(true)),
                        Ok(false) => {}
                        Err(why) => unknown = Some(why),
                    }
                }
                unknown.map_or(Ok(Datum::Bool(false)), Err)
            }
            (_, other) => Err(wrong("a list", &other, at)),
        }
    }
}

fn calculate(operator: Operator, a: f64, b: f64, at: usize) -> Result<f64, CannotTell> {
    match operator {
        Operator::Plus => Ok(a + b),
        Operator::Minus => Ok(a - b),
        Operator::Times => Ok(a * b),
        Operator::Over => Ok(a / b),
        Operator::Modulo => Ok(a % b),
        Operator::Equal
        | Operator::Unequal
        | Operator::Less
        | Operator::AtMost
        | Operator::Greater
        | Operator::AtLeast
        | Operator::In => Err(CannotTell::new(at, "not a calculation")),
    }
}

fn order(a: f64, b: f64, at: usize) -> Result<Ordering, CannotTell> {
    a.partial_cmp(&b).ok_or_else(|| CannotTell::new(at, "NaN compares with nothing"))
}

/// The length of a list that is short enough to be walked.
pub(super) fn length_of(list: &Datum<'_>, at: usize) -> Result<usize, CannotTell> {
    let length = list.size().unwrap_or(0);
    if length > LIST_MAX { Err(too_long(at)) } else { Ok(length) }
}

fn too_long(at: usize) -> CannotTell {
    CannotTell::new(at, format!("a list has more than {LIST_MAX} items"))
}

/// A value, or why it cannot be told.
pub(super) type Outcome<'a> = Result<Datum<'a>, CannotTell>;

/// Whether a value is there: null means that it is not.
pub(super) fn is_present(value: &Datum<'_>) -> bool {
    !matches!(value.view(), View::Null)
}

pub(super) fn wrong(wanted: &str, found: &View<'_>, at: usize) -> CannotTell {
    CannotTell::new(at, format!("{wanted} is needed, and this is {}", found.kind()))
}
