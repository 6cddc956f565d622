//! Both directions of `add-checkpoint`: what is taken is written back byte for byte, and a witness that knows no
//! key of the log never cosigns.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_tlog::witness::{
    AddCheckpoint, Latest, Refusal, judge, parse_cosignatures, parse_size, write_cosignatures, write_size,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
        assert_eq!(judge(&request, None, &Latest::none()), Err(Refusal::UnknownLog));
        assert_eq!(judge(&request, Some(&[]), &Latest::none()), Err(Refusal::Untrusted));
    }
    if let Ok(cosignatures) = parse_cosignatures(bytes) {
        assert_eq!(write_cosignatures(&cosignatures).as_bytes(), bytes);
    }
    if let Some(size) = parse_size(bytes) {
        assert_eq!(write_size(size).as_bytes(), bytes);
    }
});
