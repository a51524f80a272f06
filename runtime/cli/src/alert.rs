//! An alert from a file or from standard input, in Alertmanager's form.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Largest delivery read, in bytes.
const DELIVERY_MAX: u64 = 16 * 1024 * 1024;

/// The delivery in a file, or on standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(DELIVERY_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path)
            .with_context(|| format!("{name} cannot be opened; check the path"))?
            .take(DELIVERY_MAX + 1)
            .read_to_end(&mut bytes)
    };
    read.with_context(|| format!("{name} cannot be read; name a file with an alert in it, or `-` for standard input"))?;
    if bytes.len() as u64 > DELIVERY_MAX {
        bail!("{name} is over the limit of {DELIVERY_MAX} bytes; send one alert group at a time");
    }
    Ok(bytes)
}
