//! What anyone can check without us: the log, and one person's receipts in the verifier's own words.

use tenure_verifier::{Line, Words};

use super::svg::escape;
use super::{Numbers, table};
use crate::Outcome;
use crate::dates::{count, grouped, long};
use crate::ledger::{Given, Ledger};

pub(crate) fn section(outcome: &Outcome) -> String {
    let ledger = &outcome.summary.ledger;
    let title = if outcome.summary.is_sound() {
        format!(
            "Checked by anyone: all that was done here is in one log of {}",
            count(ledger.size, "statement", "statements")
        )
    } else {
        "Checked by anyone: what the log says of this".to_owned()
    };
    let mut out = String::from("<section aria-labelledby=\"checked\">\n");
    put!(out, "<h2 id=\"checked\">{}</h2>\n", escape(&title));
    put!(out, "<p>{}</p>\n", escape(&about(ledger)));
    out.push_str(&table(&numbers(ledger), "What the log holds, statement by statement"));
    if let Some(shown) = ledger.shown {
        put!(
            out,
            "<p>One person said yes on {}, a run read what they said, and they said no on {}. The run's copy of it was \
             destroyed on {}. These are the receipts for the no and for the copy, checked as anyone can who has the log's \
             public keys and nothing else of ours.</p>\n",
            long(shown.yes),
            long(shown.no),
            long(shown.destroyed)
        );
    }
    for given in &ledger.receipts {
        out.push_str(&words(given));
    }
    out.push_str(&files(ledger));
    out.push_str("</section>\n");
    out
}

fn about(ledger: &Ledger) -> String {
    let signers: Vec<String> = ledger
        .signatures
        .iter()
        .map(|signature| format!("{} (key {})", signature.algorithm, signature.id))
        .collect();
    format!(
        "Each statement is a leaf of a log that can only grow. Its name is {}, its root over {} is {}, and it is signed \
         with {}. To a stranger it shows nothing that a receipt does not open.",
        ledger.origin,
        count(ledger.size, "statement", "statements"),
        ledger.root,
        signers.join(" and ")
    )
}

fn numbers(ledger: &Ledger) -> Numbers {
    let stated = &ledger.stated;
    let destructions = stated.batches * 2;
    let known = stated.of_people + destructions + stated.runs;
    let rows = [
        ("People told of new terms", stated.told),
        ("Answers", stated.decisions),
        ("Deletions, thumbs and flags", stated.marks),
        ("Accounts opened", stated.opened),
        ("Accounts closed", stated.closed),
        ("Destructions, announced and done", destructions),
        ("Training runs", stated.runs),
        ("Terms, the order and the log's own keys", ledger.size.saturating_sub(known)),
        ("In all", ledger.size),
    ];
    let rows = rows.map(|(what, number)| vec![what.to_owned(), grouped(number)]);
    Numbers { heading: vec!["Statements", "How many"], rows: rows.into() }
}

/// What a receipt proves, in the verifier's words.
fn words(given: &Given) -> String {
    let Words { headline, lines, notes } = given.report.words();
    let mut out = format!("<h3>{}</h3>\n<dl>\n", escape(&headline));
    for Line { label, text } in &lines {
        put!(out, "<dt>{}</dt><dd>{}</dd>\n", escape(label), escape(text).replace('\n', "<br>"));
    }
    out.push_str("</dl>\n");
    for note in &notes {
        put!(out, "<p class=\"note\">{}</p>\n", escape(note));
    }
    out
}

/// The files, so that whoever has this page can check them.
fn files(ledger: &Ledger) -> String {
    let mut out = String::from("<details>\n<summary>The files, to check them yourself</summary>\n");
    if let Some(first) = ledger.receipts.first() {
        put!(
            out,
            "<p>Save each under its name, then run this.</p>\n<pre>tenure receipt verify {} --key {}</pre>\n",
            escape(first.file),
            Ledger::KEYS
        );
    }
    for (name, text) in ledger.files() {
        let (name, text) = (escape(name), escape(text));
        put!(
            out,
            "<h3>{name}</h3>\n<pre tabindex=\"0\" role=\"region\" aria-label=\"File {name}\">{text}</pre>\n"
        );
    }
    out.push_str("</details>\n");
    out
}
