//! Policy files: what is refused is told where in the file, and a comment changes nothing of what is taken.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_policy::language::parse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match parse("policy.toml", text) {
        Ok(version) => {
            let with_comment = format!("{text}\n# nothing\n");
            assert_eq!(parse("policy.toml", &with_comment), Ok(version));
        }
        Err(refused) => {
            // A file that ends with a newline has one more place: the empty line after it.
            let lines = text.split('\n').count();
            assert!(!refused.0.is_empty(), "a refusal says why");
            for complaint in refused.0 {
                assert!(!complaint.message.is_empty());
                assert!((1..=lines).contains(&usize::try_from(complaint.at.line).unwrap()));
            }
        }
    }
});
