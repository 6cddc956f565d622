//! Which version binds and which judges, what an account has chosen, and where a record stands.

use tenure_model::{Choice, Instant, Regime};

use crate::facts::History;
use crate::language::{Ground, Standing, Undecided};
use crate::lineage::{Lineage, PurposeIx, VersionIx};
use crate::lives::{Epoch, Seen};
use crate::past::Past;
use crate::surfaces::SurfaceId;

/// What an account has chosen toward one version at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// Nothing that counts.
    Nothing,
    /// No.
    Off,
    /// Yes.
    On,
    /// Nothing, but it was told in time and has not objected.
    Unopposed,
}

impl Chosen {
    const fn allows(self) -> bool {
        matches!(self, Self::On | Self::Unopposed)
    }
}

/// The versions that know one surface and live at one instant, and the steps between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps<'a> {
    pub(crate) lineage: &'a Lineage,
    pub(crate) considered: &'a [VersionIx],
    pub(crate) regime: Regime,
    /// The versions that live.
    pub(crate) epoch: &'a Epoch,
    /// Whether none of them knows the surface, so that it is seen as when one did.
    pub(crate) is_orphan: bool,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(lineage: &'a Lineage, surface: SurfaceId, at: Instant) -> Self {
        let Seen { epoch, is_orphan } = lineage.epochs().seen(surface, at);
        let (considered, regime) = (epoch.knowing(surface), lineage.regime(surface));
        Self { lineage, considered, regime, epoch, is_orphan }
    }

    /// The version that binds an account from its opening: the newest that was announced by then, or
    /// the oldest.
    pub(crate) fn start(&self, opened_at: Option<Instant>) -> VersionIx {
        let announced_by = |version: &&VersionIx| {
            opened_at.is_some_and(|opened| self.lineage.tree(**version).announced <= opened)
        };
        let oldest = self.considered.first().copied().unwrap_or(VersionIx(0));
        self.considered.iter().rev().find(announced_by).copied().unwrap_or(oldest)
    }

    /// The version that binds at an instant an account that began at `start`.
    pub(crate) fn bound_from(
        &self,
        start: VersionIx,
        acknowledged: impl Fn(VersionIx) -> bool,
        at: Instant,
    ) -> VersionIx {
        self.considered.iter().copied().filter(|version| *version > start).fold(start, |reached, version| {
            let moves = acknowledged(version)
                || self.lineage.tree(version).effective <= at && !self.widens(reached, version);
            if moves { version } else { reached }
        })
    }

    /// The version reached from the one that bound then, without widening, up to the one that binds now.
    pub(crate) fn judging_from(&self, then: VersionIx, bound: VersionIx) -> VersionIx {
        let later = self.considered.iter().copied().filter(|version| *version > then && *version <= bound);
        later.fold(then, |reached, version| if self.widens(reached, version) { reached } else { version })
    }

    fn widens(&self, older: VersionIx, newer: VersionIx) -> bool {
        self.lineage.widens(older, newer, self.regime)
    }

    /// Whether an `on` given under one version counts toward another: given under that one or a
    /// later, or no step of the lineage between them widens against the step before.
    pub(crate) fn carries(&self, given: VersionIx, to: VersionIx) -> bool {
        given >= to
            || self.considered.windows(2).all(|step| match step {
                [before, after] if *after > given && *after <= to => !self.widens(*before, *after),
                _ => true,
            })
    }

    /// What a latest decision makes of a choice toward a version; `None` if it makes none.
    pub(crate) fn decided(&self, latest: Option<(Choice, VersionIx)>, version: VersionIx) -> Option<Chosen> {
        match latest? {
            (Choice::Off, _) => Some(Chosen::Off),
            (Choice::On, given) => self.carries(given, version).then_some(Chosen::On),
        }
    }
}

