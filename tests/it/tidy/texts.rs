//! What a source file says in words: its string literals and its doc comments.

use proc_macro2::{Literal, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, LitStr, Macro, Meta};

use super::source::SourceFile;

/// One text and the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) line: usize,
    pub(super) content: String,
    pub(super) is_comment: bool,
}

/// The texts of a file in the order of their lines, a doc comment of several lines as one.
pub(super) fn texts(file: &SourceFile) -> Vec<Text> {
    let mut visitor = Texts::default();
    file.attributes.iter().for_each(|attribute| visitor.visit_attribute(attribute));
    file.items.iter().for_each(|item| visitor.visit_item(item));
    let mut found: Vec<Text> = Vec::new();
    let mut last_line = 0;
    for text in visitor.found {
        let line = text.line;
        match found.last_mut() {
            Some(before) if before.is_comment && text.is_comment && text.line == last_line + 1 => {
                before.content.push_str(&text.content);
            }
            _ => found.push(text),
        }
        last_line = line;
    }
    found
}

#[derive(Default)]
struct Texts {
    found: Vec<Text>,
}

impl Texts {
    fn add(&mut self, text: &LitStr, is_comment: bool) {
        self.found.push(Text { line: text.span().start().line, content: text.value(), is_comment });
    }

    fn scan(&mut self, tokens: &TokenStream) {
        for tree in tokens.clone() {
            match tree {
                TokenTree::Group(group) => self.scan(&group.stream()),
                TokenTree::Literal(literal) => self.add_literal(literal),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    fn add_literal(&mut self, literal: Literal) {
        if let Lit::Str(text) = Lit::new(literal) {
            self.add(&text, false);
        }
    }
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.add(text, false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match (doc(attribute), &attribute.meta) {
            (Some(text), _) => self.add(text, true),
            (None, Meta::List(list)) => self.scan(&list.tokens),
            (None, _) => visit::visit_attribute(self, attribute),
        }
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.scan(&called.tokens);
    }
}

/// The line of a doc comment that an attribute is.
pub(super) fn doc(attribute: &Attribute) -> Option<&LitStr> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The words of a text in small letters; `'` is part of a word.
pub(super) fn words(text: &str) -> Vec<String> {
    let pieces = text.split(|sign: char| !sign.is_alphanumeric() && sign != '\'');
    pieces.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[test]
fn texts_come_from_literals_macros_attributes_and_comments() {
    let source = "//! Head.\n\n/// Two\n/// lines.\n#[error(\"failed\")]\nstruct A;\n\
                  fn f() { g(\"a\"); print!(\"{} b\", x) }\n#[cfg(test)]\nfn g() { \"not this\" }";
    let read = |path: &str| (path == "lib.rs").then(|| source.to_owned());
    let source = super::source::CrateSource::parse("made-up", &read);
    let found: Vec<(usize, String)> =
        texts(&source.files[0]).into_iter().map(|text| (text.line, text.content)).collect();
    let expected = [(1, " Head."), (3, " Two lines."), (5, "failed"), (7, "a"), (7, "{} b")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}
