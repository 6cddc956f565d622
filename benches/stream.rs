//! How many cases `tenure verdict` answers in a second, on one core.
//!
//! Goal: 100,000. Measured is what the command does with each line: read the JSON, judge, write the JSON.
//! Beside it: the same lines read as generic JSON and written again, which is what any filter of JSON
//! lines in Rust would do at least.

use std::hint::black_box;
use std::time::Instant as Clock;

use tenure_benches::{Outcome, say};
use tenure_policy::{Answerer, Lineage, language};

const POLICY: &str = include_str!("../policies/example.toml");
const CASES: &str = include_str!("../corpora/cases/example.jsonl");
const ROUNDS: usize = 400_000;

fn main() -> Outcome {
    let lineage = Lineage::compile(vec![language::parse("example.toml", POLICY)?])?;
    let lines: Vec<&[u8]> = CASES.lines().map(str::as_bytes).collect();
    let mut answerer = Answerer::new(&lineage);
    let mut out = Vec::with_capacity(1 << 20);

    let clock = Clock::now();
    for line in lines.iter().cycle().take(ROUNDS) {
        answerer.answer(line, &mut out);
        if out.len() > 1 << 19 {
            black_box(&out);
            out.clear();
        }
    }
    let answered = clock.elapsed();

    let clock = Clock::now();
    for line in lines.iter().cycle().take(ROUNDS) {
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) {
            serde_json::to_writer(&mut out, &value)?;
        }
        if out.len() > 1 << 19 {
            black_box(&out);
            out.clear();
        }
    }
    let plain = clock.elapsed();
    let rate = f64::from(u32::try_from(ROUNDS)?) / answered.as_secs_f64();
    say(format_args!(
        "verdicts from JSON to JSON: {rate:.0} cases/s on one core, {:.1} times the goal of 100,000; {:.2} times the \
         time of reading and writing the same lines as generic JSON",
        rate / 100_000.0,
        answered.as_secs_f64() / plain.as_secs_f64(),
    ))
}
