//! Printing: text for people, JSON for programs. Colours respect `NO_COLOR` and pipes.

use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    form: Form,
}

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();

impl Output {
    pub(crate) fn new(form: Form) -> Self {
        Self { form }
    }

    pub(crate) fn is_json(self) -> bool {
        self.form == Form::Json
    }

    /// A line for people; nothing where JSON is wanted.
    pub(crate) fn line(self, text: &str) {
        if !self.is_json() {
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

    pub(crate) fn error(self, error: &anyhow::Error) {
        if self.is_json() {
            anstream::println!("{}", json!({"error": format!("{error:#}")}));
        } else {
            anstream::eprintln!("{BAD}error{BAD:#}: {error:#}");
        }
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.chars().take(60).collect(),
        Some(other) => other.to_string().chars().take(60).collect(),
    }
}
