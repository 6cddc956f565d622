//! What is said: every conversation, every turn of it, and what becomes of it.

use tenure_model::{Instant, Mode};

use crate::chance::Chance;
use crate::dates::{date, days_between, minutes_after};
use crate::people::{Person, Plan, Says, Scale, cast};
use crate::words::Subject;

/// In which form a conversation reaches Tenure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A Claude.ai export, a zip with everyone on one plan.
    Claude,
    /// One conversation as Claude.ai's web client has it.
    ClaudeSingle,
    /// A ChatGPT export, brought along.
    ChatGpt,
    /// A folder of Claude Code projects.
    ClaudeCode,
    /// Messages of the API, as OpenAI's format has them; without times.
    OpenAi,
    /// A ShareGPT file; without times.
    ShareGpt,
    /// Tenure's own JSONL.
    Tenure,
}

/// One turn.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) id: String,
    pub(crate) at: Instant,
    pub(crate) human: bool,
    pub(crate) text: String,
    /// How often the conversation had been taken up again by then.
    pub(crate) sitting: usize,
    /// Whether the person asked anew, and went on from the other answer.
    pub(crate) left: bool,
}

/// A conversation.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub(crate) id: String,
    pub(crate) owner: usize,
    pub(crate) source: Source,
    pub(crate) surface: &'static str,
    pub(crate) mode: Mode,
    pub(crate) title: String,
    pub(crate) turns: Vec<Turn>,
    /// The session and the line that a coding session was forked from.
    pub(crate) forked_from: Option<(String, String)>,
    /// When its person deletes it.
    pub(crate) deleted: Option<Instant>,
    /// When a classifier flags it.
    pub(crate) flagged: Option<Instant>,
    /// When its person sends a thumb.
    pub(crate) feedback: Option<Instant>,
}

impl Talk {
    /// When the first turn was said.
    pub(crate) fn began(&self) -> Instant {
        self.turns.first().map_or(Instant::MIN, |turn| turn.at)
    }

    /// Whether there is something new in it after one instant and up to another.
    pub(crate) fn is_active(&self, after: Instant, by: Instant) -> bool {
        self.deleted.is_none_or(|deleted| deleted > by)
            && self.turns.iter().any(|turn| turn.at > after && turn.at <= by)
    }

    /// The turns up to an instant.
    pub(crate) fn turns_by(&self, by: Instant) -> impl Iterator<Item = &Turn> {
        self.turns.iter().filter(move |turn| turn.at <= by)
    }
}

/// Everyone, and everything they say.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) people: Vec<Person>,
    pub(crate) talks: Vec<Talk>,
}

const SEED: u64 = 0x7e_90_2e;

impl World {
    pub(crate) fn new(scale: Scale) -> Self {
        let chance = Chance::new(SEED);
        let people = cast(&chance, scale);
        let mut talks = Vec::new();
        for (number, person) in people.iter().enumerate() {
            let mut own = chance.of(1_000_000 + number);
            talks.extend(talks_of(&mut own, person, number));
        }
        let mut world = Self { people, talks };
        world.happen(&mut chance.of(2_000_000));
        world.one_is_a_minor_and_one_is_flagged();
        world
    }

    pub(crate) fn owner(&self, talk: &Talk) -> Option<&Person> {
        self.people.get(talk.owner)
    }

    /// Both said yes, and said something afterwards that would be trained on if they were not.
    fn one_is_a_minor_and_one_is_flagged(&mut self) {
        let (early, late) = (date("2025-08-29"), date("2025-09-08"));
        let would_be_used = |world: &Self, talk: &Talk| {
            let person =
                world.owner(talk).filter(|person| person.says == Says::Yes && person.leaves.is_none());
            let yes = person.and_then(|person| person.choices.first()).map_or(Instant::MAX, |(yes, _)| *yes);
            talk.source == Source::Claude && talk.deleted.is_none() && talk.began() > yes
        };
        let minor = self.talks.iter().find(|talk| would_be_used(self, talk)).map(|talk| talk.owner);
        if let Some(person) = minor.and_then(|minor| self.people.get_mut(minor)) {
            person.minor = true;
        }
        let flagged = self.talks.iter().position(|talk| {
            Some(talk.owner) != minor
                && (early..late).contains(&talk.began())
                && talk.feedback.is_none()
                && would_be_used(self, talk)
        });
        if let Some(talk) = flagged.and_then(|flagged| self.talks.get_mut(flagged)) {
            talk.flagged = Some(minutes_after(date("2025-09-20"), 10 * 60));
        }
    }

    /// Deletions and thumbs, each on something that has arrived by then.
    fn happen(&mut self, chance: &mut Chance) {
        let (early, late) = (date("2025-08-26"), date("2025-09-12"));
        let mut since = 0_usize;
        for number in 0..self.talks.len() {
            let Some(talk) = self.talks.get(number) else { continue };
            let Some(person) = self.owner(talk) else { continue };
            let usual =
                matches!(talk.source, Source::Claude | Source::ClaudeCode) && talk.mode == Mode::Normal;
            if !usual || talk.began() > early || person.leaves.is_some() || person.moves.is_some() {
                continue;
            }
            since += 1;
            let at = minutes_after(late, chance.between(0, 70 * 24 * 60));
            let Some(talk) = self.talks.get_mut(number) else { continue };
            match since % 24 {
                3 if since % 48 < 24 => {
                    talk.deleted = Some(minutes_after(date("2025-07-15"), chance.between(0, 60 * 24 * 60)));
                }
                7 => talk.feedback = Some(at),
                15 if since % 48 < 24 => talk.deleted = Some(at),
                _ => {}
            }
        }
    }
}

