//! Functions, methods and comprehensions.

use super::{Checker, fits, is_text, join};
use crate::ast::{Ast, Comprehension, Function};
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn call(&mut self, function: Function, args: &'a [Ast], at: usize) -> Type {
        match (function, args) {
            (Function::Has, args) => {
                for arg in args {
                    self.type_of(arg);
                }
                Type::Bool
            }
            (Function::Size, [of]) => {
                let own = self.plain(of);
                if !matches!(own, Type::Any | Type::List(_) | Type::Object(_) | Type::Map(_)) && !is_text(&own) {
                    self.slip(of.at, format!("`size` counts a list, an object or a text, and this is {own}"), "");
                }
                Type::Number
            }
            (Function::Min | Function::Max, [list]) => {
                let own = self.plain(list);
                if !fits(&own, &Type::Number.list()) {
                    self.slip(list.at, format!("`{function}` takes numbers or a list of them, and this is {own}"), "");
                }
                Type::Number
            }
            (Function::Min | Function::Max, args) => {
                for arg in args {
                    self.wanted(arg, &Type::Number);
                }
                Type::Number
            }
            (Function::ToText, [of]) => {
                let own = self.plain(of);
                if matches!(own, Type::List(_) | Type::Object(_) | Type::Map(_)) {
                    self.slip(of.at, format!("`string` takes a number or a truth value, and this is {own}"), "");
                }
                Type::Text
            }
            (Function::ToNumber, [of]) => {
                let own = self.plain(of);
                if !fits(&own, &Type::Text) && own != Type::Number {
                    self.slip(of.at, format!("`double` takes a text that holds a number, and this is {own}"), "");
                }
                Type::Number
            }
            (Function::Contains, [of, part]) => {
                let own = self.plain(of);
                if matches!(own, Type::List(_)) {
                    self.slip(at, "`contains` looks into a text, and this is a list", "write `item in list`");
                } else if !fits(&own, &Type::Text) {
                    self.slip(of.at, format!("`contains` looks into a text, and this is {own}"), "");
                }
                self.wanted(part, &Type::Text);
                Type::Bool
            }
            (Function::StartsWith | Function::EndsWith, args) => {
                for arg in args {
                    self.wanted(arg, &Type::Text);
                }
                Type::Bool
            }
            (Function::OrValue, [of, other]) => self.or_value(of, other, at),
            (Function::Size | Function::ToText | Function::ToNumber | Function::Contains | Function::OrValue, _) => {
                self.slip(at, format!("`{function}` takes another number of values"), "")
            }
        }
    }

    fn or_value(&mut self, of: &'a Ast, other: &'a Ast, at: usize) -> Type {
        let own = match self.type_of(of) {
            Type::Optional(inner) => *inner,
            found => {
                self.slip(at, "`orValue` follows a value that may be absent", "write `.?name.orValue(…)`");
                found
            }
        };
        let instead = self.plain(other);
        if !fits(&instead, &own) && !fits(&own, &instead) {
            self.slip(other.at, format!("the value is {own}, and this is {instead}"), "give one of the same kind");
        }
        self.constant(other, &own);
        let written = matches!(other.shape, crate::ast::Shape::Text(_)) && own.values().is_some();
        if written { own } else { join(own, &instead) }
    }

    pub(super) fn walk(
        &mut self,
        walk: Comprehension,
        over: &'a Ast,
        (variable, body, filter): (&'a str, &'a Ast, Option<&'a Ast>),
        at: usize,
    ) -> Type {
        let list = self.plain(over);
        let item = match &list {
            Type::List(item) => item.present().clone(),
            Type::Any => Type::Any,
            Type::Object(_) | Type::Map(_) => {
                let message = format!("`{walk}` walks a list, and the keys of an object have no order");
                self.slip(at, message, "name the field, or ask `has(…)`")
            }
            other => self.slip(at, format!("`{walk}` walks a list, and this is {other}"), ""),
        };
        if self.scope.get(variable).is_some() {
            let message = format!("the item's name `{variable}` already means something here");
            self.slip(body.at, message, "choose another name");
        }
        self.item = Some((variable, item));
        if let Some(filter) = filter {
            self.wanted(filter, &Type::Bool);
        }
        let own = match walk {
            Comprehension::Exists | Comprehension::All | Comprehension::ExistsOne => self.wanted(body, &Type::Bool),
            Comprehension::Filter => {
                self.wanted(body, &Type::Bool);
                if matches!(list, Type::List(_)) { list } else { Type::Any.list() }
            }
            Comprehension::Map => self.plain(body).list(),
        };
        self.item = None;
        own
    }
}
