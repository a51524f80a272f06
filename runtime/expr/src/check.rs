//! The check of a tree against declared names. It finds all mistakes: where one is, the value counts as of any type.

mod calls;
mod operators;

use crate::ast::{Ast, Shape};
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
        self.slip(at, format!("there is no `{name}` here"), hint)
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
                own.unwrap_or_else(|| self.slip(at, format!("there is no field `{name}`"), hint()))
            }
            Type::List(_) => self.slip(
                at,
                format!("a list has no field `{name}`"),
                "take one item, as in `list[0]`, or ask `exists`",
            ),
            Type::Bool | Type::Number | Type::Text | Type::Words(_) | Type::Roster { .. } | Type::Optional(_) => {
                self.slip(at, format!("there is no field `{name}`: this is {of}"), "")
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
