//! The most memory that was in use.

use std::fs;

/// Forgets the peak so far, where the system can.
pub(crate) fn reset_peak() {
    // Linux alone knows this; elsewhere the peak is that of the whole run, or unknown.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most bytes of memory that were resident since the last reset; None where the system does
/// not tell.
pub(crate) fn peak() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
