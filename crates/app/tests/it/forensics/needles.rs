//! Looking for very many things in very many bytes at once.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What is looked for, each as it is, in hexadecimal and in base64, wherever that may begin.
pub(crate) struct Needles<T> {
    /// Whether any of them begins with these three bytes: this keeps the search of every place quick.
    begins: Vec<bool>,
    by_head: HashMap<[u8; 8], Vec<(Vec<u8>, T)>>,
}

impl<T: Copy> Needles<T> {
    /// Things of at least 16 bytes, each with what it is called.
    pub(crate) fn new<B: AsRef<[u8]>>(wanted: impl IntoIterator<Item = (B, T)>) -> Self {
        let mut needles = Self { begins: vec![false; 1 << 24], by_head: HashMap::new() };
        for (bytes, name) in wanted {
            for form in forms(bytes.as_ref()) {
                needles.begins[form[..3].iter().fold(0, |all, byte| all << 8 | usize::from(*byte))] = true;
                needles.by_head.entry(*form.first_chunk().unwrap()).or_default().push((form, name));
            }
        }
        needles
    }

    /// What is in these bytes, as often as it is.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Vec<T> {
        let mut found = Vec::new();
        let mut last = 0_usize;
        for (place, byte) in bytes.iter().enumerate() {
            last = (last << 8 | usize::from(*byte)) & 0xff_ffff;
            if self.begins[last] && place >= 2 {
                let rest = &bytes[place - 2..];
                let here = rest.first_chunk().and_then(|head| self.by_head.get(head));
                let these = here.into_iter().flatten().filter(|(form, _)| rest.starts_with(form));
                found.extend(these.map(|(_, name)| *name));
            }
        }
        found
    }

    /// What is in any file of a folder, and in which.
    pub(crate) fn found_below(&self, folder: &Path) -> Vec<(PathBuf, T)> {
        let of_file = |file: PathBuf| {
            let found = self.found_in(&fs::read(&file).unwrap());
            found.into_iter().map(|name| (file.clone(), name)).collect::<Vec<_>>()
        };
        files(folder).into_iter().flat_map(of_file).collect()
    }
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    let lower: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    let mut forms = vec![bytes.to_vec(), lower.to_uppercase().into_bytes(), lower.into_bytes()];
    for skipped in [0, 2, 4] {
        let standard = base64(bytes, skipped);
        let in_addresses = standard.iter().map(|digit| match digit {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        });
        forms.push(in_addresses.collect());
        forms.push(standard);
    }
    forms.sort();
    forms.dedup();
    forms
}

/// The digits of base64 that depend on these bytes alone, where so many of their bits belong to the digit before.
fn base64(bytes: &[u8], skipped: u32) -> Vec<u8> {
    let mut digits = Vec::with_capacity(bytes.len() * 4 / 3);
    let (mut bits, mut count) = (0_usize, 0_u32);
    for (place, byte) in bytes.iter().enumerate() {
        bits = bits << 8 | usize::from(*byte);
        count += if place == 0 { 8 - skipped } else { 8 };
        while count >= 6 {
            count -= 6;
            digits.push(DIGITS[bits >> count & 0x3F]);
        }
        bits &= 0xFF;
    }
    digits
}

#[test]
fn what_lies_anywhere_in_any_form_is_found() {
    let secret: Vec<u8> = (0..32_u8).map(|byte| byte.wrapping_mul(37) ^ 0xA5).collect();
    let needles = Needles::new([(&secret, 7)]);
    for before in 0..4 {
        let whole = [&vec![b'x'; before], secret.as_slice(), b"and more"].concat();
        assert_eq!(needles.found_in(&whole), [7]);
        let mut encoded = base64(&whole, 0);
        assert_eq!(needles.found_in(&encoded), [7], "after {before}");
        encoded.truncate(20);
        assert!(needles.found_in(&encoded).is_empty());
    }
    assert_eq!(base64(b"Many hands make light work.", 0), b"TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsu");
    assert!(needles.found_in(&secret[1..]).is_empty());
}
