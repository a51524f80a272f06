//! Comparisons, calculations and `in`.

use super::{Checker, fits, is_text};
use crate::ast::{Ast, Operator, Shape};
use crate::error::nearest;
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn binary(&mut self, operator: Operator, left: &'a Ast, right: &'a Ast, at: usize) -> Type {
        match operator {
            Operator::Equal | Operator::Unequal => self.equality(operator, left, right, at),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                self.order(operator, left, right, at)
            }
            Operator::In => self.membership(left, right),
            Operator::Plus => self.sum(left, right, at),
            Operator::Minus | Operator::Times | Operator::Over | Operator::Modulo => {
                self.wanted(left, &Type::Number);
                self.wanted(right, &Type::Number)
            }
        }
    }

    fn equality(&mut self, operator: Operator, left: &'a Ast, right: &'a Ast, at: usize) -> Type {
        let (a, b) = (self.plain(left), self.plain(right));
        let is_null = |ast: &Ast| matches!(ast.shape, Shape::Null);
        if is_null(left) || is_null(right) {
            return Type::Bool;
        }
        if !fits(&a, &b) && !fits(&b, &a) {
            let message = format!("`{}` compares {a} with {b}, which are never the same", operator.sign());
            self.slip(at, message, "");
        }
        self.constant(right, &a);
        self.constant(left, &b);
        if let (Some(own), Some(other)) = (a.values(), b.values())
            && !own.iter().any(|value| other.contains(value))
        {
            self.slip(at, format!("{a} is never {b}"), "compare values of one list");
        }
        Type::Bool
    }

    /// A written text that stands where one of a closed list belongs.
    pub(super) fn constant(&mut self, ast: &'a Ast, wanted: &Type) {
        let Some(values) = wanted.values() else { return };
        match &ast.shape {
            Shape::Text(text) if !values.contains(text) => {
                let hint = nearest(text, values.iter().map(String::as_str));
                let of = match wanted {
                    Type::Roster { name, .. } => format!(" of the roster `{name}`"),
                    _ => " that it can have".to_owned(),
                };
                self.slip(ast.at, format!("`{text}` is not a value{of}"), hint);
            }
            Shape::Choice(_, yes, no) => {
                self.constant(yes, wanted);
                self.constant(no, wanted);
            }
            _ => {}
        }
    }

    fn order(&mut self, operator: Operator, left: &'a Ast, right: &'a Ast, at: usize) -> Type {
        let (a, b) = (self.plain(left), self.plain(right));
        let closed = [&a, &b].into_iter().find(|own| own.values().is_some());
        let both = |kind: Type| fits(&a, &kind) && fits(&b, &kind);
        if let Some(own) = closed {
            let message = format!("`{}` needs an order, and {own} has none", operator.sign());
            self.slip(at, message, "name the values: `x in [\"…\", \"…\"]`");
        } else if !both(Type::Number) && !both(Type::Text) {
            let message = format!("`{}` compares two numbers or two texts, and these are {a} and {b}", operator.sign());
            self.slip(at, message, "");
        }
        Type::Bool
    }

    fn membership(&mut self, left: &'a Ast, right: &'a Ast) -> Type {
        let (item, holder) = (self.plain(left), self.plain(right));
        match &holder {
            Type::Any => {}
            Type::List(own) => {
                if !fits(&item, own.present()) && !fits(own.present(), &item) {
                    self.slip(left.at, format!("the list holds {}, and this is {item}", own.present()), "");
                }
                self.constant(left, own.present());
            }
            Type::Map(_) if fits(&item, &Type::Text) => {}
            Type::Object(fields) if fits(&item, &Type::Text) => {
                if let Shape::Text(name) = &left.shape
                    && !fields.contains_key(name)
                {
                    let hint = nearest(name, fields.keys().map(String::as_str));
                    self.slip(left.at, format!("there is no field `{name}`"), hint);
                }
            }
            Type::Map(_) | Type::Object(_) => {
                self.slip(left.at, format!("the key of an object is a text, and this is {item}"), "");
            }
            other if is_text(other) => {
                self.slip(right.at, "`in` looks into a list, and this is a text", "write `text.contains(part)`");
            }
            other => {
                self.slip(right.at, format!("`in` looks into a list, and this is {other}"), "");
            }
        }
        if let Shape::List(items) = &right.shape {
            for own in items {
                self.constant(own, &item);
            }
        }
        Type::Bool
    }

    fn sum(&mut self, left: &'a Ast, right: &'a Ast, at: usize) -> Type {
        let (a, b) = (self.plain(left), self.plain(right));
        match (&a, &b) {
            (Type::Any, Type::Any) => Type::Any,
            (Type::Number, other) | (other, Type::Number) if fits(other, &Type::Number) => Type::Number,
            (one, other) if (is_text(one) && fits(other, &Type::Text)) || (is_text(other) && *one == Type::Any) => {
                Type::Text
            }
            (Type::List(_), Type::List(_) | Type::Any) => a,
            (Type::Any, Type::List(_)) => b,
            _ => {
                let number = a == Type::Number || b == Type::Number;
                let hint = if number && (is_text(&a) || is_text(&b)) { "write `string(number)`" } else { "" };
                self.slip(at, format!("`+` joins two numbers or two texts, and these are {a} and {b}"), hint)
            }
        }
    }
}
