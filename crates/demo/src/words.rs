//! A small vocabulary, from which everything is said that anyone says in the demonstration.

use crate::chance::Chance;

/// What people talk about: a subject, things in it, and what one does with them.
struct Topic {
    subject: &'static str,
    things: &'static [&'static str],
    acts: &'static [&'static str],
}

const TOPICS: &[Topic] = &[
    Topic {
        subject: "a small garden",
        things: &["the tomatoes", "the compost", "a raised bed", "the irrigation", "winter rye", "the slugs"],
        acts: &["plant", "prune", "water", "cover", "move", "harvest"],
    },
    Topic {
        subject: "bread",
        things: &["the sourdough", "a rye starter", "the crust", "the oven", "a wetter dough", "the crumb"],
        acts: &["knead", "proof", "fold", "bake", "score", "cool"],
    },
    Topic {
        subject: "a move",
        things: &["the lease", "the deposit", "the boxes", "a van", "the new address", "the old keys"],
        acts: &["pack", "sign", "book", "return", "compare", "cancel"],
    },
    Topic {
        subject: "a chemistry course",
        things: &["the titration", "a buffer", "the orbital model", "the exam", "a lab report", "the units"],
        acts: &["derive", "balance", "revise", "measure", "explain", "summarise"],
    },
    Topic {
        subject: "a walking tour",
        things: &["the ridge path", "a night train", "the hut", "the weather", "the map", "a rest day"],
        acts: &["plan", "shorten", "reserve", "check", "cross", "skip"],
    },
    Topic {
        subject: "a letter",
        things: &["the opening", "the tone", "a refusal", "the second paragraph", "the ending", "the facts"],
        acts: &["rewrite", "soften", "shorten", "translate", "order", "proofread"],
    },
    Topic {
        subject: "money at home",
        things: &["the rent", "a savings plan", "the tax form", "the heating bill", "a loan", "the budget"],
        acts: &["estimate", "split", "record", "lower", "compare", "plan"],
    },
    Topic {
        subject: "a choir",
        things: &["the alto line", "a rehearsal", "the programme", "the hall", "the tempo", "the encore"],
        acts: &["practise", "transpose", "schedule", "print", "record", "drop"],
    },
];

const CODE_TOPICS: &[Topic] = &[
    Topic {
        subject: "the invoice service",
        things: &["the parser", "a retry", "the rounding", "the migration", "the queue", "a flaky test"],
        acts: &["refactor", "test", "trace", "document", "split", "speed up"],
    },
    Topic {
        subject: "the map viewer",
        things: &["the tile cache", "a projection", "the zoom", "the index", "the legend", "a memory leak"],
        acts: &["profile", "simplify", "fix", "port", "measure", "remove"],
    },
    Topic {
        subject: "the booking form",
        things: &[
            "the date field",
            "a time zone",
            "the validation",
            "the error text",
            "the layout",
            "a race",
        ],
        acts: &["check", "rewrite", "rename", "cover", "align", "guard"],
    },
];

const ASKS: &[&str] = &[
    "How would you",
    "What is the simplest way to",
    "I tried twice to",
    "Before the weekend I want to",
    "Is it too late to",
    "Help me to",
];
const DETAILS: &[&str] = &[
    "I have about two hours.",
    "It went wrong last time.",
    "Someone else does it differently.",
    "Please keep it short.",
    "I wrote down what I know so far.",
    "The order matters to me.",
];
const ANSWERS: &[&str] = &[
    "Start small and look at the result after a day.",
    "Two things decide it: the order and the patience.",
    "There are three ways, and the second is the safest.",
    "First write down what must not change.",
    "It depends on one thing that you can check quickly.",
    "The usual mistake is to begin at the end.",
];
const NEXT: &[&str] = &["Then", "After that", "If it still holds,", "Only then", "In the meantime,"];

/// A subject that one conversation keeps to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    code: bool,
    place: usize,
}

impl Subject {
    pub(crate) fn new(chance: &mut Chance, code: bool) -> Self {
        let topics = if code { CODE_TOPICS } else { TOPICS };
        Self { code, place: usize::try_from(chance.below(topics.len() as u64)).unwrap_or(0) }
    }

    fn topic(self) -> Option<&'static Topic> {
        if self.code { CODE_TOPICS } else { TOPICS }.get(self.place)
    }

    pub(crate) fn title(self, chance: &mut Chance) -> String {
        let Some(topic) = self.topic() else { return String::new() };
        let (act, thing) = (chance.word(topic.acts), chance.word(topic.things));
        format!("{}: {act} {thing}", capitalised(topic.subject))
    }

    /// What a person asks.
    pub(crate) fn question(self, chance: &mut Chance) -> String {
        let Some(topic) = self.topic() else { return String::new() };
        let (ask, detail) = (chance.word(ASKS), chance.word(DETAILS));
        let (act, thing) = (chance.word(topic.acts), chance.word(topic.things));
        format!("{ask} {act} {thing}? It is about {}. {detail}", topic.subject)
    }

    /// What the model answers, in a few sentences.
    pub(crate) fn answer(self, chance: &mut Chance) -> String {
        let Some(topic) = self.topic() else { return String::new() };
        let mut text = chance.word(ANSWERS).to_owned();
        for _ in 0..chance.between(2, 6) {
            let (next, act, thing) = (chance.word(NEXT), chance.word(topic.acts), chance.word(topic.things));
            text.extend([" ", next, " ", act, " ", thing, "."]);
        }
        text
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
