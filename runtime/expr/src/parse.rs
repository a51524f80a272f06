//! From tokens to a tree, by the strength of the operators. What is too large or too deep is refused here.

mod primary;

use crate::ast::{Ast, Operator, Shape};
use crate::error::Slip;
use crate::lex::{Lexeme, Symbol, Until, lex};
use crate::limits::{NESTING_MAX, NODES_MAX, TEXT_MAX};

/// Parses the expression that begins at `start`; gives the tree and the offset of its end.
pub(crate) fn parse(text: &str, start: usize, until: Until) -> Result<(Ast, usize), Slip> {
    let too_long = |length: usize| {
        let message = format!("the expression has {length} bytes, and {TEXT_MAX} are allowed");
        Slip::new(start, message, "split it into several, or let a tool work it out")
    };
    if until == Until::TextEnd && text.len() - start.min(text.len()) > TEXT_MAX {
        return Err(too_long(text.len() - start));
    }
    let (lexemes, end) = lex(text, start, until)?;
    if end - start > TEXT_MAX {
        return Err(too_long(end - start));
    }
    let mut parser = Parser { lexemes, next: 0, end, nodes: 0, depth: 0, walks: 0, patterns: 0, within_walk: false };
    let root = parser.expression(0)?;
    match parser.peek() {
        Symbol::End => Ok((root, end)),
        other => Err(Slip::new(parser.at(), format!("{} is not expected here", describe(other)), "")),
    }
}

/// A token in words.
fn describe(token: &Symbol) -> String {
    match token {
        Symbol::Name(name) => format!("`{name}`"),
        Symbol::Text(_) => "a text".to_owned(),
        Symbol::Number(_) => "a number".to_owned(),
        Symbol::Sign(sign) => format!("`{sign}`"),
        Symbol::End => "the end".to_owned(),
    }
}

struct Parser {
    lexemes: Vec<Lexeme>,
    next: usize,
    end: usize,
    nodes: usize,
    /// How deep the parser itself stands.
    depth: usize,
    walks: usize,
    patterns: usize,
    within_walk: bool,
}

/// How strongly an infix operator binds, from 1 up.
fn strength(token: &Symbol) -> Option<(u8, &'static str)> {
    let sign = match token {
        Symbol::Sign(sign) => *sign,
        Symbol::Name(name) if name == "in" => "in",
        Symbol::Name(_) | Symbol::Text(_) | Symbol::Number(_) | Symbol::End => return None,
    };
    let strength = match sign {
        "?" => 1,
        "||" => 2,
        "&&" => 3,
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" => 4,
        "+" | "-" => 5,
        "*" | "/" | "%" => 6,
        _ => return None,
    };
    Some((strength, sign))
}

fn operator(sign: &str) -> Option<Operator> {
    const ALL: [Operator; 12] = [
        Operator::Equal,
        Operator::Unequal,
        Operator::Less,
        Operator::AtMost,
        Operator::Greater,
        Operator::AtLeast,
        Operator::In,
        Operator::Plus,
        Operator::Minus,
        Operator::Times,
        Operator::Over,
        Operator::Modulo,
    ];
    ALL.into_iter().find(|operator| operator.sign() == sign)
}

impl Parser {
    fn peek(&self) -> &Symbol {
        self.lexemes.get(self.next).map_or(&Symbol::End, |lexeme| &lexeme.token)
    }

    fn at(&self) -> usize {
        self.lexemes.get(self.next).map_or(self.end, |lexeme| lexeme.at)
    }

    fn is_sign(&self, sign: &str) -> bool {
        if let Symbol::Sign(own) = self.peek() { *own == sign } else { false }
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is = self.is_sign(sign);
        self.next += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str, why: &str) -> Result<(), Slip> {
        if self.take_sign(sign) {
            return Ok(());
        }
        let found = describe(self.peek());
        Err(Slip::new(self.at(), format!("`{sign}` is missing {why}, {found} stands there"), ""))
    }

    /// A node, if there may be one more.
    fn node(&mut self, shape: Shape, at: usize) -> Result<Ast, Slip> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the expression has more than {NODES_MAX} parts");
            return Err(Slip::new(at, message, "split it into several"));
        }
        let mut node = Ast { shape, at, height: 1 };
        node.height += node.parts().iter().map(|part| part.height).max().unwrap_or(0);
        if node.height > NESTING_MAX { Err(too_deep(at)) } else { Ok(node) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Slip>) -> Result<T, Slip> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(too_deep(self.at()));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Operators that bind at least as strongly as `least`.
    fn expression(&mut self, least: u8) -> Result<Ast, Slip> {
        self.deeper(|parser| parser.operators(least))
    }

    fn operators(&mut self, least: u8) -> Result<Ast, Slip> {
        let mut left = self.unary()?;
        while let Some((strength, sign)) = strength(self.peek()).filter(|(strength, _)| *strength >= least) {
            let at = self.at();
            self.next += 1;
            left = match sign {
                "?" => self.choice(left, at)?,
                "&&" | "||" => self.joined(left, sign, at, strength)?,
                sign => {
                    let right = self.expression(strength + 1)?;
                    let Some(operator) = operator(sign) else { return Err(Slip::new(at, "not an operator", "")) };
                    self.node(Shape::Binary(operator, Box::new(left), Box::new(right)), at)?
                }
            };
        }
        Ok(left)
    }

    fn choice(&mut self, condition: Ast, at: usize) -> Result<Ast, Slip> {
        let yes = self.expression(2)?;
        self.expect(":", "between the two values of `?`")?;
        let no = self.expression(1)?;
        self.node(Shape::Choice(Box::new(condition), Box::new(yes), Box::new(no)), at)
    }

    /// `&&` and `||` take any number of parts side by side, so that long conditions are not deep.
    fn joined(&mut self, left: Ast, sign: &str, at: usize, strength: u8) -> Result<Ast, Slip> {
        let mut parts = vec![left];
        loop {
            parts.push(self.expression(strength + 1)?);
            if !self.take_sign(sign) {
                break;
            }
        }
        self.node(if sign == "&&" { Shape::All(parts) } else { Shape::Any(parts) }, at)
    }

    fn unary(&mut self) -> Result<Ast, Slip> {
        let at = self.at();
        if self.take_sign("!") {
            let of = self.deeper(Self::unary)?;
            return self.node(Shape::Not(Box::new(of)), at);
        }
        if self.take_sign("-") {
            let of = self.deeper(Self::unary)?;
            return self.node(Shape::Minus(Box::new(of)), at);
        }
        self.postfix()
    }
}

fn too_deep(at: usize) -> Slip {
    Slip::new(at, format!("the expression is nested deeper than {NESTING_MAX}"), "split it into several")
}
