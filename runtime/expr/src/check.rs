//! The check of a tree against declared names. It finds all mistakes: where one is, the value counts as of any type.

use crate::ast::{Ast, Comprehension, Function, Operator, Shape};
use crate::error::{Slip, nearest};
use crate::types::{Scope, Type};

/// The type of a tree, and the mistakes in it.
pub(crate) fn check(root: &Ast, scope: &Scope) -> (Type, Vec<Slip>) {
    let mut checker = Checker { scope, item: None, slips: Vec::new() };
    let own = checker.plain(root);
    (own, checker.slips)
}

struct Checker<'a> {
    scope: &'a Scope,
    /// The item of the comprehension that is under way.
    item: Option<(&'a str, Type)>,
    slips: Vec<Slip>,
}

impl<'a> Checker<'a> {
    fn slip(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) -> Type {
        self.slips.push(Slip::new(at, message, hint));
        Type::Any
    }

    /// The type of a value that must not be an optional one, as `.?name` gives it.
    fn plain(&mut self, ast: &'a Ast) -> Type {
        match self.type_of(ast) {
            Type::Optional(_) => self.slip(ast.at, "the value may be absent", "add `.orValue(…)`"),
            other => other,
        }
    }

    fn type_of(&mut self, ast: &'a Ast) -> Type {
        match &ast.shape {
            Shape::Null => Type::Any,
            Shape::Bool(_) => Type::Bool,
            Shape::Number(_) => Type::Number,
            Shape::Text(_) => Type::Text,
            Shape::Name(name) => self.name(name, ast.at),
            Shape::List(items) => {
                let mut types = items.iter().map(|item| self.plain(item)).collect::<Vec<_>>().into_iter();
                let first = types.next().unwrap_or(Type::Any);
                types.fold(first, |own, other| join(own, &other)).list()
            }
            Shape::Table(entries) => {
                Type::Object(entries.iter().map(|(key, value)| (key.clone(), self.plain(value))).collect())
            }
            Shape::Field { of, name, optional } => {
                let of = self.type_of(of);
                self.field(of, name, *optional, ast.at)
            }
            Shape::Index { of, by, optional } => self.index(of, by, *optional, ast.at),
            Shape::Not(of) => self.wanted(of, &Type::Bool),
            Shape::Minus(of) => self.wanted(of, &Type::Number),
            Shape::All(parts) | Shape::Any(parts) => {
                for part in parts {
                    self.wanted(part, &Type::Bool);
                }
                Type::Bool
            }
            Shape::Binary(operator, left, right) => self.binary(*operator, left, right, ast.at),
            Shape::Choice(condition, yes, no) => {
                self.wanted(condition, &Type::Bool);
                let (yes, no) = (self.plain(yes), self.plain(no));
                join(yes, &no)
            }
            Shape::Call(function, args) => self.call(*function, args, ast.at),
            Shape::Matches(of, _) => {
                self.wanted(of, &Type::Text);
                Type::Bool
            }
            Shape::Walk { walk, over, variable, body, filter } => {
                self.walk(*walk, over, (variable, body, filter.as_deref()), ast.at)
            }
        }
    }

    /// A value of this type; gives the type whatever stands there.
    fn wanted(&mut self, ast: &'a Ast, wanted: &Type) -> Type {
        let found = self.plain(ast);
        if !fits(&found, wanted) {
            self.slip(ast.at, format!("{wanted} is needed here, and this is {found}"), "");
        }
        wanted.clone()
    }

    fn name(&mut self, name: &str, at: usize) -> Type {
        if let Some((_, item)) = self.item.as_ref().filter(|(own, _)| *own == name) {
            return item.clone();
        }
        if let Some(own) = self.scope.get(name) {
            return own.present().clone();
        }
        let item = self.item.as_ref().map(|(own, _)| *own);
        let hint = nearest(name, self.scope.names().chain(item));
        self.slip(at, format!("`{name}` is not known here"), hint)
    }

