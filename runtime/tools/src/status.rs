//! What a status of HTTP says about a request that writes: it was answered, it surely did nothing, or nobody knows.
//!
//! An answer may be a proxy's and then says nothing about what stands behind it. So only statuses by which a request is
//! refused before it is worked on say that nothing happened, and only those that a server is known to answer with say that
//! it did. A configuration names them in the keys `refused` and `ok` as conditions on `status`: `status in [400, 409]`,
//! `status >= 200 && status < 300`.

use provost_form::{ErrorLog, FromYaml, YamlNode};

use crate::error::ToolsError;

/// The lowest status, and one more than the highest.
const FIRST: u16 = 100;
const END: u16 = 600;
/// Longest condition, in bytes, and its deepest nesting.
const TEXT_MAX: usize = 1024;
const NESTING_MAX: u32 = 24;
/// Statuses by which a server, or any proxy before it, refuses a request without working on it.
const REFUSED: [u16; 9] = [400, 401, 403, 404, 405, 410, 413, 415, 422];

/// Some of the statuses there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusSet(Vec<bool>);

impl StatusSet {
    fn of(holds: impl Fn(u16) -> bool) -> Self {
        Self((FIRST..END).map(holds).collect())
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        let index = status.checked_sub(FIRST).map(usize::from);
        index.and_then(|index| self.0.get(index)).copied().unwrap_or(false)
    }

    fn with(self, other: &Self, both: impl Fn(bool, bool) -> bool) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| both(*a, *b)).collect())
    }
}

impl FromYaml for StatusSet {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let text = String::read(node, log)?;
        match parse(&text) {
            Ok(set) => Some(set),
            Err(why) => {
                let hint =
                    "write a condition on `status`, such as `status in [400, 409]` or `status >= 200 && status < 300`";
                log.report(node.place, format!("not a condition on `status`: {why}"), hint);
                None
            }
        }
    }

    fn blank() -> Self {
        Self::of(|_| false)
    }
}

/// What the statuses of one server say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusRules {
    /// Those of an answer: the request was worked on.
    pub(crate) ok: StatusSet,
    /// Those that say that nothing was done.
    pub(crate) refused: StatusSet,
}

impl Default for StatusRules {
    fn default() -> Self {
        Self {
            ok: StatusSet::of(|status| (200..300).contains(&status)),
            refused: StatusSet::of(|status| REFUSED.contains(&status)),
        }
    }
}

/// What a status says of one request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusWord {
    /// It was answered.
    Answered,
    /// It surely did nothing.
    Refused,
    /// Nobody knows.
    Unknown,
}

impl StatusRules {
    /// The rules, with what a configuration says instead.
    ///
    /// # Errors
    /// A status says both.
    pub(crate) fn new(
        tool: &'static str,
        ok: Option<StatusSet>,
        refused: Option<StatusSet>,
    ) -> Result<Self, ToolsError> {
        let standard = Self::default();
        let rules = Self { ok: ok.unwrap_or(standard.ok), refused: refused.unwrap_or(standard.refused) };
        match (FIRST..END).find(|status| rules.ok.contains(*status) && rules.refused.contains(*status)) {
            Some(status) => Err(ToolsError::Statuses { tool, status }),
            None => Ok(rules),
        }
    }

    pub(crate) fn word(&self, status: u16) -> StatusWord {
        if self.ok.contains(status) {
            StatusWord::Answered
        } else if self.refused.contains(status) {
            StatusWord::Refused
        } else {
            StatusWord::Unknown
        }
    }
}

/// Reads a condition on `status`. An error says what is wrong.
fn parse(text: &str) -> Result<StatusSet, String> {
    if text.len() > TEXT_MAX {
        return Err(format!("it is longer than {TEXT_MAX} bytes"));
    }
    let mut reader = ConditionReader { rest: text.trim_start(), depth: 0 };
    let set = reader.either()?;
    if reader.rest.is_empty() { Ok(set) } else { Err(reader.expected("`&&` or `||`")) }
}

type Comparison = fn(u16, u16) -> bool;

struct ConditionReader<'a> {
    rest: &'a str,
    depth: u32,
}

