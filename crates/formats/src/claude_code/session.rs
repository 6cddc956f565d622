//! Lines become messages, and messages conversations.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use tenure_model::{Instant, Kind};

use super::line::{Content, Fork, Parsed, Said, Title};
use super::lineage;
use crate::fields::object;
use crate::{Conversation, Message, Report};

/// The lines of the files that share sessions.
#[derive(Debug, Default)]
pub(super) struct Group {
    sessions: Vec<Session>,
    numbers: HashMap<String, usize>,
    /// Titles that name a line instead of a session.
    titles: Vec<Title>,
    files: usize,
    /// The latest time in the current file so far: its lines keep their order, whatever its clock did.
    clock: Option<Instant>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// Every line with an id, message or not, and the lines before it.
    pub(super) links: HashMap<String, Vec<String>>,
    said: HashSet<String>,
    parts: Vec<Part>,
    title: Option<String>,
}

#[derive(Debug)]
struct Part {
    uuid: String,
    file: usize,
    /// The latest time in its file up to here.
    about: Option<Instant>,
    said: Said,
}

/// A message that is being put together from its lines.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) uuids: Vec<String>,
    pub(super) message: Message,
    pub(super) sidechain: bool,
    pub(super) agent: Option<String>,
    pub(super) is_summary: bool,
    pub(super) forks: Vec<Fork>,
    pub(super) result_of: Option<String>,
    blocks: Vec<Box<RawValue>>,
    only_text: bool,
    result: Option<Box<RawValue>>,
}

impl Group {
    /// The lines that follow are of another file.
    pub(super) fn begin_file(&mut self) {
        self.files += 1;
        self.clock = None;
    }

    /// Whether a message's line has been added before; a resumed session copies lines.
    pub(super) fn is_known(&self, parsed: &Parsed) -> bool {
        let session = parsed.session.as_ref().and_then(|id| self.numbers.get(id));
        let said = session.and_then(|number| self.sessions.get(*number)).map(|session| &session.said);
        said.zip(parsed.uuid.as_ref()).is_some_and(|(said, uuid)| said.contains(uuid))
    }

    /// Adds a line.
    pub(super) fn add(&mut self, parsed: Parsed) {
        let Parsed { uuid, parents, session, content } = parsed;
        let file = self.files;
        if let Content::Said(said) = &content {
            self.clock = self.clock.max(said.at);
        }
        let about = self.clock;
        let Some(id) = session else {
            if let Content::Aside { title: Some(title), .. } = content {
                self.titles.push(title);
            }
            return;
        };
        let Some(session) = self.session(id) else { return };
        if let Some(uuid) = &uuid {
            session.links.entry(uuid.clone()).or_default().extend(parents);
        }
        match (content, uuid) {
            (Content::Said(said), Some(uuid)) => {
                session.said.insert(uuid.clone());
                session.parts.push(Part { uuid, file, about, said: *said });
            }
            (Content::Aside { title: Some(title), .. }, _) => session.title = Some(title.text),
            _ => {}
        }
    }

    fn session(&mut self, id: String) -> Option<&mut Session> {
        let next = self.sessions.len();
        let number = *self.numbers.entry(id.clone()).or_insert(next);
        if number == next {
            self.sessions.push(Session {
                id,
                links: HashMap::new(),
                said: HashSet::new(),
                parts: Vec::new(),
                title: None,
            });
        }
        self.sessions.get_mut(number)
    }

    /// The conversations, each with all its messages.
    pub(super) fn conversations(mut self, report: &mut Report) -> Vec<Conversation> {
        let alone = self.sessions.iter().filter(|session| !session.parts.is_empty()).count() == 1;
        for title in self.titles {
            let owner = self.sessions.iter_mut().find(|session| {
                let named = title.leaf.as_ref().is_some_and(|leaf| session.links.contains_key(leaf));
                named || (alone && !session.parts.is_empty())
            });
            if let Some(session) = owner {
                session.title.get_or_insert(title.text);
            }
        }
        let spoken = self.sessions.into_iter().filter(|session| !session.parts.is_empty());
        spoken.map(|session| session.conversation(report)).collect()
    }
}

impl Session {
    fn conversation(mut self, report: &mut Report) -> Conversation {
        let mut parts = std::mem::take(&mut self.parts);
        // The order of a file is the truth about that file; between files only the time can tell.
        if parts.iter().any(|part| parts.first().is_some_and(|first| first.file != part.file)) {
            parts.sort_by_key(|part| part.about);
        }
        let mut drafts = merge(parts);
        lineage::derive(&self, &mut drafts);
        report.messages.seen += u64::try_from(drafts.len()).unwrap_or(u64::MAX);
        let messages: Vec<Message> = drafts.into_iter().map(Draft::finish).collect();
        Conversation {
            external_id: Some(self.id),
            account: None,
            title: self.title,
            kind: Kind::Code,
            created_at: messages.iter().filter_map(|message| message.at).min(),
            surface: None,
            mode: None,
            country: None,
            scanned: None,
            messages,
        }
    }
}

/// Puts the lines of one answer together, at the place of the first.
fn merge(parts: Vec<Part>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut answers: HashMap<(String, Option<String>), usize> = HashMap::new();
    for Part { uuid, said, .. } in parts {
        let next = drafts.len();
        let answer = said.message_id.clone().map(|id| (id, said.agent.clone()));
        let number = answer.map_or(next, |answer| *answers.entry(answer).or_insert(next));
        match drafts.get_mut(number) {
            Some(draft) => draft.extend(uuid, said),
            None => drafts.push(Draft::new(uuid, said)),
        }
    }
    drafts
}

impl Draft {
    fn new(uuid: String, said: Said) -> Self {
        let message = Message { id: Some(uuid.clone()), at: said.at, ..Message::new(said.role, said.text) };
        Self {
            uuids: vec![uuid],
            message,
            sidechain: said.sidechain,
            agent: said.agent,
            is_summary: said.is_summary,
            forks: said.forked_from.into_iter().collect(),
            result_of: said.result_of,
            blocks: said.blocks,
            only_text: said.only_text,
            result: said.result,
        }
    }

    fn extend(&mut self, uuid: String, said: Said) {
        self.uuids.push(uuid);
        if !said.text.is_empty() {
            if !self.message.text.is_empty() {
                self.message.text.push_str("\n\n");
            }
            self.message.text.push_str(&said.text);
        }
        self.blocks.extend(said.blocks);
        self.only_text &= said.only_text;
        self.is_summary |= said.is_summary;
        self.forks.extend(said.forked_from);
    }

    /// The id of the message, which is that of its first line.
    pub(super) fn id(&self) -> String {
        self.message.id.clone().unwrap_or_default()
    }

    fn finish(self) -> Message {
        let kept = if self.only_text && self.result.is_none() { Vec::new() } else { self.blocks };
        let kept: Vec<&str> = kept.iter().map(|block| block.get()).collect();
        let list = RawValue::from_string(format!("[{}]", kept.join(","))).ok().filter(|_| !kept.is_empty());
        let members = [("content", list.as_deref()), ("toolUseResult", self.result.as_deref())];
        let content = object(members.into_iter().filter_map(|(key, value)| Some((key, value?))));
        Message { content, ..self.message }
    }
}
