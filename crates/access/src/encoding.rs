//! Hexadecimal digits, a checksum, and keyed hashes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Adds bytes as lowercase hexadecimal digits.
pub(crate) fn write_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
}

/// The bytes that lowercase hexadecimal digits spell. Capitals are refused, so that there is one spelling.
pub(crate) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4 | nibble(*digit)?;
        }
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// CRC-32 as in zip and PNG, bit by bit: a key is a hundred bytes, so a table would not pay.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HMAC-SHA-256 over the parts, one after the other. Whoever calls sees to it that none slides into the next.
pub(crate) fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC fills a short key up with zeros to the length of a block; done here, nothing can fail.
    let mut block = Zeroizing::new([0; 64]);
    for (byte, of_key) in block.iter_mut().zip(key) {
        *byte = *of_key;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether two hashes are equal, in a time that does not depend on where they differ.
pub(crate) fn equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_one_spelling() {
        let mut text = String::new();
        write_hex(&[0, 0x9f, 0xa0], &mut text);
        assert_eq!((text.as_str(), read_hex(&text)), ("009fa0", Some([0, 0x9f, 0xa0])));
        for wrong in ["009FA0", "009fa", "009fa00", "009fg0", ""] {
            assert_eq!(read_hex::<3>(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!((crc32(b"123456789"), crc32(b"")), (0xCBF4_3926, 0));
    }

    #[test]
    fn the_keyed_hash_is_hmac_sha_256() {
        // RFC 4231, test case 2, whose key `Jefe` HMAC itself fills up with zeros.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = keyed(&key, &[b"what do ya want ", b"for nothing?"]);
        let mut text = String::new();
        write_hex(&hash, &mut text);
        assert_eq!(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn hashes_that_differ_in_one_bit_are_not_equal() {
        assert!(equal(&[7; 32], &[7; 32]));
        for place in 0..256 {
            let mut other = [7; 32];
            other[place / 8] ^= 1 << (place % 8);
            assert!(!equal(&[7; 32], &other));
        }
    }
}
