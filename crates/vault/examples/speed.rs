//! How fast the vault is on this machine: `cargo run --release -p tenure-vault --example speed`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::time::Instant;

use tenure_vault::{CopyName, PAGE_WRAPS_MAX, Reading, SegmentName, Tree, Vault};

const SEGMENTS: u32 = 16_000;
const SEGMENT_BYTES: u32 = 4096;
const WRAPS: u32 = 50_000;
const PAGES: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let vault = Vault::create(&folder.path().join("data"), &folder.path().join("keys"))?;
    packs(&vault)?;
    wraps(&vault)?;
    pages(&vault)
}

fn packs(vault: &Vault) -> Result<(), Box<dyn Error>> {
    let name = SegmentName { organisation: None, account: "account", record: "record", number: 0 };
    let segment = vec![7; usize::try_from(SEGMENT_BYTES)?];
    let gigabytes = f64::from(SEGMENTS) * f64::from(SEGMENT_BYTES) / 1e9;
    let keys: Vec<_> = (0..SEGMENTS).map(|_| vault.body_key()).collect::<Result<_, _>>()?;

    let start = Instant::now();
    let mut again = vault.pack_writer()?;
    let first = keys.first().ok_or("no key was made")?;
    for _ in &keys {
        again.add(first, &name, &segment)?;
    }
    println!("sealing, one key for all:          {:.2} GB/s", gigabytes / start.elapsed().as_secs_f64());
    drop(again);

    let start = Instant::now();
    let mut writer = vault.pack_writer()?;
    let mut readings = Vec::with_capacity(keys.len());
    for key in &keys {
        readings.push(Reading { place: writer.add(key, &name, &segment)?, key, name });
    }
    println!("sealing, a new key for each 4 KiB: {:.2} GB/s", gigabytes / start.elapsed().as_secs_f64());

    let start = Instant::now();
    vault.finish(writer)?;
    println!("storing a pack of 64 MiB durably:  {:.2} GB/s", gigabytes / start.elapsed().as_secs_f64());

    let start = Instant::now();
    let read = vault.read_all(&readings)?.len();
    let seconds = start.elapsed().as_secs_f64();
    println!("reading {read} segments at once:   {:.2} GB/s", gigabytes / seconds);
    Ok(())
}

fn wraps(vault: &Vault) -> Result<(), Box<dyn Error>> {
    let copy = CopyName { organisation: None, account: "account", record: "record", class: "history" };
    let (account, key) = (vault.account_key()?, vault.body_key()?);
    let pages = vault.pages().create(Tree::Ordinary, 1)?;
    let page = *pages.first().ok_or("no page was made")?;

    let start = Instant::now();
    for _ in 0..WRAPS {
        vault.wrap(&copy, &account, page, &key)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("wrapping, keys joined each time:   {:.0} a second", f64::from(WRAPS) / seconds);

    let start = Instant::now();
    let wrapper = vault.wrapper(&account, page)?;
    for _ in 0..WRAPS {
        wrapper.wrap(&copy, &key)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("wrapping, keys joined once:        {:.0} a second", f64::from(WRAPS) / seconds);
    Ok(())
}

fn pages(vault: &Vault) -> Result<(), Box<dyn Error>> {
    let wraps = PAGES * PAGE_WRAPS_MAX;
    let start = Instant::now();
    let pages = vault.pages().create(Tree::Ordinary, PAGES)?;
    println!("making {PAGES} pages ({wraps} wraps): {:.1?}", start.elapsed());

    let half = pages.get(..PAGES / 2).unwrap_or_default();
    let start = Instant::now();
    vault.pages().destroy(half)?;
    println!("destroying half of them in one call: {:.1?}", start.elapsed());

    let start = Instant::now();
    for page in pages.iter().skip(PAGES / 2).take(10) {
        vault.pages().destroy(&[*page])?;
    }
    println!("destroying one page, alone:        {:.1?}", start.elapsed() / 10);
    Ok(())
}
