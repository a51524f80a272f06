//! From tokens to a tree, by the strength of the operators. What is too large or too deep is refused here.

use regex::RegexBuilder;

use crate::ast::{Ast, Comprehension, FUNCTIONS, Function, MATCHES, METHODS, Operator, Shape, WALKS};
use crate::error::{Slip, nearest};
use crate::lex::{Lexeme, Symbol, Until, lex};
use crate::limits::{COMPREHENSIONS_MAX, NESTING_MAX, NODES_MAX, PATTERNS_MAX, REGEX_BYTES_MAX, TEXT_MAX};

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

/// Words with a meaning of their own.
const WORDS: [&str; 4] = ["true", "false", "null", "in"];

impl Parser {
    /// A value with the fields, indexes and methods behind it.
    fn postfix(&mut self) -> Result<Ast, Slip> {
        let mut of = self.primary()?;
        loop {
            let at = self.at();
            if self.take_sign(".") {
                of = self.member(of)?;
            } else if self.take_sign("[") {
                let optional = self.take_sign("?");
                let by = self.expression(0)?;
                self.expect("]", "after the index")?;
                of = self.node(Shape::Index { of: Box::new(of), by: Box::new(by), optional }, at)?;
            } else {
                return Ok(of);
            }
        }
    }

    fn member(&mut self, of: Ast) -> Result<Ast, Slip> {
        let optional = self.take_sign("?");
        let at = self.at();
        let Symbol::Name(name) = self.peek().clone() else {
            let found = describe(self.peek());
            return Err(Slip::new(at, format!("a name is missing after `.`, {found} stands there"), ""));
        };
        self.next += 1;
        if !self.is_sign("(") {
            return self.node(Shape::Field { of: Box::new(of), name, optional }, at);
        }
        if optional {
            return Err(Slip::new(at, "a method is not optional", "take the `?` out"));
        }
        self.next += 1;
        self.method(of, &name, at)
    }

    fn primary(&mut self) -> Result<Ast, Slip> {
        let at = self.at();
        let token = self.peek().clone();
        self.next += 1;
        match token {
            Symbol::Number(number) => self.node(Shape::Number(number), at),
            Symbol::Text(text) => self.node(Shape::Text(text), at),
            Symbol::Name(word) => self.word(word, at),
            Symbol::Sign("(") => {
                let inner = self.expression(0)?;
                self.expect(")", "after what `(` begins")?;
                Ok(inner)
            }
            Symbol::Sign("[") => {
                let items = self.list("]")?;
                self.node(Shape::List(items), at)
            }
            Symbol::Sign("{") => self.table(at),
            other @ (Symbol::Sign(_) | Symbol::End) => {
                let hint = if other == Symbol::Sign(".") { "begin with a name" } else { "" };
                Err(Slip::new(at, format!("a value is missing, {} stands there", describe(&other)), hint))
            }
        }
    }

    fn word(&mut self, word: String, at: usize) -> Result<Ast, Slip> {
        match word.as_str() {
            "true" => self.node(Shape::Bool(true), at),
            "false" => self.node(Shape::Bool(false), at),
            "null" => self.node(Shape::Null, at),
            "in" => Err(Slip::new(at, "a value is missing before `in`", "")),
            "and" | "or" | "not" => {
                Err(Slip::new(at, format!("`{word}` has no meaning here"), "write `&&`, `||` and `!`"))
            }
            _ if self.take_sign("(") => self.function(&word, at),
            _ => self.node(Shape::Name(word), at),
        }
    }

    /// Values with commas between them up to a closing sign; a comma may stand before it.
    fn list(&mut self, close: &str) -> Result<Vec<Ast>, Slip> {
        let mut items = Vec::new();
        while !self.take_sign(close) {
            items.push(self.expression(0)?);
            if !self.take_sign(",") {
                self.expect(close, "at the end of the list")?;
                break;
            }
        }
        Ok(items)
    }

    fn table(&mut self, at: usize) -> Result<Ast, Slip> {
        let mut entries: Vec<(String, Ast)> = Vec::new();
        while !self.take_sign("}") {
            let here = self.at();
            let Symbol::Text(key) = self.peek().clone() else {
                let message = format!("a key is missing, {} stands there", describe(self.peek()));
                return Err(Slip::new(here, message, "keys stand in quotes"));
            };
            if entries.iter().any(|(own, _)| *own == key) {
                return Err(Slip::new(here, format!("the key `{key}` is written twice"), "take one out"));
            }
            self.next += 1;
            self.expect(":", "after a key")?;
            entries.push((key, self.expression(0)?));
            if !self.take_sign(",") {
                self.expect("}", "at the end of the table")?;
                break;
            }
        }
        self.node(Shape::Table(entries), at)
    }

