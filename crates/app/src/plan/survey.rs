//! Asking the due index what versions would change: for each group of copies, which days can be due without them
//! and which with them.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use tenure_model::{Day, Instant, MonthLength, Span};
use tenure_policy::{Cutoff, FiledUnder, Situation};
use tenure_store::{AccountKey, ClassId, CopyKey, CopyStage, DueCopy, Filing, Group, ReadTx, RecordId};

use super::judge::Judges;
use super::{Setup, Tally};
use crate::filing::{SHARD, class_name};
use crate::record::Holds;
use crate::{Error, Policies, Tenure};

/// How many copies are asked for at once.
const SLICE: usize = 1_000;
/// So far ahead all terms that end at all have ended, so that comparing what is due then compares the terms.
const FAR: Span = Span::years(200);

/// How thoroughly it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Only how many copies lose their basis at most.
    Bound,
    /// Every copy that may lose its basis is judged, if there are at most so many; and so is what the index can't
    /// tell.
    Judged(u64),
}

/// What was found, by class and surface.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) tallies: BTreeMap<(String, String), Tally>,
    pub(super) exact: bool,
}

impl Survey {
    pub(super) fn lost(&self) -> u64 {
        self.tallies.values().map(|tally| tally.lost).sum()
    }

    pub(super) fn today(&self) -> u64 {
        self.tallies.values().map(|tally| tally.today).sum()
    }

    pub(super) fn loss(&self) -> u64 {
        self.lost().max(self.today())
    }
}

/// Days one after the other, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    from: Day,
    to: Day,
}

impl Days {
    const ALL: Self = Self { from: Day(i32::MIN), to: Day(i32::MAX) };

    /// The days that are due after and were not before.
    fn between(before: Cutoff, after: Cutoff) -> Option<Self> {
        let to = after.last_day()?;
        // Where the index understood nothing before, any of its days may have had a basis.
        let from = match before {
            Cutoff::UpTo(day) => Day(day.0.saturating_add(1)),
            Cutoff::Nothing | Cutoff::Everything => Day(i32::MIN),
        };
        (from.0 <= to.0).then_some(Self { from, to })
    }

    fn with(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self { from: Day(self.from.0.min(other.from.0)), to: Day(self.to.0.max(other.to.0)) }
    }
}

fn either(one: Option<Days>, other: Option<Days>) -> Option<Days> {
    one.map(|one| one.with(other)).or(other)
}

/// Which of a group's days may lose their basis, and how the terms of the others change.
#[derive(Debug, Clone, Copy, Default)]
struct Outlook {
    lost: Option<Days>,
    today: Option<Days>,
    /// Whether copies must be judged, since the index can't tell.
    is_unclear: bool,
    /// From which day on copies keep their basis, and whether they end later (less) or sooner (greater) with the
    /// versions than without.
    kept: Option<(Day, Ordering)>,
}

/// How the copies of a group are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Each is judged.
    Judged,
    /// Those that may lose their basis are judged, and the index says how the others end: from which day on, and
    /// whether later or sooner.
    Partly(Option<(Day, Ordering)>),
    /// The index says it all.
    Indexed,
}

/// A group of copies with its outlook.
struct Looked {
    group: Group,
    name: (String, String),
    outlook: Outlook,
    counts: Counts,
}

/// How many copies of a group may lose their basis, at most.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    lost: u64,
    today: u64,
}

impl Setup {
    fn outlook(&self, situation: Option<&Situation>, class: &str, filed: FiledUnder) -> Outlook {
        let rests = [FiledUnder::HELD, FiledUnder::RELEASED, FiledUnder::QUARANTINED];
        if rests.contains(&filed) {
            // Without a basis there is none to lose.
            return Outlook::default();
        }
        let Some(situation) = situation else {
            return Outlook { lost: Some(Days::ALL), is_unclear: true, ..Outlook::default() };
        };
        let cut = |policies: &Policies, at: Instant, by: Instant| {
            let lineage = policies.of_surface(situation.surface());
            lineage.map_or(Cutoff::Everything, |(lineage, _)| {
                lineage.cutoff_ahead(situation, class, filed, at, by)
            })
        };
        let mut outlook = Outlook::default();
        for at in &self.moments {
            let (before, after) = (cut(&self.before, *at, *at), cut(&self.after, *at, *at));
            outlook.note(before, after, |outlook| &mut outlook.lost);
        }
        if let Some(today) = &self.today {
            let (before, after) = (cut(&self.before, self.now, self.now), cut(today, self.now, self.now));
            outlook.note(before, after, |outlook| &mut outlook.today);
        }
        if let Some(last) = self.moments.last() {
            let (before, after) = (cut(&self.before, *last, *last), cut(&self.after, *last, *last));
            let ended = before.last_day().max(after.last_day());
            let from = ended.map_or(Day(i32::MIN), |day| Day(day.0.saturating_add(1)));
            let far = last.plus(FAR, MonthLength::Calendar);
            let (before, after) = (cut(&self.before, *last, far), cut(&self.after, *last, far));
            outlook.kept = Some((from, rank(before).cmp(&rank(after))));
        }
        outlook
    }
}

