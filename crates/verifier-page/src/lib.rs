//! The verifier for a page: what [`tenure_verifier`] says, behind three functions that a page can call.
//!
//! WebAssembly passes numbers alone, so texts go through one buffer. The page asks [`tenure_input`] for
//! room, writes the receipt, the log's keys and the witnesses' keys there one after another, and calls
//! [`tenure_verify`] with the lengths of the first two. The answer is JSON in UTF-8 at the address that it
//! gives, as long as [`tenure_output_length`] says.
//!
//! Nothing here reads memory by an address: the page does, from outside.

use std::cell::RefCell;

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Room for that many bytes, at the address given.
#[expect(unsafe_code, reason = "only an attribute that counts as unsafe gives an export its name")]
#[unsafe(no_mangle)]
pub extern "C" fn tenure_input(length: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|input| {
        *input = vec![0; length];
        input.as_mut_ptr()
    })
}

/// Checks what was written, and gives the address of the answer.
#[expect(unsafe_code, reason = "only an attribute that counts as unsafe gives an export its name")]
#[unsafe(no_mangle)]
pub extern "C" fn tenure_verify(receipt: usize, keys: usize) -> *const u8 {
    // What was given is let go of at once: the receipt has the opening in it.
    let input = INPUT.take();
    let (receipt, rest) = input.split_at_checked(receipt).unwrap_or((&input, &[]));
    let (keys, witnesses) = rest.split_at_checked(keys).unwrap_or((rest, &[]));
    let (keys, witnesses) = (String::from_utf8_lossy(keys), String::from_utf8_lossy(witnesses));
    OUTPUT.set(tenure_verifier::verify(receipt, &keys, &witnesses).to_json());
    OUTPUT.with_borrow(|output| output.as_ptr())
}

/// How many bytes the answer has.
#[expect(unsafe_code, reason = "only an attribute that counts as unsafe gives an export its name")]
#[unsafe(no_mangle)]
pub extern "C" fn tenure_output_length() -> usize {
    OUTPUT.with_borrow(String::len)
}