impl ConditionReader<'_> {
    fn either(&mut self) -> Result<StatusSet, String> {
        let mut set = self.both()?;
        while self.take("||") {
            set = set.with(&self.both()?, |a, b| a || b);
        }
        Ok(set)
    }

    fn both(&mut self) -> Result<StatusSet, String> {
        let mut set = self.one()?;
        while self.take("&&") {
            set = set.with(&self.one()?, |a, b| a && b);
        }
        Ok(set)
    }

    fn one(&mut self) -> Result<StatusSet, String> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(format!("it is nested deeper than {NESTING_MAX}"));
        }
        let set = if !self.rest.starts_with("!=") && self.take("!") {
            let set = self.one()?;
            set.clone().with(&set, |a, _| !a)
        } else if self.take("(") {
            let set = self.either()?;
            if !self.take(")") {
                return Err(self.expected("`)`"));
            }
            set
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(set)
    }

    fn comparison(&mut self) -> Result<StatusSet, String> {
        if !self.word("status") {
            let value = self.number()?;
            let compare = self.operator()?;
            if !self.word("status") {
                return Err(self.expected("`status`"));
            }
            return Ok(StatusSet::of(|status| compare(value, status)));
        }
        if self.word("in") {
            let values = self.list()?;
            return Ok(StatusSet::of(|status| values.contains(&status)));
        }
        let compare = self.operator()?;
        let value = self.number()?;
        Ok(StatusSet::of(|status| compare(status, value)))
    }

    fn list(&mut self) -> Result<Vec<u16>, String> {
        if !self.take("[") {
            return Err(self.expected("`[`"));
        }
        let mut values = vec![self.number()?];
        while self.take(",") {
            values.push(self.number()?);
        }
        if self.take("]") { Ok(values) } else { Err(self.expected("`]`")) }
    }

    fn operator(&mut self) -> Result<Comparison, String> {
        let operators: [(&str, Comparison); 6] = [
            ("==", |a, b| a == b),
            ("!=", |a, b| a != b),
            ("<=", |a, b| a <= b),
            (">=", |a, b| a >= b),
            ("<", |a, b| a < b),
            (">", |a, b| a > b),
        ];
        let found = operators.into_iter().find(|(sign, _)| self.take(sign));
        found.map(|(_, compare)| compare).ok_or_else(|| self.expected("a comparison or `in`"))
    }

    fn number(&mut self) -> Result<u16, String> {
        let end = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        match digits.parse() {
            Ok(status) if (FIRST..END).contains(&status) => {
                self.rest = rest.trim_start();
                Ok(status)
            }
            Ok(_) | Err(_) => Err(self.expected("a status from 100 to 599")),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let goes_on = |rest: &str| rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        !self.rest.strip_prefix(word).is_none_or(goes_on) && self.take(word)
    }

    fn take(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expected(&self, what: &str) -> String {
        match self.rest.chars().take(20).collect::<String>() {
            rest if rest.is_empty() => format!("{what} is missing at its end"),
            rest => format!("expected {what} at `{rest}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statuses(text: &str) -> Vec<u16> {
        let set = parse(text).unwrap();
        (FIRST..END).filter(|status| set.contains(*status)).collect()
    }

    #[test]
    fn conditions_name_statuses() {
        assert_eq!(statuses("status in [400, 404,409 ,422]"), [400, 404, 409, 422]);
        assert_eq!(statuses("status == 303"), [303]);
        assert_eq!(statuses("303 == status || status==200"), [200, 303]);
        assert_eq!(statuses(" status >= 200 && status < 203 "), [200, 201, 202]);
        assert_eq!(statuses("!(status != 201) || (status > 598)"), [201, 599]);
        assert_eq!(statuses("status in [200] || status in [201] && status == 202"), [200]);
    }

    #[test]
    fn what_is_no_condition_is_refused_with_its_place() {
        let nested = format!("{}status == 200{}", "(".repeat(40), ")".repeat(40));
        for (text, part) in [
            ("", "missing at its end"),
            ("status", "a comparison or `in`"),
            ("status = 200", "a comparison or `in`"),
            ("status in 200", "`[`"),
            ("status in []", "a status"),
            ("status == 20", "a status"),
            ("status == 2000", "a status"),
            ("code == 200", "a status"),
            ("statuses == 200", "a status"),
            ("status == 200 status == 201", "`&&` or `||`"),
            ("(status == 200", "`)`"),
            (&nested, "nested deeper"),
            (&"x".repeat(2000), "longer than"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn only_what_refuses_before_work_says_that_nothing_happened() {
        let rules = StatusRules::default();
        for status in FIRST..END {
            let expect = match status {
                200..300 => StatusWord::Answered,
                400 | 401 | 403 | 404 | 405 | 410 | 413 | 415 | 422 => StatusWord::Refused,
                _ => StatusWord::Unknown,
            };
            assert_eq!(rules.word(status), expect, "{status}");
        }
    }

    #[test]
    fn a_status_says_one_thing() {
        let ok = parse("status in [200, 409]").unwrap();
        let refused = parse("status in [409]").unwrap();
        assert!(StatusRules::new("service", Some(ok.clone()), Some(refused)).unwrap_err().to_string().contains("409"));
        let rules = StatusRules::new("service", Some(ok), None).unwrap();
        assert_eq!(
            [200, 204, 409, 404].map(|status| rules.word(status)),
            [StatusWord::Answered, StatusWord::Unknown, StatusWord::Answered, StatusWord::Refused]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[status in0-9=!<>&|()\\[\\], ]{0,60}") {
            drop(parse(&text));
        }

        #[test]
        fn not_twice_is_the_same(status in FIRST..END, first in FIRST..END, last in FIRST..END) {
            let range = format!("status >= {first} && status <= {last}");
            let twice = format!("!!({range})");
            prop_assert_eq!(parse(&range).unwrap().contains(status), (first..=last).contains(&status));
            prop_assert_eq!(parse(&twice).unwrap(), parse(&range).unwrap());
        }
    }
}