impl Outlook {
    fn note(&mut self, before: Cutoff, after: Cutoff, which: impl Fn(&mut Self) -> &mut Option<Days>) {
        let days = Days::between(before, after);
        self.is_unclear |= days.is_some() && (before == Cutoff::Everything || after == Cutoff::Everything);
        let known = which(self);
        *known = either(*known, days);
    }

    /// From which day on copies end otherwise than without the versions, if they do.
    fn changed(&self) -> Option<(Day, Ordering)> {
        self.kept.filter(|(_, ends)| ends.is_ne())
    }

    fn days(&self) -> Option<Days> {
        either(self.lost, self.today)
    }
}

/// A cut by how much it finds: the more, the sooner the terms end.
fn rank(cutoff: Cutoff) -> i64 {
    match cutoff {
        Cutoff::Nothing => i64::MAX,
        Cutoff::UpTo(day) => -i64::from(day.0),
        Cutoff::Everything => i64::MIN,
    }
}

impl Tenure {
    /// Looks at every group, and judges what it should.
    pub(super) fn survey(&self, tx: &mut dyn ReadTx, setup: &Setup, depth: Depth) -> Result<Survey, Error> {
        let mut survey = Survey { tallies: BTreeMap::new(), exact: true };
        let groups = look(tx, setup, depth, &mut survey)?;
        let marked: BTreeSet<AccountKey> =
            tx.refile_slice(usize::MAX)?.iter().map(|mark| mark.account).collect();
        let Depth::Judged(most) = depth else {
            for looked in groups {
                let tally = survey.tallies.entry(looked.name).or_default();
                tally.lost += looked.counts.lost;
                tally.today += looked.counts.today;
            }
            count_marked(tx, &marked, &mut survey)?;
            return Ok(survey);
        };
        let clear = groups.iter().filter(|looked| !looked.outlook.is_unclear);
        let may_lose: u64 = clear.map(|looked| looked.counts.lost.max(looked.counts.today)).sum();
        let holds = Holds::load(tx)?;
        let mut judges = Judges::new(self, setup, &holds);
        let classes = tx.classes()?;
        let mut counted = BTreeMap::new();
        for looked in groups {
            let class = class_name(&classes, looked.group.class);
            let tally = survey.tallies.entry(looked.name.clone()).or_default();
            let how = match looked.outlook.is_unclear {
                true => How::Judged,
                false if may_lose <= most => How::Partly(looked.outlook.changed()),
                false => How::Indexed,
            };
            counted.insert(looked.group, how);
            if how != How::Judged {
                count_ends(tx, &looked, tally)?;
            }
            match how {
                How::Judged => judge(tx, &mut judges, (looked.group, class, Days::ALL), &marked, tally)?,
                How::Partly(_) => {
                    if let Some(days) = looked.outlook.days() {
                        judge(tx, &mut judges, (looked.group, class, days), &marked, tally)?;
                    }
                }
                How::Indexed => by_index(setup, &looked, tally),
            }
            survey.exact &= how != How::Indexed || looked.counts.lost.max(looked.counts.today) == 0;
        }
        judge_marked(tx, &mut judges, (&marked, &counted), &classes, &mut survey)?;
        Ok(survey)
    }
}

/// What the index says of a group: at most so many lose their basis, to be destroyed at the earliest when they do
/// and at the latest after the grace.
fn by_index(setup: &Setup, looked: &Looked, tally: &mut Tally) {
    tally.lost += looked.counts.lost;
    tally.today += looked.counts.today;
    let (Some(first), Some(last)) = (setup.moments.first(), setup.moments.last()) else { return };
    if looked.counts.lost == 0 {
        return;
    }
    let rests = setup.versions.iter().map(|version| last.plus(version.grace, version.months)).max();
    tally.first = Some(tally.first.map_or(*first, |known| known.min(*first)));
    tally.last = tally.last.max(rests);
}

