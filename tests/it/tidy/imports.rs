//! What a `use` imports, and the names of items and types.

use syn::{Item, Type, UseTree};

/// What one leaf of a `use` imports.
pub(super) enum Import {
    /// One name, perhaps under another.
    Name { alias: String, path: Vec<String> },
    /// All names of a module.
    All { path: Vec<String> },
}

/// The leaves of a `use`.
pub(super) fn imports(tree: &UseTree) -> Vec<Import> {
    let mut found = Vec::new();
    leaves(tree, &[], &mut found);
    found
}

fn leaves(tree: &UseTree, before: &[String], found: &mut Vec<Import>) {
    let with = |name: String| -> Vec<String> { before.iter().cloned().chain([name]).collect() };
    match tree {
        UseTree::Path(tree) => leaves(&tree.tree, &with(tree.ident.to_string()), found),
        UseTree::Name(tree) if tree.ident == "self" => {
            let alias = before.last().cloned().unwrap_or_default();
            found.push(Import::Name { alias, path: before.to_vec() });
        }
        UseTree::Name(tree) => {
            let alias = tree.ident.to_string();
            found.push(Import::Name { path: with(alias.clone()), alias });
        }
        UseTree::Rename(tree) => {
            found.push(Import::Name { alias: tree.rename.to_string(), path: with(tree.ident.to_string()) });
        }
        UseTree::Glob(_) => found.push(Import::All { path: before.to_vec() }),
        UseTree::Group(tree) => tree.items.iter().for_each(|tree| leaves(tree, before, found)),
    }
}

/// The name that an item defines in its module.
pub(super) fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The path of a type that is nothing but a path.
pub(super) fn type_path(of: &Type) -> Option<Vec<String>> {
    match of {
        Type::Path(of) if of.qself.is_none() && of.path.leading_colon.is_none() => {
            Some(of.path.segments.iter().map(|segment| segment.ident.to_string()).collect())
        }
        _ => None,
    }
}
