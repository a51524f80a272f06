//! Comprehensions.

use std::rc::Rc;

use super::compare::length_of;
use super::{Evaluation, Outcome, wrong};
use crate::ast::{Ast, Comprehension};
use crate::datum::{Datum, View};
use crate::judgement::CannotTell;

/// The item's name, what is asked or made of it, and the condition of a `map` with one.
type WalkBody<'a> = (&'a str, &'a Ast, Option<&'a Ast>);

impl<'a> Evaluation<'a> {
    pub(super) fn walk(&mut self, walk: Comprehension, over: &'a Ast, body: WalkBody<'a>, at: usize) -> Outcome<'a> {
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
