//! Who is there, what each said, and what is to become of it.

use tenure_formats::{Conversation, Message, Role};
use tenure_model::{Instant, Kind, Mode};

use crate::world::at;

pub(crate) const ACCOUNTS: usize = 1_000;

/// What becomes of an account. Of those that are erased and those that are kept there are as many, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// Erased when only its history is left: the key of the account goes at once.
    AtOnce,
    /// Every conversation is deleted by its person: pages go.
    Deleted,
    /// Everything ends by its term.
    Ended,
    /// Erased while a hold keeps all of it; it goes when the hold is released and its grace is over.
    Released,
    /// Deleted with its account while training copies, a flag and feedback keep some of it; that goes at their ends.
    Outlived,
    /// Deleted by its person, and a hold keeps it to the end.
    Held,
    /// Trained on; in the end one conversation is in quarantine.
    Quarantined,
    /// Trained on.
    Trained,
    /// One of its conversations is deleted by its person.
    OneDeleted,
    /// Flagged and given feedback, and nothing else.
    Marked,
    /// One conversation of four ends by its term, and another is resumed.
    Plain,
}

impl Fate {
    pub(crate) fn of(number: usize) -> Self {
        const ERASED: [Fate; 5] = [Fate::AtOnce, Fate::Deleted, Fate::Ended, Fate::Released, Fate::Outlived];
        const KEPT: [Fate; 5] =
            [Fate::Held, Fate::Quarantined, Fate::Trained, Fate::OneDeleted, Fate::Marked];
        let turn = number / 2;
        if number % 2 == 1 {
            ERASED[turn % ERASED.len()]
        } else {
            KEPT.get(turn % 10).copied().unwrap_or(Self::Plain)
        }
    }

    pub(crate) const fn is_erased(self) -> bool {
        matches!(self, Self::AtOnce | Self::Deleted | Self::Ended | Self::Released | Self::Outlived)
    }

    /// Whether the account is closed in the end.
    pub(crate) const fn is_closed(self) -> bool {
        matches!(self, Self::AtOnce | Self::Released | Self::Outlived)
    }
}

pub(crate) fn named(number: usize) -> String {
    format!("person-{number:04}")
}

/// The accounts with one of some fates.
pub(crate) fn with(fates: &[Fate]) -> impl Iterator<Item = usize> {
    (0..ACCOUNTS).filter(|number| fates.contains(&Fate::of(*number)))
}

/// One conversation of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Talk {
    pub(crate) account: usize,
    pub(crate) place: usize,
}

/// Every conversation.
pub(crate) fn talks() -> impl Iterator<Item = Talk> {
    (0..ACCOUNTS).flat_map(of_account)
}

pub(crate) fn of_account(account: usize) -> impl Iterator<Item = Talk> {
    let count = if Fate::of(account) == Fate::Plain { 4 } else { 3 };
    (0..count).map(move |place| Talk { account, place })
}

impl Talk {
    /// Whether nothing of it is to be left in the end.
    pub(crate) fn goes(&self) -> bool {
        match Fate::of(self.account) {
            Fate::OneDeleted => self.place == 0,
            Fate::Plain => self.place == 3,
            fate => fate.is_erased(),
        }
    }

    pub(crate) fn is_resumed(&self) -> bool {
        Fate::of(self.account) == Fate::Plain && self.place == 1
    }

    fn surface(&self) -> &'static str {
        match (Fate::of(self.account), self.place) {
            (Fate::Ended, 0 | 1) | (_, 3) => "api",
            (_, 1) => ["free", "code", "team"][self.account / 2 % 3],
            _ => "pro",
        }
    }

    fn mode(&self) -> Option<Mode> {
        (Fate::of(self.account) == Fate::Ended && self.place == 2).then_some(Mode::Incognito)
    }

    pub(crate) fn title(&self) -> String {
        format!("on {}", marker(self, 99))
    }

    /// What was said, with what was said when the conversation was resumed.
    pub(crate) fn texts(&self) -> Vec<String> {
        let count = if self.is_resumed() { 4 } else { 2 };
        (0..count).map(|message| format!("I said {} and no more", marker(self, message))).collect()
    }

    /// What nobody else says, for a searcher to find.
    pub(crate) fn markers(&self) -> Vec<String> {
        (0..4).chain([99]).map(|message| marker(self, message)).collect()
    }

    /// The id of its first message, which lies in the clear.
    pub(crate) fn first_message(&self) -> String {
        format!("m-{}-{}-0", self.account, self.place)
    }

    /// The conversation as it was at first, or with what was said when it was resumed.
    pub(crate) fn conversation(&self, resumed: bool) -> Conversation {
        let count = if resumed { 4 } else { 2 };
        let messages = self.texts().into_iter().take(count).enumerate().map(|(index, text)| Message {
            id: Some(format!("m-{}-{}-{index}", self.account, self.place)),
            at: Some(self.spoken(index)),
            ..Message::new(if index % 2 == 0 { Role::Human } else { Role::Assistant }, text)
        });
        Conversation {
            external_id: Some(format!("c-{}-{}", self.account, self.place)),
            account: Some(named(self.account)),
            title: Some(self.title()),
            kind: Kind::Chat,
            created_at: None,
            surface: Some(self.surface().to_owned()),
            mode: self.mode(),
            country: Some("US".to_owned()),
            scanned: Some(true),
            messages: messages.collect(),
        }
    }

    fn spoken(&self, index: usize) -> Instant {
        let day = if index < 2 { 2 + self.account / 2 % 4 } else { 8 };
        at(&format!("2025-11-{day:02}T1{}:0{index}:00Z", self.place))
    }
}

fn marker(talk: &Talk, message: usize) -> String {
    let seed = (talk.account * 1_000 + talk.place * 100 + message) as u64;
    format!("{:016x}{:016x}", mixed(seed), mixed(seed ^ 0x5eed_0000_0000))
}

/// A number that looks like no other and is the same each time.
const fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
