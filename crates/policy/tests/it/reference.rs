//! The table and the reference agree: on every verdict, on what widens, and on what is refused.
//!
//! The reference was written from the text of the design alone and shares nothing with the table but
//! the parser and the calendar. What they ever disagreed about lies in `corpora/found`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;
use tenure_model::Regime;
use tenure_policy::language::{Version, parse};
use tenure_policy::{Answerer, Lineage, VersionIx};
use tenure_reference::{Lineage as Reference, Tally, generate};

/// Cases for each shipped policy, random lineages, and cases for each of those: a million in all.
const SHIPPED_CASES: u64 = 40_000;
const LINEAGES: u64 = 4_500;
const LINEAGE_CASES: u64 = 200;
/// Random lineages whose last version may have to be refused.
const UNCHECKED: u64 = 4_000;
/// Two threads: a machine that runs the tests has two cores or more.
const THREADS: usize = 2;

/// One policy, as its table and as its reference.
struct Both {
    texts: Vec<String>,
    table: Lineage,
    reference: Reference,
}

impl Both {
    /// Both must accept.
    fn new(texts: Vec<String>) -> Result<Self, String> {
        let versions = versions(&texts).map_err(|error| report(&texts, "", &error))?;
        let reference = Reference::new(versions.clone()).map_err(|error| report(&texts, "", &error))?;
        let table = Lineage::compile(versions)
            .map_err(|error| report(&texts, "", &format!("the table refuses: {error}")))?;
        Ok(Self { texts, table, reference })
    }

    /// Whether both say the same of what widens.
    fn widen_alike(&self) -> Result<(), String> {
        let places: Vec<VersionIx> = self.table.versions().map(|(place, _)| place).collect();
        for (newer, &newer_ix) in places.iter().enumerate() {
            for (older, &older_ix) in places.iter().take(newer).enumerate() {
                for &regime in Regime::ALL {
                    let table = self.table.widens(older_ix, newer_ix, regime);
                    let reference = self.reference.widens(older, newer, regime);
                    if table != reference {
                        let what = format!(
                            "{newer} widens against {older} in {regime:?}: table {table}, reference {reference}"
                        );
                        return Err(report(&self.texts, "", &what));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether both give the same answer to a case; the words of an error are each one's own.
    fn answer_alike(
        &self,
        answerer: &mut Answerer<'_>,
        case: &str,
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        out.clear();
        let _ = answerer.answer(case.as_bytes(), out);
        let table: Value = serde_json::from_slice(out).map_err(|error| error.to_string())?;
        let reference = self.reference.answer(case, tally);
        let both_errors = table.get("error").is_some() && reference.get("error").is_some();
        if table == reference || both_errors && table["case"] == reference["case"] {
            return Ok(());
        }
        Err(report(&self.texts, case, &format!("table     {table}\nreference {reference}")))
    }

    /// Whether both give the same answers to cases that are drawn from these seeds.
    fn answer_all_alike(&self, seeds: std::ops::Range<u64>, tally: &mut Tally) -> Result<(), String> {
        let mut answerer = Answerer::new(&self.table);
        let mut out = Vec::new();
        for seed in seeds {
            let case = generate::case(seed, &self.reference);
            self.answer_alike(&mut answerer, &case, &mut out, tally)
                .map_err(|error| format!("case seed {seed}\n{error}"))?;
        }
        Ok(())
    }
}

/// Everything that it takes to see a disagreement again.
fn report(texts: &[String], case: &str, what: &str) -> String {
    let mut report = String::new();
    for text in texts {
        let _ = writeln!(report, "--- policy\n{text}");
    }
    let _ = writeln!(report, "--- case\n{case}\n--- what\n{what}");
    report
}

fn versions(texts: &[String]) -> Result<Vec<Version>, String> {
    texts.iter().map(|text| parse("policy.toml", text).map_err(|error| error.to_string())).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of a file, or of all policies of a folder.
pub(crate) fn texts(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).unwrap()];
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Everything in a folder of the repository, by name; nothing where there is no such folder.
pub(crate) fn entries(folder: &str) -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut entries: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    entries.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "toml"));
    entries.sort();
    entries
}

/// Does a piece of work for every number below a bound, on all threads, each with a tally of its own;
/// stops at the first complaint, and gives the sum of the tallies.
pub(crate) fn each<T: Default + Send>(
    count: u64,
    work: impl Fn(u64, &mut T) -> Result<(), String> + Sync,
) -> Vec<T> {
    let (next, complaint) = (AtomicU64::new(0), Mutex::new(None));
    let run = || {
        let mut counted = T::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return counted;
            }
            if let Err(error) = work(number, &mut counted) {
                next.store(count, Ordering::Relaxed);
                *complaint.lock().unwrap() = Some(format!("seed {number}\n{error}"));
            }
        }
    };
    let counted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    if let Some(complaint) = complaint.into_inner().unwrap() {
        panic!("{complaint}");
    }
    counted
}

