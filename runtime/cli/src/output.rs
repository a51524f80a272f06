//! Printing: text for people, JSON for programs. Colours respect `NO_COLOR` and pipes.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use provost_domain::pack::Pack;
use provost_face::{StatusView, Tone, VisibleText};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
    /// `JUnit`'s XML, which only `packs test` writes.
    Junit,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    form: Form,
}

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
const NEWS: Style = AnsiColor::Cyan.on_default();

/// Longest cell of a table, in characters.
const CELL_MAX: usize = 60;
/// How wide a table of wrapped texts is without a terminal, in characters.
const TABLE_WIDTH: u16 = 120;

/// The colour of a tone.
pub(crate) fn style(tone: Tone) -> Style {
    match tone {
        Tone::Calm => DIM,
        Tone::Busy => NEWS,
        Tone::Ask | Tone::Warn => NOTE,
        Tone::Good => GOOD,
        Tone::Bad => BAD,
    }
}

/// A status with its sign, in its colour; the pack says what its outcomes mean.
pub(crate) fn status(word: &str, pack: Option<&Pack>) -> String {
    let StatusView { text, glyph, tone, .. } = StatusView::new(word, pack);
    let (style, text) = (style(tone), VisibleText::new(text).line(CELL_MAX));
    format!("{style}{glyph} {text}{style:#}")
}

/// What somebody's session came to, as a sentence behind its sign.
pub(crate) fn came_to(handle: &str, word: &str, pack: Option<&Pack>) -> String {
    let StatusView { text, glyph, tone, .. } = StatusView::new(word, pack);
    let (style, text) = (style(tone), VisibleText::new(text).line(CELL_MAX));
    format!("{style}{glyph}{style:#} {handle} is {style}{text}{style:#}")
}

impl Output {
    pub(crate) fn new(form: Form) -> Self {
        Self { form }
    }

    pub(crate) fn is_json(self) -> bool {
        self.form == Form::Json
    }

    pub(crate) fn is_text(self) -> bool {
        self.form == Form::Text
    }

    pub(crate) fn is_junit(self) -> bool {
        self.form == Form::Junit
    }

    /// Text for people beside the result, on standard error; nothing where a program reads.
    pub(crate) fn aside(self, text: &str) {
        if self.form == Form::Text {
            anstream::eprintln!("{text}");
        }
    }

    /// A whole document, whatever the form.
    pub(crate) fn document(text: &str) {
        anstream::print!("{text}");
    }

    /// A line for people; nothing where a program reads.
    pub(crate) fn line(self, text: &str) {
        if self.form == Form::Text {
            anstream::println!("{text}");
        }
    }

    /// One JSON line; nothing for people.
    pub(crate) fn json(self, value: &Value) {
        if self.is_json() {
            anstream::println!("{value}");
        }
    }

    /// One result: an object for programs, this text for people.
    pub(crate) fn result(self, value: &Value, text: &str) {
        self.json(value);
        self.line(text);
    }

    /// A list: an array for programs, a table for people.
    pub(crate) fn table(self, items: &[Value], columns: &[&str], nothing: &str) {
        if self.is_json() {
            return self.json(&json!(items));
        }
        if items.is_empty() {
            return self.line(nothing);
        }
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(columns.iter().map(|column| column.to_uppercase()));
        for item in items {
            table.add_row(columns.iter().map(|column| cell(item.get(column))));
        }
        self.line(&table.to_string());
    }

    /// A table of texts for people, whose cells are wrapped: nothing of them is left out.
    pub(crate) fn columns(self, head: &[VisibleText], rows: Vec<Vec<VisibleText>>) {
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_none() {
            table.set_width(TABLE_WIDTH);
        }
        table.set_header(head.iter().map(|column| column.as_str().to_uppercase()));
        for row in rows {
            table.add_row(row.iter().map(VisibleText::as_str));
        }
        self.line(&table.to_string());
    }

    pub(crate) fn error(self, error: &anyhow::Error) {
        if self.is_json() {
            anstream::println!("{}", json!({"error": format!("{error:#}")}));
        } else {
            anstream::eprintln!("{BAD}error{BAD:#}: {}", VisibleText::new(format!("{error:#}")).hanging("  "));
        }
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => VisibleText::new(text).line(CELL_MAX).to_string(),
        Some(other) => VisibleText::json_line(other, CELL_MAX).to_string(),
    }
}
