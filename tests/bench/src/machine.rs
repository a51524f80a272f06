//! What the machine says: time, memory, the disk's own speed.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

/// Median microseconds of a 4 KiB append with fdatasync.
pub(crate) fn fdatasync_probe() -> Result<u128> {
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("probe"))?;
    let mut took = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        took.push(began.elapsed().as_micros());
    }
    took.sort_unstable();
    took.get(100).copied().context("no samples")
}

/// User and system time of this process so far.
pub(crate) fn cpu() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).context("/proc/self/stat");
    // Fields 14 and 15 of the page, counted after the name; a tick is 10 ms on Linux.
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// Resident memory in KiB.
pub(crate) fn resident_kib() -> Result<u64> {
    status_kib("VmRSS:")
}

/// The most resident memory since [`forget_peak`], in KiB.
pub(crate) fn peak_kib() -> Result<u64> {
    status_kib("VmHWM:")
}

/// Begins to measure the peak anew.
pub(crate) fn forget_peak() -> Result<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

fn status_kib(name: &'static str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
