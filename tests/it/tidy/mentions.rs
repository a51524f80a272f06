//! The paths that the files of a crate name: in `use`, in types and bodies, in macros and attributes.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprMethodCall, ItemImpl, ItemMod, ItemUse, Macro, Meta, Path};

use super::imports::{Import, imports, type_path};
use super::source::SourceFile;
use super::tokens::{paths_in, paths_in_text};

/// The paths named in one module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    /// The module that names it.
    pub(super) module: Vec<String>,
    /// The path as written, `Self` replaced by the type's own path.
    pub(super) path: Vec<String>,
}

/// What a file names.
#[derive(Default)]
pub(super) struct Mentions {
    /// Every path.
    pub(super) paths: BTreeSet<Mention>,
    /// Imports inside a body, which hold for less than their module.
    pub(super) inner_imports: Vec<(Vec<String>, Import)>,
    module: Vec<String>,
    /// The type whose `impl` is being read.
    owner: Option<Vec<String>>,
    in_body: bool,
}

impl Mentions {
    pub(super) fn of(file: &SourceFile) -> Self {
        let mut own = Self { module: file.module.clone(), ..Self::default() };
        for item in &file.items {
            own.visit_item(item);
        }
        own
    }

    fn add(&mut self, path: Vec<String>) {
        let path = match (&self.owner, path.split_first()) {
            (Some(owner), Some((first, rest))) if first == "Self" => owner.iter().chain(rest).cloned().collect(),
            _ => path,
        };
        self.paths.insert(Mention { module: self.module.clone(), path });
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in imports(&item.tree) {
            self.add(match &import {
                Import::Name { path, .. } | Import::All { path } => path.clone(),
            });
            if self.in_body {
                self.inner_imports.push((self.module.clone(), import));
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let outer = self.owner.take();
        self.owner = type_path(&item.self_ty);
        visit::visit_item_impl(self, item);
        self.owner = outer;
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let outer = self.in_body;
        self.in_body = true;
        visit::visit_block(self, block);
        self.in_body = outer;
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if matches!(&*call.receiver, Expr::Path(receiver) if receiver.path.is_ident("self")) {
            self.add(vec!["Self".to_owned(), call.method.to_string()]);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        for path in paths_in(&called.tokens) {
            self.add(path);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            for path in paths_in(&list.tokens).into_iter().chain(paths_in_text(&list.tokens)) {
                self.add(path);
            }
        }
    }
}
