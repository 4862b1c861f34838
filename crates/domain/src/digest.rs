//! Names made of what they name.

use sha2::{Digest, Sha256};

/// How many bytes of a SHA-256 digest a name keeps: 128 bits, written as 32 hexadecimal digits.
const KEPT_BYTES: usize = 16;

/// The parts are preceded by their length, so that `("a", "bc")` and `("ab", "c")` differ, and by what they are a digest of.
pub(crate) fn digest(kind: &str, parts: &[&str]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut hasher = Sha256::new();
    hasher.update(kind);
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .take(KEPT_BYTES)
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .filter_map(|nibble| HEX.get(usize::from(nibble)).copied().map(char::from))
        .collect()
}
