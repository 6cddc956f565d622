//! Writes conversations in the forms that providers export them in.
//!
//! Each form has its traps on purpose: trees with branches that were left, answers spread over several
//! lines, summaries that retell what was said before a choice. Nothing here is read back by this crate;
//! the importers read it, as they read real exports.

mod chatgpt;
mod claude;
mod claude_code;
mod lines;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenure_formats::Format;
use tenure_model::Instant;
use zip::write::SimpleFileOptions;

use crate::world::{Source, Talk, World};

/// What is exported: some conversations, as far as they have come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Export<'a> {
    pub(crate) world: &'a World,
    pub(crate) talks: &'a [&'a Talk],
    pub(crate) by: Instant,
}

/// Writes an export into a folder, and gives its path and its format.
pub(crate) fn write(export: Export<'_>, source: Source, folder: &Path) -> io::Result<(Format, PathBuf)> {
    let file = |name: &str| folder.join(name);
    Ok(match source {
        Source::Claude => {
            let path = file("data-batch-0000.zip");
            archive(
                &path,
                &[
                    ("conversations.json", claude::conversations(export)),
                    ("users.json", claude::users(export)),
                ],
            )?;
            (Format::Claude, path)
        }
        Source::ClaudeSingle => {
            let path = file("conversation.json");
            let one = export.talks.first().map(|talk| claude::conversation(export, talk));
            std::fs::write(&path, one.unwrap_or_default().to_string())?;
            (Format::Claude, path)
        }
        Source::ChatGpt => {
            let path = file("chatgpt-export.zip");
            archive(&path, &[("conversations.json", chatgpt::conversations(export))])?;
            (Format::ChatGpt, path)
        }
        Source::ClaudeCode => {
            let path = file("projects");
            claude_code::projects(export, &path)?;
            (Format::ClaudeCode, path)
        }
        Source::OpenAi => (Format::OpenAi, json_lines(&file("messages.jsonl"), lines::openai(export))?),
        Source::ShareGpt => (Format::ShareGpt, json_lines(&file("sharegpt.jsonl"), lines::sharegpt(export))?),
        Source::Tenure => {
            (Format::Tenure, json_lines(&file("conversations.jsonl"), lines::conversations(export))?)
        }
    })
}

/// Writes who everyone is, in Tenure's own form.
pub(crate) fn accounts(world: &World, by: Instant, folder: &Path) -> io::Result<(Format, PathBuf)> {
    Ok((Format::Tenure, json_lines(&folder.join("accounts.jsonl"), lines::accounts(world, by))?))
}

fn archive(path: &Path, entries: &[(&str, Value)]) -> io::Result<()> {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path)?);
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, value) in entries {
        archive.start_file(*name, options).map_err(io::Error::other)?;
        archive.write_all(value.to_string().as_bytes())?;
    }
    archive.finish().map_err(io::Error::other)?;
    Ok(())
}

fn json_lines(path: &Path, values: impl IntoIterator<Item = Value>) -> io::Result<PathBuf> {
    let mut out = io::BufWriter::new(std::fs::File::create(path)?);
    for value in values {
        writeln!(out, "{value}")?;
    }
    out.flush()?;
    Ok(path.to_owned())
}
