//! How fast conversations come in from Tenure's JSONL: read, encrypted, and durable.
//!
//! Goal: 50,000 messages a second, in conversations of 10 messages of 400 bytes, and under 200 MB of
//! memory whatever the size of the file. Beside it: the same bytes written to a file and synced once.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant as Clock;

use tenure_app::Defaults;
use tenure_benches::{Outcome, peak_mebibytes, say, tenure};
use tenure_formats::Format;
use tenure_model::Instant;

const POLICY: &str = include_str!("../policies/example.toml");
const MESSAGES: u64 = 10;

fn main() -> Outcome {
    for conversations in [20_000, 100_000] {
        measure(conversations)?;
    }
    Ok(())
}

fn measure(conversations: u64) -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("in.jsonl");
    write_file(&file, conversations)?;
    let bytes = std::fs::metadata(&file)?.len();
    let plain = Clock::now();
    let copy = folder.path().join("copy.jsonl");
    std::fs::copy(&file, &copy)?;
    std::fs::File::open(&copy)?.sync_all()?;
    let plain = plain.elapsed();

    let start = "2025-08-01T00:00:00Z".parse::<Instant>()?;
    let now = "2025-12-01T00:00:00Z".parse::<Instant>()?;
    let (tenure, _store) = tenure(folder.path(), POLICY, start)?;
    let clock = Clock::now();
    tenure_formats::inspect(Format::Tenure, &file)?;
    let mut ingester = tenure.ingester("tenure", Defaults::default(), now)?;
    tenure_formats::read(Format::Tenure, &file, &mut |item| ingester.push(item))
        .map_err(|_| "the file was refused")?;
    let done = ingester.finish()?;
    let elapsed = clock.elapsed();
    let rate = f64::from(u32::try_from(done.messages)?) / elapsed.as_secs_f64();
    say(format_args!(
        "import: {} messages ({} MB) in {:.2} s: {:.0} messages/s, {:.2} of the goal of 50,000; {:.1} times a plain \
         synced copy of the file; peak memory {} MiB",
        done.messages,
        bytes / 1_000_000,
        elapsed.as_secs_f64(),
        rate,
        rate / 50_000.0,
        elapsed.as_secs_f64() / plain.as_secs_f64(),
        peak_mebibytes(),
    ))
}

fn write_file(path: &Path, conversations: u64) -> Outcome {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    let text = "people and machines talk about bread, trains and taxes; ".repeat(8);
    let text = text.get(..400).unwrap_or(&text);
    for id in 0..conversations {
        write!(
            out,
            r#"{{"type":"conversation","id":"c{id}","account":"a{}","surface":"pro","country":"US","scanned":true,"messages":["#,
            id % 5_000
        )?;
        for index in 0..MESSAGES {
            let comma = if index == 0 { "" } else { "," };
            let role = if index % 2 == 0 { "human" } else { "assistant" };
            let day = 1 + id % 28;
            write!(
                out,
                r#"{comma}{{"id":"c{id}-{index}","at":"2025-10-{day:02}T10:00:{index:02}Z","role":"{role}","text":"{text}"}}"#
            )?;
        }
        writeln!(out, "]}}")?;
    }
    out.flush()?;
    Ok(())
}
