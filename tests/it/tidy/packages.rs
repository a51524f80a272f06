//! The crates that ship, and which of the others each may use. A new crate is one row here.

use std::path::{Path, PathBuf};

/// A crate that ships.
pub(super) struct Package {
    /// Its name in the manifest.
    pub(super) name: &'static str,
    /// Its folder in the workspace.
    pub(super) folder: &'static str,
    /// The crates of the workspace it may depend on; `None`: on any.
    pub(super) may_use: Option<&'static [&'static str]>,
}

const fn package(name: &'static str, folder: &'static str, may_use: &'static [&'static str]) -> Package {
    Package { name, folder, may_use: Some(may_use) }
}

/// All crates that ship, the lowest layer first. A row may be written before its crate exists.
pub(super) const PACKAGES: [Package; 17] = [
    package("provost-schema", "runtime/schema", &[]),
    package("provost-domain", "runtime/domain", &["provost-schema", "provost-expr"]),
    package("provost-form", "runtime/form", &[]),
    package("provost-expr", "runtime/expr", &[]),
    package("provost-http", "runtime/http", &[]),
    package("provost-store", "runtime/store", &["provost-domain", "provost-form"]),
    package("provost-model", "runtime/model", &["provost-domain", "provost-form", "provost-http"]),
    package("provost-tools", "runtime/tools", &["provost-domain", "provost-form", "provost-expr", "provost-http"]),
    package("provost-packs", "runtime/packs", &["provost-domain", "provost-form", "provost-expr"]),
    package("provost-engine", "runtime/engine", &["provost-domain"]),
    package(
        "provost-mail",
        "runtime/mail",
        &["provost-domain", "provost-form", "provost-expr", "provost-http", "provost-engine"],
    ),
    package("provost-agents", "agents", &["provost-domain", "provost-engine"]),
    package("provost-face", "runtime/face", &["provost-domain", "provost-engine", "provost-mail"]),
    package("provost-server", "runtime/server", &["provost-domain", "provost-engine", "provost-mail", "provost-face"]),
    package(
        "provost-scenarios",
        "runtime/scenarios",
        &[
            "provost-domain",
            "provost-form",
            "provost-expr",
            "provost-store",
            "provost-model",
            "provost-tools",
            "provost-packs",
            "provost-engine",
            "provost-mail",
            "provost-face",
        ],
    ),
    package("provost-demo", "runtime/demo", &["provost-http"]),
    Package { name: "provost-cli", folder: "runtime/cli", may_use: None },
];

/// The workspace's folder.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}
