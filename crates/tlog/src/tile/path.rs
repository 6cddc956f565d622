//! Where each thing that a log serves is found.

use std::fmt;
use std::str::FromStr;

use super::{Bundle, FULL_WIDTH, MAX_LEVEL, Tile};
use crate::text::decimal;

/// What a log serves, by its path below the log's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// The latest checkpoint; the only one that changes.
    Checkpoint,
    /// Hashes.
    Tile(Tile),
    /// Entries.
    Entries(Bundle),
}

impl Resource {
    /// The media type to serve it with.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Checkpoint => "text/plain; charset=utf-8",
            Self::Tile(_) | Self::Entries(_) => "application/octet-stream",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => out.write_str("checkpoint"),
            Self::Tile(tile) => tile.fmt(out),
            Self::Entries(bundle) => bundle.fmt(out),
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "tile/{}/", self.level)?;
        write_place(out, self.index, self.width)
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("tile/entries/")?;
        write_place(out, self.index(), self.width())
    }
}

/// A path that names nothing that a log serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path is not `checkpoint`, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`")]
pub struct PathError;

impl FromStr for Resource {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        if path == "checkpoint" {
            return Ok(Self::Checkpoint);
        }
        parse(path).ok_or(PathError)
    }
}

impl FromStr for Tile {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        match path.parse()? {
            Resource::Tile(tile) => Ok(tile),
            Resource::Checkpoint | Resource::Entries(_) => Err(PathError),
        }
    }
}

impl FromStr for Bundle {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        match path.parse()? {
            Resource::Entries(bundle) => Ok(bundle),
            Resource::Checkpoint | Resource::Tile(_) => Err(PathError),
        }
    }
}

fn parse(path: &str) -> Option<Resource> {
    let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = parse_place(place)?;
    if level == "entries" {
        return Bundle::new(index, width).map(Resource::Entries);
    }
    let level = u8::try_from(decimal(level)?).ok().filter(|level| *level <= MAX_LEVEL)?;
    Tile::new(level, index, width).map(Resource::Tile)
}

/// The index in path elements of three digits, all but the last behind an `x`, so that no file is also a
/// folder; then the width, if it is partial.
fn write_place(out: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let mut divisor = 1;
    while index / divisor >= 1000 {
        divisor *= 1000;
    }
    while divisor > 1 {
        write!(out, "x{:03}/", index / divisor % 1000)?;
        divisor /= 1000;
    }
    write!(out, "{:03}", index % 1000)?;
    if width == FULL_WIDTH { Ok(()) } else { write!(out, ".p/{width}") }
}

fn parse_place(place: &str) -> Option<(u64, u16)> {
    let (index, width) = match place.split_once(".p/") {
        Some((index, width)) => {
            (index, u16::try_from(decimal(width)?).ok().filter(|width| *width < FULL_WIDTH)?)
        }
        None => (place, FULL_WIDTH),
    };
    let (folders, last) =
        index.rsplit_once('/').map_or((None, index), |(folders, last)| (Some(folders), last));
    let mut number = 0_u64;
    for (position, folder) in folders.into_iter().flat_map(|folders| folders.split('/')).enumerate() {
        let digits = three_digits(folder.strip_prefix('x')?)?;
        // A first element of zeros would be a second name for the same place.
        if position == 0 && digits == 0 {
            return None;
        }
        number = number.checked_mul(1000)?.checked_add(digits)?;
    }
    Some((number.checked_mul(1000)?.checked_add(three_digits(last)?)?, width))
}

fn three_digits(element: &str) -> Option<u64> {
    (element.len() == 3 && element.bytes().all(|byte| byte.is_ascii_digit())).then(|| element.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(level: u8, index: u64, width: u16) -> Resource {
        Resource::Tile(Tile::new(level, index, width).unwrap())
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let entries = |index, width| Resource::Entries(Bundle::new(index, width).unwrap());
        for (resource, path) in [
            (Resource::Checkpoint, "checkpoint"),
            (tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(0, 0, 256), "tile/0/000"),
            (tile(1, 999, 255), "tile/1/999.p/255"),
            (tile(8, 1234, 5), "tile/8/x001/234.p/5"),
            (tile(63, u64::MAX, 1), "tile/63/x018/x446/x744/x073/x709/x551/615.p/1"),
            (entries(1000, 256), "tile/entries/x001/000"),
            (entries(273, 112), "tile/entries/273.p/112"),
        ] {
            assert_eq!(resource.to_string(), path);
            assert_eq!(path.parse(), Ok(resource));
        }
    }

    #[test]
    fn a_place_has_one_path() {
        for wrong in [
            "",
            "/checkpoint",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/000",
            "tile/0/x001",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/0/x1/000",
            "tile/0/000/",
            "tile/0//000",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/",
            "tile/0/000.p/1.p/1",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/+01",
            "tile/0/٠٠٠",
            "tile/entries/0",
            "tile/data/000",
        ] {
            assert_eq!(wrong.parse::<Resource>(), Err(PathError), "{wrong}");
        }
    }
}
