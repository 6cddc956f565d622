//! What waits: in quarantine, in the grace of a released hold, and under holds. As the last sweep filed it.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Day, Instant};
use tenure_policy::FiledUnder;
use tenure_store::{ClassId, ReadTx};

use crate::Error;
use crate::filing::{SHARD, class_name};

/// Copies of a class that wait without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The class.
    pub class: String,
    /// How many.
    pub copies: u64,
}

/// Copies of a class that wait, by days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rests {
    /// The class.
    pub class: String,
    /// How many.
    pub copies: u64,
    /// The first of their days.
    pub first: Instant,
    /// The last of them.
    pub last: Instant,
}

/// What waits, by why.
pub(super) struct Waits {
    pub(super) quarantine: Vec<Rests>,
    pub(super) released: Vec<Rests>,
    pub(super) held: Vec<Waiting>,
}

/// Counts what waits. It costs that, not what is stored. What has left quarantine is due, and not here.
pub(super) fn read(tx: &mut dyn ReadTx, classes: &[(ClassId, String)], now: Instant) -> Result<Waits, Error> {
    let always = Day(i32::MIN);
    let quarantine = resting(tx, classes, FiledUnder::QUARANTINED, now.day())?;
    let released = resting(tx, classes, FiledUnder::RELEASED, always)?;
    let held = resting(tx, classes, FiledUnder::HELD, always)?;
    let held = held.into_iter().map(|rests| Waiting { class: rests.class, copies: rests.copies });
    Ok(Waits { quarantine, released, held: held.collect() })
}

/// Copies that are filed under what keeps them when everything else has let go, from a day on.
fn resting(
    tx: &mut dyn ReadTx,
    classes: &[(ClassId, String)],
    filed: FiledUnder,
    from: Day,
) -> Result<Vec<Rests>, Error> {
    let mut found: BTreeMap<&str, Rests> = BTreeMap::new();
    for group in tx.groups(SHARD)? {
        if FiledUnder::from_number(group.anchor) != filed {
            continue;
        }
        let class = class_name(classes, group.class);
        for count in tx.count_due(SHARD, group, from, Day(i32::MAX))? {
            let day = count.day.start();
            let rests = found.entry(class).or_insert_with(|| Rests {
                class: class.to_owned(),
                copies: 0,
                first: day,
                last: day,
            });
            rests.copies += count.copies;
            rests.first = rests.first.min(day);
            rests.last = rests.last.max(day);
        }
    }
    Ok(found.into_values().collect())
}