/// An account as seen from one of its surfaces at an instant: only versions that know the surface and live then
/// are considered, and earlier instants are seen under them too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) steps: Steps<'a>,
    pub(crate) past: Past<'a>,
    pub(crate) opened_at: Option<Instant>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        lineage: &'a Lineage,
        history: &'a History,
        opened_at: Option<Instant>,
        surface: SurfaceId,
        at: Instant,
    ) -> Self {
        let steps = Steps::new(lineage, surface, at);
        Self { steps, past: Past::new(history, steps.epoch), opened_at }
    }

    /// The version that binds the account at an instant.
    pub(crate) fn bound(&self, at: Instant) -> VersionIx {
        let acknowledged = |version| self.past.acknowledged_by(version, at);
        self.steps.bound_from(self.steps.start(self.opened_at), acknowledged, at)
    }

    /// The version that judges what was last active at one instant, for an account bound by `bound`.
    pub(crate) fn judging(&self, last_activity: Instant, bound: VersionIx) -> VersionIx {
        self.steps.judging_from(self.bound(last_activity), bound)
    }

    /// What the account has chosen for a purpose, toward a version, at an instant.
    pub(crate) fn chosen(
        &self,
        version: VersionIx,
        purpose: PurposeIx,
        ground: Ground,
        at: Instant,
    ) -> Chosen {
        let latest = self.past.latest(purpose, at).map(|decision| (decision.choice, decision.version));
        if let Some(decided) = self.steps.decided(latest, version) {
            return decided;
        }
        let Ground::Objection { wait } = ground else { return Chosen::Nothing };
        let months = self.steps.lineage.tree(version).months;
        let in_time = |(known, told): (VersionIx, Instant)| {
            told.plus(wait, months) <= at && self.steps.carries(known, version)
        };
        if self.past.told().any(in_time) { Chosen::Unopposed } else { Chosen::Nothing }
    }

    /// Where what was last active at `then` stands at `now` toward a purpose of a version.
    pub(crate) fn standing(
        &self,
        version: VersionIx,
        purpose: PurposeIx,
        ground: Ground,
        then: Instant,
        now: Instant,
    ) -> Standing {
        let chosen_now = self.chosen(version, purpose, ground, now);
        let chosen_then = || self.chosen(version, purpose, ground, then);
        let unbroken = || !self.past.off_between(purpose, then, now);
        standing(chosen_now, chosen_then, unbroken)
    }

    /// Since when the present answer has been the answer, if `on` or `off` is the choice now.
    pub(crate) fn decided_since(
        &self,
        version: VersionIx,
        purpose: PurposeIx,
        ground: Ground,
        now: Instant,
    ) -> Option<Instant> {
        match self.chosen(version, purpose, ground, now) {
            Chosen::On | Chosen::Off => {
                self.past.latest(purpose, now).map(|decision| self.past.run_start(decision))
            }
            Chosen::Nothing | Chosen::Unopposed => None,
        }
    }

    /// Whether the account must decide before it goes on.
    pub(crate) fn must_decide(&self, at: Instant) -> bool {
        let lineage = self.steps.lineage;
        if self.steps.is_orphan {
            return false;
        }
        let asks = |version: &&VersionIx| {
            let tree = lineage.tree(**version);
            tree.announced <= at && self.asked(**version).next().is_some()
        };
        let Some(version) = self.steps.considered.iter().rev().find(asks).copied() else { return false };
        let tree = lineage.tree(version);
        tree.undecided == Undecided::Block
            && tree.decide_by.is_some_and(|deadline| deadline <= at)
            && self
                .asked(version)
                .any(|purpose| self.chosen(version, purpose, Ground::Consent, at) == Chosen::Nothing)
    }

    /// The purposes of ground consent that a version has in this regime.
    fn asked(&self, version: VersionIx) -> impl Iterator<Item = PurposeIx> {
        let Steps { lineage, regime, .. } = self.steps;
        let consent = lineage.tree(version).purposes.iter();
        let asked = consent.filter(move |purpose| purpose.ground == Ground::Consent && purpose.lists(regime));
        asked.filter_map(move |purpose| lineage.purpose(&purpose.name))
    }
}

/// The standing that two choices make.
pub(crate) fn standing(now: Chosen, then: impl Fn() -> Chosen, unbroken: impl Fn() -> bool) -> Standing {
    match now {
        Chosen::Nothing => Standing::Undecided,
        Chosen::Off if then().allows() => Standing::Withdrawn,
        Chosen::Off => Standing::Off,
        Chosen::On if then().allows() && unbroken() => Standing::On,
        Chosen::Unopposed if then().allows() && unbroken() => Standing::Unopposed,
        Chosen::On | Chosen::Unopposed => Standing::Unreached,
    }
}