    fn function(&mut self, name: &str, at: usize) -> Result<Ast, Slip> {
        let Some((_, function, least, most)) = FUNCTIONS.into_iter().find(|row| row.0 == name) else {
            let known = FUNCTIONS.iter().map(|row| row.0);
            let method = METHODS.iter().map(|row| row.0).chain(WALKS.map(|row| row.0)).chain([MATCHES]);
            let hint = if method.clone().any(|own| own == name) {
                format!("it stands behind a value: `value.{name}(…)`")
            } else {
                nearest(name, known)
            };
            return Err(Slip::new(at, format!("no function `{name}`"), hint));
        };
        let args = self.list(")")?;
        counted(name, args.len(), (least, most), at)?;
        if function == Function::Has {
            let plain = args.first().is_some_and(|arg| match &arg.shape {
                Shape::Field { optional, .. } | Shape::Index { optional, .. } => !optional,
                _ => false,
            });
            if !plain {
                return Err(Slip::new(at, "`has` asks for a field", "write `has(fields.name)`"));
            }
        }
        self.node(Shape::Call(function, args), at)
    }

    fn method(&mut self, of: Ast, name: &str, at: usize) -> Result<Ast, Slip> {
        if let Some((_, walk)) = WALKS.into_iter().find(|row| row.0 == name) {
            return self.walk(of, walk, at);
        }
        if name == MATCHES {
            return self.matches(of, at);
        }
        let Some((_, function, least, most)) = METHODS.into_iter().find(|row| row.0 == name) else {
            let known = METHODS.iter().map(|row| row.0).chain(WALKS.map(|row| row.0)).chain([MATCHES]);
            return Err(Slip::new(at, format!("no method `{name}`"), nearest(name, known)));
        };
        let args = self.list(")")?;
        counted(name, args.len(), (least - 1, most - 1), at)?;
        self.node(Shape::Call(function, [of].into_iter().chain(args).collect()), at)
    }

    fn matches(&mut self, of: Ast, at: usize) -> Result<Ast, Slip> {
        let args = self.list(")")?;
        counted(MATCHES, args.len(), (1, 1), at)?;
        let Some(Ast { shape: Shape::Text(pattern), at: place, .. }) = args.first() else {
            return Err(Slip::new(at, "the pattern of `matches` must be a written text", "write it in quotes"));
        };
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            let message = format!("the expression has more than {PATTERNS_MAX} patterns");
            return Err(Slip::new(at, message, "join them with `|`, or split the expression"));
        }
        match RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build() {
            Ok(regex) => self.node(Shape::Matches(Box::new(of), Box::new(regex)), at),
            Err(error) => {
                let last = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
                let message = format!("not a regular expression: {}", last.trim_start_matches("error: "));
                Err(Slip::new(*place, message, "in a text `\\` is written twice, or write r\"…\""))
            }
        }
    }

    fn walk(&mut self, over: Ast, walk: Comprehension, at: usize) -> Result<Ast, Slip> {
        if self.within_walk {
            let message = format!("`{walk}` stands inside another comprehension");
            return Err(Slip::new(at, message, "let a tool or a second condition do it"));
        }
        self.walks += 1;
        if self.walks > COMPREHENSIONS_MAX {
            let message = format!("the expression has more than {COMPREHENSIONS_MAX} comprehensions");
            return Err(Slip::new(at, message, "split it into several"));
        }
        let place = self.at();
        let variable = match self.peek().clone() {
            Symbol::Name(name) if !WORDS.contains(&name.as_str()) => name,
            _ => {
                let hint = format!("write `{walk}(item, item.name == \"…\")`");
                return Err(Slip::new(place, format!("`{walk}` needs a name for the item"), hint));
            }
        };
        self.next += 1;
        self.expect(",", "after the item's name")?;
        self.within_walk = true;
        let mut args = self.list(")")?;
        self.within_walk = false;
        let most = if walk == Comprehension::Map { 3 } else { 2 };
        counted(&walk.to_string(), args.len() + 1, (2, most), at)?;
        let Some(body) = args.pop() else { return Err(Slip::new(at, "a value is missing", "")) };
        let (over, body, filter) = (Box::new(over), Box::new(body), args.pop().map(Box::new));
        self.node(Shape::Walk { walk, over, variable, body, filter }, at)
    }
}

fn counted(name: &str, found: usize, (least, most): (usize, usize), at: usize) -> Result<(), Slip> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let word = if least == most && least == 1 { "value" } else { "values" };
    Err(Slip::new(at, format!("`{name}` takes {wanted} {word} in its brackets, and {found} stand there"), ""))
}