#[test]
fn a_million_cases_get_the_same_answer_from_the_table_and_the_reference() {
    let started = Instant::now();
    let shipped: Vec<Both> = entries("policies").iter().map(|path| Both::new(texts(path)).unwrap()).collect();
    let (slices, slice) = (40, SHIPPED_CASES / 40);
    let work = |number: u64, tally: &mut Tally| {
        if let Some(both) = shipped.get(usize::try_from(number / slices).unwrap()) {
            both.widen_alike()?;
            let first = number % slices * slice;
            return both.answer_all_alike(first..first + slice, tally);
        }
        let both = Both::new(generate::lineage(number))?;
        both.widen_alike()?;
        let first = number * LINEAGE_CASES;
        both.answer_all_alike(first..first + LINEAGE_CASES, tally)
    };
    let shipped_slices = shipped.len() as u64 * slices;
    let mut tally = Tally::new();
    for counted in each(shipped_slices + LINEAGES, work) {
        tally.merge(&counted);
    }
    let cases = shipped.len() as u64 * SHIPPED_CASES + LINEAGES * LINEAGE_CASES;
    println!("{cases} cases in {:?}\n{tally}", started.elapsed());
    assert!(cases >= 1_000_000);
    for (clause, count) in tally.iter() {
        let words = clause.words();
        let often =
            ["standing:", "binding:", "judging:", "widening:"].iter().any(|part| words.starts_with(part));
        let least = if often { 1_000 } else { 100 };
        assert!(count >= least, "only {count} times: {words}");
    }
}

/// What the two say of a lineage that may have to be refused: that it is, or that it is not.
fn refused_alike(texts: &[String]) -> Result<bool, String> {
    // What can't be read is refused by the parser that both share.
    let Ok(versions) = versions(texts) else { return Ok(true) };
    let refusals = Reference::new(versions.clone()).map(|reference| reference.refusals());
    let table = Lineage::compile(versions);
    let refused = table.is_err();
    let accepted = refusals.as_ref().is_ok_and(Vec::is_empty);
    if refused != accepted {
        return Ok(refused);
    }
    Err(report(texts, "", &format!("table {:?}\nreference {refusals:?}", table.map(drop))))
}

#[test]
fn the_compiler_refuses_what_the_reference_refuses() {
    let started = Instant::now();
    let counts = each(UNCHECKED, |seed, refused: &mut u64| {
        *refused += u64::from(refused_alike(&generate::unchecked_lineage(seed))?);
        Ok(())
    });
    let refused: u64 = counts.iter().sum();
    println!("{refused} of {UNCHECKED} lineages refused in {:?}", started.elapsed());
    assert!(refused > UNCHECKED / 5 && refused < UNCHECKED * 4 / 5);
}

#[test]
fn the_corpora_are_refused_and_accepted_by_both() {
    for (folder, expected) in [("corpora/refused", true), ("corpora/accepted", false), ("policies", false)] {
        for path in entries(folder) {
            let refused = refused_alike(&texts(&path)).unwrap();
            assert_eq!(refused, expected, "{}", path.display());
        }
    }
}

#[test]
fn whatever_they_once_disagreed_about_they_agree_about() {
    for folder in entries("corpora/found") {
        let texts = texts(&folder);
        if refused_alike(&texts).unwrap() {
            continue;
        }
        let both = Both::new(texts).unwrap();
        both.widen_alike().unwrap();
        let mut answerer = Answerer::new(&both.table);
        let cases = fs::read_to_string(folder.join("cases.jsonl")).unwrap_or_default();
        for case in cases.lines() {
            both.answer_alike(&mut answerer, case, &mut Vec::new(), &mut Tally::new()).unwrap();
        }
    }
}
