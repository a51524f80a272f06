//! Paths in tokens that nobody parses: those of macros and attributes.

use proc_macro2::{TokenStream, TokenTree};

/// Paths like `a::b::C`, and `self.name(…)` as the function `Self::name`.
pub(super) fn paths_in(tokens: &TokenStream) -> Vec<Vec<String>> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        match tree {
            TokenTree::Group(group) => found.extend(paths_in(&group.stream())),
            TokenTree::Ident(_) if !follows(&trees, at) => {
                let path = path_at(&trees, at);
                at += 3 * (path.len() - 1);
                if path == ["self"] {
                    found.extend(own_function(&trees, at));
                }
                found.push(path);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The function of the `impl`'s type that `self` at this place calls.
fn own_function(trees: &[TokenTree], at: usize) -> Option<Vec<String>> {
    match (trees.get(at + 1)?, trees.get(at + 2)?, trees.get(at + 3)?) {
        (dot, TokenTree::Ident(name), TokenTree::Group(_)) if is_punct(dot, '.') => {
            Some(vec!["Self".to_owned(), name.to_string()])
        }
        _ => None,
    }
}

/// Whether the identifier belongs to what stands before it: a field, a method, a lifetime, the rest of a path.
fn follows(trees: &[TokenTree], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| trees.get(before)) else {
        return false;
    };
    let range = at.checked_sub(2).and_then(|before| trees.get(before)).is_some_and(|tree| is_punct(tree, '.'));
    is_punct(before, '.') && !range || is_punct(before, '\'') || is_punct(before, ':') && path_sign(trees, at)
}

/// Whether `::` stands before this place.
fn path_sign(trees: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_punct(&trees[at - 1], ':') && is_punct(&trees[at - 2], ':')
}

fn path_at(trees: &[TokenTree], at: usize) -> Vec<String> {
    let mut path = vec![trees[at].to_string()];
    let mut next = at + 1;
    while let (Some(first), Some(second), Some(TokenTree::Ident(name))) =
        (trees.get(next), trees.get(next + 1), trees.get(next + 2))
        && is_punct(first, ':')
        && is_punct(second, ':')
    {
        path.push(name.to_string());
        next += 3;
    }
    path
}

fn is_punct(tree: &TokenTree, sign: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// Paths that an attribute holds as text, as `#[serde(with = "crate::time")]` does.
pub(super) fn paths_in_text(tokens: &TokenStream) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for tree in tokens.clone() {
        match tree {
            TokenTree::Group(group) => found.extend(paths_in_text(&group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let path: Vec<String> = text.trim_matches('"').split("::").map(str::to_owned).collect();
                let plain = |name: &String| name.chars().all(|sign| sign.is_alphanumeric() || sign == '_');
                if path.iter().all(plain) {
                    found.push(path);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
    found
}
