//! Which messages carry the text of others.
//!
//! A gate that looks at a message's time alone would let text through that was said long before it:
//! a compaction summary retells the conversation, a fork copies it, a subagent is told a part of it, and
//! its result retells what the subagent found. Where the origin can't be told, an id that is found
//! nowhere is named, and so nobody can call the message harmless.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::line::Fork;
use super::session::{Draft, Session};
use crate::Role;

/// Where each line has gone, and what hangs on it.
struct Map<'a> {
    session: &'a Session,
    /// The message that a line has become a part of.
    owners: HashMap<String, usize>,
    /// The messages that follow a line.
    followers: HashMap<&'a str, Vec<usize>>,
}

/// Fills in `derived_from` of every message.
pub(super) fn derive(session: &Session, drafts: &mut [Draft]) {
    let map = Map::new(session, drafts);
    let origins: Vec<BTreeSet<String>> =
        (0..drafts.len()).map(|number| map.origins(drafts, number)).collect();
    for (draft, origins) in drafts.iter_mut().zip(origins) {
        draft.message.derived_from = origins.into_iter().collect();
    }
}

impl<'a> Map<'a> {
    fn new(session: &'a Session, drafts: &[Draft]) -> Self {
        let mut owners = HashMap::new();
        let mut followers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, draft) in drafts.iter().enumerate() {
            for uuid in &draft.uuids {
                owners.insert(uuid.clone(), number);
                for parent in session.links.get(uuid).into_iter().flatten() {
                    followers.entry(parent).or_default().push(number);
                }
            }
        }
        Self { session, owners, followers }
    }

    fn origins(&self, drafts: &[Draft], number: usize) -> BTreeSet<String> {
        let Some(draft) = drafts.get(number) else { return BTreeSet::new() };
        let mut origins: BTreeSet<String> = draft.forks.iter().map(|fork| self.fork(drafts, fork)).collect();
        if draft.is_summary {
            origins.extend(self.summarised(drafts, draft, number));
        }
        if draft.sidechain {
            origins.extend(self.spawner(drafts, draft, number));
        }
        if let Some(agent) = &draft.result_of {
            origins.extend(drafts.iter().filter(|other| other.agent.as_ref() == Some(agent)).map(Draft::id));
        }
        origins.remove(&draft.id());
        origins
    }

    /// The original of a copied line. One in another session is not in this conversation.
    fn fork(&self, drafts: &[Draft], fork: &Fork) -> String {
        let uuid = fork.uuid.as_deref().unwrap_or("unknown");
        match &fork.session {
            Some(session) if *session == self.session.id => self.id(drafts, uuid),
            Some(session) => format!("{session}/{uuid}"),
            None => format!("unknown/{uuid}"),
        }
    }

    /// The id of the message that a line has become a part of, or the line's own if it is none.
    fn id(&self, drafts: &[Draft], uuid: &str) -> String {
        self.owners.get(uuid).and_then(|owner| drafts.get(*owner)).map_or_else(|| uuid.to_owned(), Draft::id)
    }

    /// What a summary retells: everything before it on its way back to the beginning, and what tools
    /// answered on that way. If the way breaks off, everything earlier in the session, and the line that
    /// is missing.
    fn summarised(&self, drafts: &[Draft], draft: &Draft, number: usize) -> BTreeSet<String> {
        let (ancestors, missing) = self.ancestors(draft);
        let mut told: HashSet<usize> =
            ancestors.iter().copied().filter(|ancestor| *ancestor != number).collect();
        for ancestor in ancestors.iter().filter_map(|ancestor| drafts.get(*ancestor)) {
            let followers =
                ancestor.uuids.iter().filter_map(|uuid| self.followers.get(uuid.as_str())).flatten();
            told.extend(followers.filter(|follower| {
                **follower < number
                    && drafts.get(**follower).is_some_and(|other| other.message.role == Role::Tool)
            }));
        }
        if told.is_empty() || !missing.is_empty() {
            told.extend(0..number);
        }
        let mut origins: BTreeSet<String> =
            told.iter().filter_map(|told| drafts.get(*told)).map(Draft::id).collect();
        origins.extend(missing);
        if origins.is_empty() {
            origins.insert(format!("{}/before", self.session.id));
        }
        origins
    }

    /// The messages on every way back, and the lines that are named on the way but not there.
    fn ancestors(&self, draft: &Draft) -> (HashSet<usize>, BTreeSet<String>) {
        let (mut found, mut missing) = (HashSet::new(), BTreeSet::new());
        let mut visited: HashSet<&str> = HashSet::new();
        let mut ahead: Vec<&str> = draft.uuids.iter().map(String::as_str).collect();
        while let Some(uuid) = ahead.pop() {
            if !visited.insert(uuid) {
                continue;
            }
            if let Some(parents) = self.session.links.get(uuid) {
                ahead.extend(parents.iter().map(String::as_str));
                found.extend(self.owners.get(uuid));
            } else {
                missing.insert(uuid.to_owned());
            }
        }
        (found, missing)
    }

    /// What a subagent was told comes from the message that started it. Only its first message has one.
    fn spawner(&self, drafts: &[Draft], draft: &Draft, number: usize) -> Option<String> {
        if let Some(before) = self.message_before(draft) {
            let before = drafts.get(before)?;
            return (!before.sidechain).then(|| before.id());
        }
        let latest = drafts.iter().take(number).rev().find(|other| !other.sidechain);
        Some(latest.map_or_else(|| format!("{}/spawner", self.session.id), Draft::id))
    }

    /// The nearest message before this one, past lines that are no messages.
    fn message_before(&self, draft: &Draft) -> Option<usize> {
        let mine = self.owners.get(draft.uuids.first()?);
        let mut visited: HashSet<&str> = HashSet::new();
        let mut next = draft.uuids.first().map(String::as_str);
        while let Some(uuid) = next {
            if !visited.insert(uuid) {
                return None;
            }
            let owner = self.owners.get(uuid);
            if owner.is_some() && owner != mine {
                return owner.copied();
            }
            next = self.session.links.get(uuid).and_then(|parents| parents.first()).map(String::as_str);
        }
        None
    }
}