    fn field(&mut self, of: Type, name: &str, optional: bool, at: usize) -> Type {
        let (of, optional) = match of {
            Type::Optional(inner) => (*inner, true),
            other => (other, optional),
        };
        let own = match &of {
            Type::Any => Type::Any,
            Type::Map(value) => (**value).clone(),
            Type::Object(fields) => {
                let hint = || nearest(name, fields.keys().map(String::as_str));
                let own = fields.get(name).map(|own| own.present().clone());
                own.unwrap_or_else(|| self.slip(at, format!("`{name}` is not a field here"), hint()))
            }
            Type::List(_) => self.slip(
                at,
                format!("a list has no field `{name}`"),
                "take one item, as in `list[0]`, or ask `exists`",
            ),
            Type::Bool | Type::Number | Type::Text | Type::Words(_) | Type::Roster { .. } | Type::Optional(_) => {
                self.slip(at, format!("`{name}` is not a field: this is {of}"), "")
            }
        };
        if optional { own.optional() } else { own }
    }

    fn index(&mut self, of: &'a Ast, by: &'a Ast, optional: bool, at: usize) -> Type {
        let of = self.type_of(of);
        if let (Shape::Text(name), false) = (&by.shape, matches!(of.present(), Type::List(_))) {
            return self.field(of, name, optional, by.at);
        }
        let (of, optional) = match of {
            Type::Optional(inner) => (*inner, true),
            other => (other, optional),
        };
        let own = match of {
            Type::Any => {
                self.plain(by);
                Type::Any
            }
            Type::List(item) => {
                self.wanted(by, &Type::Number);
                item.present().clone()
            }
            Type::Map(value) => {
                self.wanted(by, &Type::Text);
                value.present().clone()
            }
            Type::Object(_) => {
                self.wanted(by, &Type::Text);
                Type::Any
            }
            other @ (Type::Bool
            | Type::Number
            | Type::Text
            | Type::Words(_)
            | Type::Roster { .. }
            | Type::Optional(_)) => {
                self.slip(at, format!("only lists and objects take `[…]`, and this is {other}"), "")
            }
        };
        if optional { own.optional() } else { own }
    }
}

/// Whether a value of one type may stand where another is needed.
fn fits(found: &Type, wanted: &Type) -> bool {
    match (found, wanted) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Words(_) | Type::Roster { .. } | Type::Text, Type::Text) => true,
        (Type::Text, Type::Words(_) | Type::Roster { .. }) => true,
        (Type::Words(_) | Type::Roster { .. }, Type::Words(_) | Type::Roster { .. }) => true,
        (Type::List(a), Type::List(b)) => fits(a.present(), b.present()),
        (Type::Object(_) | Type::Map(_), Type::Object(_) | Type::Map(_)) => true,
        (Type::Bool, Type::Bool) | (Type::Number, Type::Number) => true,
        (
            Type::Bool
            | Type::Number
            | Type::Text
            | Type::Words(_)
            | Type::Roster { .. }
            | Type::List(_)
            | Type::Object(_)
            | Type::Map(_)
            | Type::Optional(_),
            _,
        ) => false,
    }
}

/// The type that values of both have.
fn join(a: Type, b: &Type) -> Type {
    if a == *b {
        return a;
    }
    match (&a, b) {
        (Type::Words(own), Type::Words(other)) => {
            let more = other.iter().filter(|word| !own.contains(word));
            Type::Words(own.iter().chain(more).cloned().collect())
        }
        (one, other) if is_text(one) && is_text(other) => Type::Text,
        (Type::List(own), Type::List(other)) => join((**own).clone(), other).list(),
        _ => Type::Any,
    }
}

fn is_text(own: &Type) -> bool {
    matches!(own, Type::Text | Type::Words(_) | Type::Roster { .. })
}

impl<'a> Checker<'a> {
    fn binary(&mut self, operator: Operator, left: &'a Ast, right: &'a Ast, at: usize) -> Type {
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
    fn constant(&mut self, ast: &'a Ast, wanted: &Type) {
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
                    self.slip(left.at, format!("`{name}` is not a field here"), hint);
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

impl<'a> Checker<'a> {
    fn call(&mut self, function: Function, args: &'a [Ast], at: usize) -> Type {
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
        let written = matches!(other.shape, Shape::Text(_)) && own.values().is_some();
        if written { own } else { join(own, &instead) }
    }

    fn walk(
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