fn look(tx: &mut dyn ReadTx, setup: &Setup, depth: Depth, survey: &mut Survey) -> Result<Vec<Looked>, Error> {
    let classes = tx.classes()?;
    let mut situations: HashMap<i64, Option<Situation>> = HashMap::new();
    let mut groups = Vec::new();
    for group in tx.groups(SHARD)? {
        let situation = match situations.entry(group.situation.0) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let body = tx.situation(group.situation)?;
                unknown.insert(body.and_then(|body| serde_json::from_slice(&body).ok()))
            }
        };
        let situation = situation.as_ref();
        let class = class_name(&classes, group.class).to_owned();
        let outlook = setup.outlook(situation, &class, FiledUnder::from_number(group.anchor));
        let surface = situation.map_or("", Situation::surface).to_owned();
        let name = (class, surface);
        if depth != Depth::Bound {
            survey.tallies.entry(name.clone()).or_default().live += count(tx, group, Some(Days::ALL))?;
        }
        let counts =
            Counts { lost: count(tx, group, outlook.lost)?, today: count(tx, group, outlook.today)? };
        groups.push(Looked { group, name, outlook, counts });
    }
    Ok(groups)
}

fn count(tx: &mut dyn ReadTx, group: Group, days: Option<Days>) -> Result<u64, Error> {
    let Some(Days { from, to }) = days else { return Ok(0) };
    Ok(tx.count_due(SHARD, group, from, to)?.iter().map(|day| day.copies).sum())
}

/// Counts the copies of a group that keep their basis and end sooner or later than without the versions.
fn count_ends(tx: &mut dyn ReadTx, looked: &Looked, tally: &mut Tally) -> Result<(), Error> {
    let Some((from, ends)) = looked.outlook.changed() else { return Ok(()) };
    let copies = count(tx, looked.group, Some(Days { from, ..Days::ALL }))?;
    if ends.is_lt() {
        tally.longer += copies;
    } else {
        tally.sooner += copies;
    }
    Ok(())
}

/// Judges the copies of a group on some days, but for those of accounts that wait to be filed anew.
fn judge(
    tx: &mut dyn ReadTx,
    judges: &mut Judges<'_>,
    (group, class, days): (Group, &str, Days),
    marked: &BTreeSet<AccountKey>,
    tally: &mut Tally,
) -> Result<(), Error> {
    // The index is asked from a day on by naming the last copy that the day before could have.
    let before = days.from.0.checked_sub(1).map(Day);
    let mut after =
        before.map(|day| DueCopy { day, account: AccountKey(i64::MAX), record: RecordId([u8::MAX; 16]) });
    loop {
        let found = tx.due(SHARD, group, days.to, after, SLICE)?;
        let Some(last) = found.last() else { return Ok(()) };
        after = Some(*last);
        for copy in found.iter().filter(|copy| !marked.contains(&copy.account)) {
            judges.count(tx, (copy.account, copy.record), class, tally)?;
        }
    }
}

/// Judges the copies of accounts that wait to be filed anew: where they are filed may no longer be true.
fn judge_marked(
    tx: &mut dyn ReadTx,
    judges: &mut Judges<'_>,
    (marked, counted): (&BTreeSet<AccountKey>, &BTreeMap<Group, How>),
    classes: &[(ClassId, String)],
    survey: &mut Survey,
) -> Result<(), Error> {
    for account in marked {
        let mut after: Option<CopyKey> = None;
        loop {
            let copies = tx.copies_of(*account, after, SLICE)?;
            let Some(last) = copies.last() else { break };
            after = Some(last.key);
            for copy in copies.iter().filter(|copy| copy.state.stage() == CopyStage::Live) {
                let Filing { situation, anchor, .. } = copy.filing;
                let how = counted.get(&Group { class: copy.key.class, situation, anchor });
                let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;
                let class = class_name(classes, copy.key.class);
                if how == Some(&How::Indexed) {
                    continue;
                }
                let tally = survey.tallies.entry((class.to_owned(), record.surface)).or_default();
                if let Some(How::Partly(Some((from, ends)))) = how
                    && copy.filing.day.0 >= from.0
                {
                    // The index has counted it by where it is filed.
                    let counted = if ends.is_lt() { &mut tally.longer } else { &mut tally.sooner };
                    *counted = counted.saturating_sub(1);
                }
                judges.count(tx, (*account, copy.key.record), class, tally)?;
            }
        }
    }
    Ok(())
}

/// Counts all copies of accounts that wait to be filed anew as ones that may lose their basis.
fn count_marked(
    tx: &mut dyn ReadTx,
    marked: &BTreeSet<AccountKey>,
    survey: &mut Survey,
) -> Result<(), Error> {
    let tally = survey.tallies.entry((String::new(), String::new())).or_default();
    for account in marked {
        let mut after: Option<CopyKey> = None;
        loop {
            let copies = tx.copies_of(*account, after, SLICE)?;
            let Some(last) = copies.last() else { break };
            after = Some(last.key);
            let live = copies.iter().filter(|copy| copy.state.stage() == CopyStage::Live).count() as u64;
            tally.lost += live;
            tally.today += live;
        }
    }
    Ok(())
}
