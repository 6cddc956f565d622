//! What every format is read into.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenure_model::{Instant, Kind, Mode};

/// One thing that a file of conversations holds.
#[derive(Debug, Clone)]
pub enum Item {
    /// An account; only Tenure's own format has these.
    Account(Account),
    /// A conversation with all its messages.
    Conversation(Conversation),
}

/// What a file says about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The operator's pseudonymous id.
    pub id: String,
    /// An assigned ISO 3166-1 code, or unknown.
    pub country: Option<String>,
    /// Whether the person is a minor, or unknown.
    pub minor: Option<bool>,
    /// When the account was opened, or unknown.
    pub opened_at: Option<Instant>,
}

/// A conversation, in the order in which its file has the messages.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The id that the file gives, if it gives one.
    pub external_id: Option<String>,
    /// The account that the file names, if it names one.
    pub account: Option<String>,
    /// The title, if there is one.
    pub title: Option<String>,
    /// A chat or a coding session.
    pub kind: Kind,
    /// When the conversation began, or unknown.
    pub created_at: Option<Instant>,
    /// The surface of all messages that name none; only Tenure's own format has it.
    pub surface: Option<String>,
    /// The mode of all messages that name none; only Tenure's own format has it.
    pub mode: Option<Mode>,
    /// The country of all messages that name none; only Tenure's own format has it.
    pub country: Option<String>,
    /// Whether the conversation was scanned by the safety systems; only Tenure's own format has it.
    pub scanned: Option<bool>,
    /// The messages.
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// The id that the file gives, if it gives one.
    pub id: Option<String>,
    /// When it was sent. Unknown is never trainable.
    pub at: Option<Instant>,
    /// Who speaks.
    pub role: Role,
    /// The text, without tool calls, thinking and attachments.
    pub text: String,
    /// The original content, verbatim, where it holds more than [`Message::text`]: an object of the
    /// format's own fields, or whatever Tenure's own format was given.
    pub content: Option<Box<RawValue>>,
    /// Ids of messages whose text this one carries. An id that is found nowhere stands for a message
    /// that nobody can judge.
    pub derived_from: Vec<String>,
    /// Whether the message lies on a branch that the conversation left.
    pub dead_branch: bool,
    /// The surface, if this message names one of its own.
    pub surface: Option<String>,
    /// The mode, if this message names one of its own.
    pub mode: Option<Mode>,
    /// The country, if this message names one of its own.
    pub country: Option<String>,
}

impl Message {
    /// A message of which nothing but the speaker and the text is known.
    pub const fn new(role: Role, text: String) -> Self {
        Self {
            id: None,
            at: None,
            role,
            text,
            content: None,
            derived_from: Vec::new(),
            dead_branch: false,
            surface: None,
            mode: None,
            country: None,
        }
    }
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    Human,
    /// The model.
    Assistant,
    /// Instructions and context that neither typed.
    System,
    /// The result of a tool.
    Tool,
}

impl Role {
    /// The one spelling of this role.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
        }
    }
}
