//! What a person may be told of what is kept, for `tenure explain` and `tenure account`.

use tenure_app::explain::{Ending, Told, ToldCopy, ToldRecord};
use tenure_model::Instant;

use crate::output::{say, say_at};
use crate::speech::{and, dated, some};

/// What is told of one record.
pub(super) fn record(record: &ToldRecord, now: Instant) -> anyhow::Result<()> {
    say(format_args!("Record {}", record.record))?;
    say(format_args!("  on `{}`, created {}", record.surface, dated(record.created_at, now)))?;
    if let Some(deleted) = record.deleted_at {
        say(format_args!("  deleted {}", dated(deleted, now)))?;
    }
    say("\nKept")?;
    if record.kept.is_empty() {
        say("  nothing under your terms")?;
    }
    record.kept.iter().try_for_each(|kept| copy(kept, now))
}

fn copy(copy: &ToldCopy, now: Instant) -> anyhow::Result<()> {
    let until = match copy.kept {
        Ending::Until(until) => format!("until {}", dated(until, now)),
        Ending::Indefinite => "without an end".to_owned(),
        Ending::Held => "for as long as an order requires".to_owned(),
        Ending::Due(by) => format!("until {}", dated(by, now)),
    };
    say_at(2, format_args!("{}: {until}", copy.class))?;
    for why in &copy.why {
        say_at(6, format_args!("because: {why}"))?;
    }
    for order in &copy.orders {
        let since = dated(order.since, now);
        if copy.may_be_used {
            say_at(
                6,
                format_args!("kept under an order since {since}; the order itself allows no use of it"),
            )?;
        } else {
            say_at(6, format_args!("kept only under an order, since {since}: it is not used"))?;
        }
    }
    Ok(())
}

/// What is told of all that is kept of an account.
pub(super) fn account(told: &Told) -> anyhow::Result<()> {
    let counted = |copies: &std::collections::BTreeMap<String, u64>| -> String {
        let words: Vec<String> =
            copies.iter().map(|(class, count)| format!("{} of `{class}`", some(*count, "copy"))).collect();
        if words.is_empty() { "nothing under your terms".to_owned() } else { and(&words) }
    };
    say(format_args!("Account   {}", told.account))?;
    say(format_args!("Kept      {}", counted(&told.kept)))?;
    let Some(since) = told.since else { return Ok(()) };
    say(format_args!(
        "Held      {}, of {}, under an order since {}",
        counted(&told.under_order),
        some(told.records_under_order, "record"),
        dated(since, told.at)
    ))?;
    say_at(10, "An order allows no use: what only it keeps is not used.")?;
    for of in &told.records {
        say("")?;
        record(of, told.at)?;
    }
    Ok(())
}
