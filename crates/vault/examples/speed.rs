//! How fast the vault is on this machine: `cargo run --release -p tenure-vault --example speed`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use tenure_vault::{CopyName, PAGE_WRAPS_MAX, Reading, SegmentName, Tree, Vault};

const SEGMENTS: u32 = 16_000;
const SEGMENT_BYTES: u32 = 4096;
const BODIES_BYTES: usize = 60 << 20;
const WRAPS: u32 = 50_000;
const PAGES: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let vault = Vault::create(&folder.path().join("data"), &folder.path().join("keys"))?;
    packs(&vault)?;
    for body in [1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20] {
        bodies(&vault, folder.path(), body)?;
    }
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

/// Bodies of one length, each under a key of its own: plain AES-256-GCM and one durable write of the
/// same bytes, and then the vault. The median of five rounds, taken in turn.
fn bodies(vault: &Vault, folder: &Path, length: usize) -> Result<(), Box<dyn Error>> {
    const ROUNDS: usize = 5;
    let (count, body) = (BODIES_BYTES / length, vec![7; length]);
    let name = SegmentName { organisation: None, account: "account", record: "record", number: 0 };
    let (mut plain, mut vaulted) = (Vec::new(), Vec::new());
    let mut ranges = Vec::new();
    for round in 0..ROUNDS {
        let keys: Vec<_> = (0..count).map(|_| vault.body_key()).collect::<Result<_, _>>()?;
        let start = Instant::now();
        let mut sealed = Vec::with_capacity(BODIES_BYTES + 32 * count);
        for number in 0..count {
            let secret = [(number as u64).to_be_bytes(); 4].concat();
            let key = RandomizedNonceKey::new(&AES_256_GCM, &secret)?;
            let at = sealed.len();
            sealed.extend_from_slice(&body);
            let text = sealed.get_mut(at..).ok_or("nothing to seal")?;
            let (nonce, tag) = key.seal_in_place_separate_tag(Aad::empty(), text)?;
            sealed.extend_from_slice(nonce.as_ref());
            sealed.extend_from_slice(tag.as_ref());
        }
        let mut file = File::create_new(folder.join(format!("plain-{length}-{round}")))?;
        file.write_all(&sealed)?;
        file.sync_all()?;
        plain.push(start.elapsed());
        drop(sealed);

        let start = Instant::now();
        let mut writer = vault.pack_writer()?;
        let mut places = Vec::with_capacity(count);
        for key in &keys {
            places.push(writer.add(key, &name, &body)?);
        }
        vault.finish(writer)?;
        vaulted.push(start.elapsed());

        let (place, key) = places.first().zip(keys.first()).ok_or("no body was stored")?;
        let start = Instant::now();
        vault.read_range(place, key, &name, length as u64 - 100..length as u64)?;
        ranges.push(start.elapsed());
    }
    let median = |times: &mut Vec<Duration>| -> Duration {
        times.sort_unstable();
        times.get(ROUNDS / 2).copied().unwrap_or_default()
    };
    let (plain, vaulted) = (median(&mut plain), median(&mut vaulted));
    println!(
        "bodies of {:>4} KiB, durable: {plain:.0?} as plain AES-256-GCM, {vaulted:.0?} in the vault: {:.2} of it; the last 100 bytes of one: {:.0?}",
        length >> 10,
        plain.as_secs_f64() / vaulted.as_secs_f64(),
        median(&mut ranges),
    );
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
