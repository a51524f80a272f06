//! The parsed source files of one crate: what ships, without its tests.

use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, ImplItem, Item, Meta};

use super::packages::{PACKAGES, root};

/// One source file of a crate.
pub(super) struct SourceFile {
    /// Where it lies below `src`.
    pub(super) path: String,
    /// The names of the modules that lead to it from the crate's root.
    pub(super) module: Vec<String>,
    /// The comments and attributes at its head.
    pub(super) attributes: Vec<Attribute>,
    /// What it declares, without anything behind `#[cfg(test)]`.
    pub(super) items: Vec<Item>,
    /// Its whole text.
    pub(super) text: String,
}

/// A crate and the files its `mod` declarations lead to.
pub(super) struct CrateSource {
    /// The crate's folder in the workspace.
    pub(super) folder: String,
    /// Its files, the root first.
    pub(super) files: Vec<SourceFile>,
}

impl CrateSource {
    /// Reads a crate from `lib.rs` and `main.rs`; `read` answers a path below `src` with the file's text.
    pub(super) fn parse(folder: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut own = Self { folder: folder.to_owned(), files: Vec::new() };
        for root in ["lib.rs", "main.rs"] {
            if let Some(text) = read(root) {
                own.add(Place { path: root.to_owned(), module: Vec::new(), children: String::new() }, text, read);
            }
        }
        own
    }

    /// Adds a file and the files of its child modules.
    fn add(&mut self, Place { path, module, children }: Place, text: String, read: &dyn Fn(&str) -> Option<String>) {
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}/{path}: {error}", self.folder));
        let mut items = parsed.items;
        drop_tests(&mut items);
        let declared = declared_modules(&items, &module, &children);
        self.files.push(SourceFile { path, module, attributes: parsed.attrs, items, text });
        for (module, file) in declared {
            let (short, long) = (format!("{file}.rs"), format!("{file}/mod.rs"));
            let path = if read(&short).is_some() { short } else { long };
            let text = read(&path).unwrap_or_else(|| panic!("{}/{path} is missing", self.folder));
            self.add(Place { path, module, children: format!("{file}/") }, text, read);
        }
    }
}

/// Where a file stands in its crate.
struct Place {
    path: String,
    module: Vec<String>,
    /// The folder of its child modules.
    children: String,
}

/// The child modules that have files of their own: the module's names and the path of its file without `.rs`.
fn declared_modules(items: &[Item], module: &[String], children: &str) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    for item in items {
        let Item::Mod(child) = item else { continue };
        let name = child.ident.to_string();
        let names: Vec<String> = module.iter().cloned().chain([name.clone()]).collect();
        match &child.content {
            Some((_, inner)) => found.extend(declared_modules(inner, &names, &format!("{children}{name}/"))),
            None => found.push((names, format!("{children}{name}"))),
        }
    }
    found
}

fn drop_tests(items: &mut Vec<Item>) {
    items.retain(|item| !attributes(item).iter().any(is_test_only));
    for item in items {
        match item {
            Item::Mod(inner) => {
                if let Some((_, items)) = &mut inner.content {
                    drop_tests(items);
                }
            }
            Item::Impl(inner) => inner.items.retain(|item| match item {
                ImplItem::Fn(function) => !function.attrs.iter().any(is_test_only),
                _ => true,
            }),
            _ => {}
        }
    }
}

fn is_test_only(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::Path(_) | Meta::NameValue(_) => false,
    }
}

/// The attributes of an item, doc comments included.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Every crate that ships, parsed.
pub(super) fn shipped_crates() -> Vec<CrateSource> {
    let present = PACKAGES.iter().map(|package| package.folder).filter(|folder| root().join(folder).exists());
    let parse = |folder: &str| {
        let source = root().join(folder).join("src");
        CrateSource::parse(folder, &|path| fs::read_to_string(source.join(path)).ok())
    };
    present.map(parse).collect()
}

/// All files with this extension in a folder, hidden folders and `target` left out.
pub(super) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if path.is_dir() && !hidden && entry.file_name() != "target" {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
