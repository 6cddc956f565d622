//! API keys: a key that is read is written back letter for letter, and it is the key of no other text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_access::ApiKey;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(key) = text.parse::<ApiKey>() else { return };
    assert_eq!(*key.text(), *text);
    assert!(key.hash().is_of(&key));
    let secret = text.split('_').nth(3).unwrap();
    assert!(!format!("{key:?}").contains(secret));
});
