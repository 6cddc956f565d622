//! A log read from an address or from a folder.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tenure_tlog::note::MAX_NOTE_BYTES;
use tenure_tlog::tile::Resource;

use crate::files;
use crate::growth::ENTRY_BYTES;
use crate::http::{Client, HttpError, Patience};
use crate::source::{LogSource, SourceError};

/// How many requests are under way at once.
const SIDE_BY_SIDE: usize = 8;
/// An entry of a log of Tenure, with its length before it.
const ENTRY_BYTES_MAX: u64 = ENTRY_BYTES as u64 + 2;

/// A log that someone serves.
#[derive(Debug)]
pub struct RemoteLog(Place);

#[derive(Debug)]
enum Place {
    Web(Client),
    Folder(PathBuf),
}

impl RemoteLog {
    /// The log below an `http(s)://` address, or else in a folder.
    pub fn open(place: &str) -> Result<Self, HttpError> {
        Self::open_patiently(place, Patience::default())
    }

    /// The log at a place, asked with this much patience.
    pub fn open_patiently(place: &str, patience: Patience) -> Result<Self, HttpError> {
        if place.contains("://") {
            return Ok(Self(Place::Web(Client::new(place, patience)?)));
        }
        Ok(Self(Place::Folder(PathBuf::from(place))))
    }
}

impl LogSource for RemoteLog {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        match &self.0 {
            Place::Web(client) => {
                client.get(&resource.to_string(), limit(resource)).map_err(SourceError::new)
            }
            Place::Folder(folder) => read(folder, resource).map_err(SourceError::new),
        }
    }

    fn resources(&self, resources: &[Resource]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        let in_turn = || resources.iter().map(|resource| self.resource(*resource)).collect();
        match &self.0 {
            Place::Web(_) if resources.len() > 1 => self.side_by_side(resources),
            Place::Web(_) | Place::Folder(_) => in_turn(),
        }
    }
}

impl RemoteLog {
    fn side_by_side(&self, resources: &[Resource]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        let waiting = Mutex::new(resources.iter().enumerate());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<Vec<Found>, SourceError> {
            let mut done = Vec::new();
            while let Some((place, resource)) = next() {
                done.push(Found { place, bytes: self.resource(*resource)? });
            }
            Ok(done)
        };
        let mut found = thread::scope(|scope| {
            let workers: Vec<_> = (0..SIDE_BY_SIDE.min(resources.len())).map(|_| scope.spawn(work)).collect();
            let mut found = Vec::new();
            for worker in workers {
                let ended = worker.join().map_err(|_| SourceError::new("a thread that read the log died"))?;
                found.extend(ended?);
            }
            Ok::<_, SourceError>(found)
        })?;
        found.sort_unstable_by_key(|found| found.place);
        Ok(found.into_iter().map(|found| found.bytes).collect())
    }
}

/// What was found for the resource at a place in the list.
struct Found {
    place: usize,
    bytes: Option<Vec<u8>>,
}

/// How long a resource can be: whoever serves it may serve anything.
fn limit(resource: Resource) -> u64 {
    match resource {
        Resource::Checkpoint => u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX),
        Resource::Tile(tile) => u64::try_from(tile.byte_len()).unwrap_or(u64::MAX),
        Resource::Entries(bundle) => u64::from(bundle.width()) * ENTRY_BYTES_MAX,
    }
}

fn read(folder: &Path, resource: Resource) -> io::Result<Option<Vec<u8>>> {
    if resource == Resource::Checkpoint && !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such folder"));
    }
    let path = folder.join(resource.to_string());
    let limit = limit(resource);
    let Ok(file) = File::open(&path) else {
        // A second look tells what is not there from what can't be read.
        return files::read(&path);
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("`{resource}` is longer than {limit} bytes"),
        ));
    }
    Ok(Some(bytes))
}
