//! What each line of a Markdown text is.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Part of a paragraph, or blank.
    Text,
    /// A heading by its sign or the line under it.
    Heading,
    /// The line that makes the one above it a heading.
    Underline,
    /// The first line of a list item.
    Item,
    /// Inside a block of code, a quotation or a table: it does not speak for the writer.
    Quoted,
}

/// The kind of each line.
pub(super) fn kinds(text: &str, count: usize) -> Vec<LineKind> {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line_of = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
    let mut kinds = vec![LineKind::Text; count];
    let mut lists = 0_usize;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let (first, last) = (line_of(range.start), line_of(range.end.saturating_sub(1).max(range.start)));
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::Table(_)) => fill(&mut kinds, first, last, LineKind::Quoted),
            Event::Start(Tag::BlockQuote(_)) => {
                // A line that only goes on from a quotation without its sign is read as the writer's own.
                for (kind, line) in kinds.iter_mut().zip(text.lines()).skip(first).take(last + 1 - first) {
                    if line.trim_start().starts_with('>') {
                        *kind = LineKind::Quoted;
                    }
                }
            }
            Event::Start(Tag::List(_)) => lists += 1,
            Event::End(TagEnd::List(_)) => lists = lists.saturating_sub(1),
            Event::Start(Tag::Item) if lists == 1 => fill(&mut kinds, first, first, LineKind::Item),
            Event::Start(Tag::Heading { .. }) if lists == 0 => {
                let source = text.get(range).unwrap_or_default();
                if source.trim_start().starts_with('#') {
                    fill(&mut kinds, first, first, LineKind::Heading);
                } else if last > first {
                    fill(&mut kinds, last - 1, last - 1, LineKind::Heading);
                    fill(&mut kinds, last, last, LineKind::Underline);
                }
            }
            _ => {}
        }
    }
    kinds
}

/// Lines that are quoted stay so, whatever stands in them.
fn fill(kinds: &mut [LineKind], first: usize, last: usize, kind: LineKind) {
    for own in kinds.iter_mut().skip(first).take(last + 1 - first) {
        if *own != LineKind::Quoted {
            *own = kind;
        }
    }
}
