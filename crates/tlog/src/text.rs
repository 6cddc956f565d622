//! The small spellings that the specifications share: base64 and ASCII decimals, each with one form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::merkle::Hash;

/// Standard base64 with padding (RFC 4648 section 4).
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of canonical base64: padding is required, and bits that carry nothing are zero.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The hash on a line of its own.
pub(crate) fn hash(line: &str) -> Option<Hash> {
    from_base64(line)?.try_into().ok()
}

/// An ASCII decimal without sign and without extra leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Whether a text is without control characters, newline included.
pub(crate) fn is_one_line(text: &str) -> bool {
    text.bytes().all(|byte| byte >= 0x20)
}

/// The big-endian number in the first eight bytes, and the rest.
pub(crate) fn split_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*head), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_one_spelling() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "0x1", "18446744073709551616", "١"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(from_base64("AQ==").as_deref(), Some(&[1][..]));
        // No padding, bits that carry nothing, the alphabet of URLs, a line break.
        for wrong in ["AQ", "AQ=", "AR==", "_w==", "AQ==\n", "A Q="] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }
}