fn talks_of(chance: &mut Chance, person: &Person, number: usize) -> Vec<Talk> {
    let count = match person.plan {
        Plan::Free | Plan::Api => chance.between(2, 5),
        Plan::Pro | Plan::Team => chance.between(3, 7),
        Plan::Max => chance.between(4, 9),
    };
    let mut talks: Vec<Talk> = Vec::new();
    for place in 0..count {
        let source = source(person, number, place);
        let Some(began) = beginning(chance, person, place) else { continue };
        let mode =
            if source == Source::Tenure && person.plan.is_asked() { Mode::Incognito } else { Mode::Normal };
        let mut talk = talk(chance, (person, number), source, began, mode);
        if person.plan == Plan::Api && source == Source::Tenure && number == 22 && place == 0 {
            talk.surface = "api-zdr";
        }
        if source == Source::ClaudeCode && place % 3 == 2 {
            let from = talks.iter().rev().find(|other| other.source == Source::ClaudeCode);
            talk.forked_from = from.and_then(|from| Some((from.id.clone(), from.turns.first()?.id.clone())));
        }
        talks.push(talk);
    }
    if person.moves.is_some() {
        talks.push(moving_talk(chance, person, number));
    }
    talks
}

/// Which form the conversations of a person have.
fn source(person: &Person, number: usize, place: i64) -> Source {
    match person.plan {
        Plan::Api if place == 0 => Source::Tenure,
        Plan::Api if number % 48 == 10 + 12 && place == 1 => Source::OpenAi,
        Plan::Api => Source::Tenure,
        Plan::Team => Source::Claude,
        Plan::Max if place > 0 && number % 60 < 20 => Source::ClaudeCode,
        Plan::Free if number % 36 == 3 && place == 1 => Source::ShareGpt,
        Plan::Free if number % 36 == 15 => Source::ChatGpt,
        Plan::Pro if number % 36 == 13 && place == 0 => Source::ClaudeSingle,
        _ if number % 9 == 4 && place == 1 => Source::Tenure,
        _ => Source::Claude,
    }
}

/// When a conversation begins: most while the story runs, some long before it.
fn beginning(chance: &mut Chance, person: &Person, place: i64) -> Option<Instant> {
    let end = person.writes_until();
    let (from, until) =
        if place == 0 { (date("2025-02-01"), date("2025-05-11")) } else { (date("2025-05-14"), end) };
    let from = from.max(person.opened);
    let until = until.min(end);
    let room = days_between(from, until);
    (room > 1).then(|| minutes_after(from, chance.between(60, room * 24 * 60)))
}

fn talk(
    chance: &mut Chance,
    (person, owner): (&Person, usize),
    source: Source,
    began: Instant,
    mode: Mode,
) -> Talk {
    let code = source == Source::ClaudeCode;
    let subject = Subject::new(chance, code);
    let surface = if code { "code" } else { person.plan.surface() };
    let mut talk = Talk {
        id: chance.uuid(),
        owner,
        source,
        surface,
        mode,
        title: subject.title(chance),
        turns: Vec::new(),
        forked_from: None,
        deleted: None,
        flagged: None,
        feedback: None,
    };
    let mut at = began;
    for sitting in 0..3 {
        sit(chance, &mut talk.turns, subject, (sitting, at));
        at = minutes_after(at, chance.between(3 * 24 * 60, 55 * 24 * 60));
        let timeless = matches!(source, Source::OpenAi | Source::ShareGpt | Source::ClaudeSingle);
        if timeless || !chance.percent(35) || at >= person.writes_until() {
            break;
        }
    }
    talk
}

/// One sitting: a few questions and their answers, minutes apart.
fn sit(chance: &mut Chance, turns: &mut Vec<Turn>, subject: Subject, (sitting, from): (usize, Instant)) {
    let mut at = from;
    for exchange in 0..chance.between(2, 6) {
        let text = subject.question(chance);
        turns.push(Turn { id: chance.uuid(), at, human: true, text, sitting, left: false });
        let tries = if exchange == 1 && chance.percent(25) { 2 } else { 1 };
        for number in 0..tries {
            at = minutes_after(at, 1);
            let text = subject.answer(chance);
            let left = number + 1 < tries;
            turns.push(Turn { id: chance.uuid(), at, human: false, text, sitting, left });
        }
        at = minutes_after(at, chance.between(1, 9));
    }
}

/// A conversation that begins on Pro and goes on in a team.
fn moving_talk(chance: &mut Chance, person: &Person, owner: usize) -> Talk {
    let began = minutes_after(date("2025-10-02"), chance.between(0, 24 * 60));
    let mut talk = talk(chance, (person, owner), Source::Claude, began, Mode::Normal);
    talk.turns.retain(|turn| turn.sitting == 0);
    let subject = Subject::new(chance, false);
    let later = minutes_after(date("2025-10-16"), chance.between(0, 24 * 60));
    sit(chance, &mut talk.turns, subject, (1, later));
    talk
}
