//! The formats, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// An export of Claude.ai: a zip, its `conversations.json`, or one conversation.
    #[serde(rename = "claude")]
    Claude,
    /// An export of ChatGPT: a zip, its `conversations.json`, or one conversation.
    #[serde(rename = "chatgpt")]
    ChatGpt,
    /// A session of Claude Code, or a folder of projects.
    #[serde(rename = "claude-code")]
    ClaudeCode,
    /// Messages as OpenAI's fine-tuning takes them, one conversation a line.
    #[serde(rename = "openai")]
    OpenAi,
    /// ShareGPT: an array or one conversation a line.
    #[serde(rename = "sharegpt")]
    ShareGpt,
    /// Tenure's own JSONL.
    #[serde(rename = "tenure")]
    Tenure,
}

/// A name that is no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`: use one of claude, chatgpt, claude-code, openai, sharegpt, tenure")]
pub struct UnknownFormat(pub String);

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] =
        &[Self::Claude, Self::ChatGpt, Self::ClaudeCode, Self::OpenAi, Self::ShareGpt, Self::Tenure];

    /// The one spelling of this format.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::ChatGpt => "chatgpt",
            Self::ClaudeCode => "claude-code",
            Self::OpenAi => "openai",
            Self::ShareGpt => "sharegpt",
            Self::Tenure => "tenure",
        }
    }

    /// What has to be named on the command line, in words.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Claude => "a Claude.ai export (the zip, its `conversations.json`, or one conversation)",
            Self::ChatGpt => "a ChatGPT export (the zip, its `conversations.json`, or one conversation)",
            Self::ClaudeCode => "a Claude Code session (`.jsonl`) or a `projects` folder",
            Self::OpenAi => "a JSONL file with `messages` on each line",
            Self::ShareGpt => "a ShareGPT file (a JSON array, or JSONL) with `conversations`",
            Self::Tenure => "a JSONL file in Tenure's own format (see docs/formats.md)",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.word() == word)
            .ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
