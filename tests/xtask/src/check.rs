//! The checks of the sources besides the tests.

use anyhow::Result;

use crate::cargo::{cargo, require, run};

/// Checks formatting, lints, docs, licences and banned dependencies; stops at the first failure.
pub(crate) fn check() -> Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    run(docs)?;
    require("deny", "cargo-deny")?;
    run(cargo(&["deny", "--workspace", "check", "bans", "licenses", "sources"]))
}
