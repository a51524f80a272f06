//! Secrets of tokens, as they are kept in files and variables.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use provost_domain::access::Secret;

/// Far more than a secret and a line's end, in bytes.
const SECRET_MAX: u64 = 4096;

/// A secret from a text that may have blanks around it. The text itself is never shown.
pub(crate) fn parse(text: &str) -> Result<Secret> {
    Secret::parse(text.trim()).context("what is there is not a token's secret (pvt_…)")
}

/// A secret from a file.
pub(crate) fn read(path: &Path) -> Result<Secret> {
    let mut text = String::new();
    let file = fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    file.take(SECRET_MAX).read_to_string(&mut text).with_context(|| format!("reading {}", path.display()))?;
    parse(&text).with_context(|| path.display().to_string())
}
