//! What the system tells of the processor's caches.

use std::fs;
use std::sync::OnceLock;

/// Bytes of a core's second cache; 1 MiB where the system does not tell.
pub(super) fn second_cache() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        // Linux lists the first caches, of data and of instructions, before it.
        let size = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size");
        size.ok().and_then(|size| bytes(&size)).unwrap_or(1 << 20)
    })
}

/// A size as Linux writes it, `2048K`.
fn bytes(size: &str) -> Option<usize> {
    let kibibytes: usize = size.trim().strip_suffix('K')?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_linux_writes_them() {
        assert_eq!(bytes("2048K\n"), Some(2 << 20));
        assert_eq!(
            ["", "K", "2M", "-1K", "99999999999999999999K"].map(bytes),
            [None; 5]
        );
        assert!(second_cache() > 0);
    }
}
