//! From text to tokens.

use crate::error::Slip;

/// The smallest piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Symbol {
    Name(String),
    Text(String),
    Number(f64),
    /// One or two characters of punctuation.
    Sign(&'static str),
    /// Nothing follows.
    End,
}

/// A token and the bytes before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lexeme {
    pub(crate) token: Symbol,
    pub(crate) at: usize,
}

/// The signs, the longer ones first.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}",
];

/// Where an expression ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Where nothing is left to read.
    TextEnd,
    /// Before the `}}` that closes the hole it stands in.
    HoleEnd,
}

/// The tokens of the expression that begins at `start`, and the offset where it ends. The last token is [`Symbol::End`].
pub(crate) fn lex(text: &str, start: usize, until: Until) -> Result<(Vec<Lexeme>, usize), Slip> {
    let mut reader = Scanner { text, at: start };
    let (mut lexemes, mut braces) = (Vec::new(), 0_usize);
    loop {
        reader.skip_blanks();
        let at = reader.at;
        if until == Until::HoleEnd && braces == 0 && reader.rest().starts_with("}}") {
            lexemes.push(Lexeme { token: Symbol::End, at });
            return Ok((lexemes, at));
        }
        let token = reader.token()?;
        match &token {
            Symbol::End if until == Until::HoleEnd => {
                return Err(Slip::new(start, "this hole has no end", "close it with `}}`"));
            }
            Symbol::Sign("{") => braces += 1,
            Symbol::Sign("}") => braces = braces.saturating_sub(1),
            Symbol::Name(_) | Symbol::Text(_) | Symbol::Number(_) | Symbol::Sign(_) | Symbol::End => {}
        }
        let ended = token == Symbol::End;
        lexemes.push(Lexeme { token, at });
        if ended {
            return Ok((lexemes, at));
        }
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
    }

    fn token(&mut self) -> Result<Symbol, Slip> {
        let at = self.at;
        let Some(first) = self.peek() else { return Ok(Symbol::End) };
        if first.is_ascii_digit() || (first == '.' && self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit())) {
            return self.number(at);
        }
        if first == '"' || first == '\'' {
            return self.quoted(at, false);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
            let quote = self.peek().filter(|c| *c == '"' || *c == '\'');
            return match (name, quote) {
                ("r" | "R", Some(_)) => self.quoted(at, true),
                (prefix, Some(_)) => Err(Slip::new(
                    at,
                    format!("a text has no prefix `{prefix}`"),
                    "`r` before a quote reads `\\` as it is",
                )),
                (name, None) => Ok(Symbol::Name(name.to_owned())),
            };
        }
        let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) else {
            return Err(unknown_sign(at, first));
        };
        self.at += sign.len();
        Ok(Symbol::Sign(sign))
    }

    fn number(&mut self, at: usize) -> Result<Symbol, Slip> {
        self.take_while(|c| c.is_ascii_digit());
        // A dot that no digit follows begins a field or a method.
        if self.peek() == Some('.') && self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            if self.rest().starts_with(['+', '-']) {
                self.at += 1;
            }
            self.take_while(|c| c.is_ascii_digit());
        }
        let after = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let written = self.text.get(at..self.at).unwrap_or_default();
        let refused = || Slip::new(at, format!("`{written}` is not a number"), "write it like 7, 0.75 or 1e6");
        if !after.is_empty() {
            return Err(refused());
        }
        written.parse::<f64>().ok().filter(|number| number.is_finite()).map(Symbol::Number).ok_or_else(refused)
    }

    fn quoted(&mut self, at: usize, raw: bool) -> Result<Symbol, Slip> {
        let open = || Slip::new(at, "this text has no closing quote", "close it with the same quote");
        let Some(quote) = self.next() else { return Err(open()) };
        let mut content = String::new();
        loop {
            let here = self.at;
            match self.next() {
                None | Some('\n' | '\r') => return Err(open()),
                Some(c) if c == quote => return Ok(Symbol::Text(content)),
                Some('\\') if !raw => content.push(self.escape(here)?),
                Some(c) => content.push(c),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Result<char, Slip> {
        let unknown = || Slip::new(at, "not an escape", r#"there are \\ \" \' \n \r \t and \u0041; or write r"…""#);
        match self.next() {
            Some(same @ ('\\' | '"' | '\'' | '`' | '?')) => Ok(same),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let sign = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
                self.at += 4;
                sign.ok_or_else(unknown)
            }
            Some(_) | None => Err(unknown()),
        }
    }
}

fn unknown_sign(at: usize, sign: char) -> Slip {
    let hint = match sign {
        '=' => "compare with `==`",
        '&' => "and is written `&&`",
        '|' => "or is written `||`",
        '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' | '`' => "texts stand in straight quotes",
        _ => "",
    };
    Slip::new(at, format!("`{}` has no meaning here", sign.escape_debug()), hint)
}
