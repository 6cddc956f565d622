//! What the operator has set for destruction as a whole: whether it is paused, whether Tenure only observes, and
//! within which time what must go is gone.

use std::sync::PoisonError;

use tenure_model::{Instant, MonthLength, Span};
use tenure_store::{ReadTx, StoreExt as _};

use crate::{Error, Tenure};

const PAUSED: &str = "destruction/paused";
const OBSERVES: &str = "destruction/observes";
const ERASE_WITHIN: &str = "destruction/within";

/// How long destruction may take from when a copy is due, unless the operator says otherwise.
const ERASE_WITHIN_DEFAULT: &str = "30 days";

/// A pause of all destruction.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pause {
    /// Since when.
    pub since: Instant,
    /// Why, in the operator's words.
    pub why: String,
}

impl Tenure {
    /// Stops all destruction, from what is under way on. When this has answered, no step that destroys is under way
    /// in this process, and none begins anywhere.
    pub fn pause(&self, why: &str, now: Instant) -> Result<(), Error> {
        if why.len() > 500 {
            return Err(Error::Refused("say in at most 500 bytes why destruction is paused".to_owned()));
        }
        let paused = format!("{} {why}", now.micros());
        self.store.write(move |tx| Ok::<_, Error>(tx.set_meta(PAUSED, &paused)?))?;
        // Whoever holds the door has read the settings before; from the next step on the pause is seen.
        drop(self.door.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Lets destruction go on, and says whether it was paused.
    pub fn resume(&self) -> Result<bool, Error> {
        self.store.write(|tx| {
            let was = paused(tx)?.is_some();
            tx.set_meta(PAUSED, "")?;
            Ok(was)
        })
    }

    /// The pause, if destruction is paused.
    pub fn paused(&self) -> Result<Option<Pause>, Error> {
        self.store.read(paused)
    }

    /// Has Tenure judge and report and destroy nothing, or destroy what is due.
    pub fn observe_only(&self, observe: bool) -> Result<(), Error> {
        let word = if observe { "yes" } else { "" };
        self.store.write(move |tx| Ok(tx.set_meta(OBSERVES, word)?))
    }

    /// Whether Tenure judges and reports, and destroys nothing.
    pub fn observes(&self) -> Result<bool, Error> {
        self.store.read(observes)
    }

    /// Sets within which time what is due must be verified absent.
    pub fn set_erase_within(&self, span: Span) -> Result<(), Error> {
        let word = span.to_string();
        self.store.write(move |tx| Ok(tx.set_meta(ERASE_WITHIN, &word)?))
    }

    /// Within which time what is due must be verified absent. It counts from the end of quarantine.
    pub fn erase_within(&self) -> Result<Span, Error> {
        self.store.read(erase_within)
    }
}

/// The pause that a transaction sees.
fn paused(tx: &mut dyn ReadTx) -> Result<Option<Pause>, Error> {
    let Some(word) = tx.meta(PAUSED)?.filter(|word| !word.is_empty()) else { return Ok(None) };
    // A pause that can't be read is one all the same.
    let (since, why) = word.split_once(' ').unwrap_or(("0", ""));
    let since = Instant::saturating_from_micros(since.parse().unwrap_or_default());
    Ok(Some(Pause { since, why: why.to_owned() }))
}

/// Whether destruction is paused, as a transaction sees it.
pub(crate) fn is_paused(tx: &mut dyn ReadTx) -> Result<bool, Error> {
    Ok(paused(tx)?.is_some())
}

/// Whether Tenure only observes, as a transaction sees it.
pub(crate) fn observes(tx: &mut dyn ReadTx) -> Result<bool, Error> {
    Ok(tx.meta(OBSERVES)?.is_some_and(|word| !word.is_empty()))
}

/// Refuses to go on while destruction is paused, or Tenure only observes.
pub(crate) fn refuse_if_stopped(tx: &mut dyn ReadTx) -> Result<(), Error> {
    if let Some(pause) = paused(tx)? {
        return Err(Error::Paused(pause.since));
    }
    if observes(tx)? {
        return Err(Error::Observes);
    }
    Ok(())
}

pub(crate) fn erase_within(tx: &mut dyn ReadTx) -> Result<Span, Error> {
    let word = tx.meta(ERASE_WITHIN)?;
    let span = word.as_deref().unwrap_or(ERASE_WITHIN_DEFAULT).parse();
    span.map_err(|_| {
        Error::Refused("the time for erasure that is stored can't be read: set it anew".to_owned())
    })
}

/// By when something that became due at an instant must be verified absent.
pub(crate) fn deadline(due_at: Instant, within: Span) -> Instant {
    due_at.plus(within, MonthLength::Calendar)
}
