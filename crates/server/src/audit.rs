//! The step of an auditor: whether a log still is, with more behind it, the one that was seen before.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tenure_tlog::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use tenure_tlog::note::VerifyError;
use tenure_tlog::tile::{Resource, Tile, TileReader as _};
use tenure_tlog::witness::Latest;

use crate::evidence;
use crate::files::{self, Readers};
use crate::growth::{Growth, GrowthError, first_difference};
use crate::publish::continues;
use crate::source::{KnownLog, KnownWitnesses, LogSource, ReadError, SourceError, Tree, Unbelievable};

/// How many of the trees that were verified are remembered, to know them again when a cache shows them.
const REMEMBERED: usize = 1024;

/// Watches one log from outside.
#[derive(Debug)]
pub struct Auditor {
    log: KnownLog,
    witnesses: KnownWitnesses,
    required: usize,
    state: PathBuf,
    looks: u32,
    memory: Mutex<Memory>,
}

/// What is remembered from look to look, beyond what is kept in the file.
#[derive(Debug, Default)]
struct Memory {
    verified: VecDeque<Latest>,
    /// How many looks in a row have shown a smaller tree.
    behind: u32,
}

/// What a look at a log has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The size that was verified before; none if this was the first look.
    pub from: Option<u64>,
    /// The checkpoint that is verified now.
    pub checkpoint: Checkpoint,
    /// The known witnesses that have cosigned it.
    pub witnesses: Vec<String>,
}

/// Proof, or near to it, that a log is not what it says.
#[derive(Debug)]
pub struct Alarm {
    /// What is wrong.
    pub kind: AlarmKind,
    /// The checkpoint that was verified before, if there was one.
    pub known: Option<Box<SignedCheckpoint>>,
    /// The checkpoint that the log shows now.
    pub shown: Box<SignedCheckpoint>,
    /// Where both were kept, byte for byte.
    pub evidence: Vec<PathBuf>,
}

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlarmKind {
    /// It has signed two trees of one size.
    #[error("FORK: the log has signed two different trees of one size")]
    Fork,
    /// It has signed a larger tree before.
    #[error("ROLLED BACK: the log has signed a larger tree before")]
    RolledBack,
    /// It has signed a larger tree that does not continue the one seen before.
    #[error("FORK: the log has signed a larger tree that does not continue the one seen before")]
    Rewritten,
    /// Its tiles do not make the root that it has signed.
    #[error("ALTERED: the tiles of the log do not make the root that it has signed")]
    Tiles,
    /// A tile is not what lies below it.
    #[error("ALTERED: hash {place} of `{tile}` is not what the entries below it hash to")]
    Tile {
        /// The tile.
        tile: Tile,
        /// Which of its hashes, counted from 0.
        place: u64,
    },
    /// An entry is not the one in the tree, or not what an entry of this log is.
    #[error("ALTERED: entry {index} is not a commitment, or not the one in the tree")]
    Entry {
        /// Which entry.
        index: u64,
    },
    /// The entries do not make the root that it has signed.
    #[error("ALTERED: the entries of the log do not make the root that it has signed")]
    Entries,
}

impl AlarmKind {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::RolledBack => "rolled_back",
            Self::Rewritten => "rewritten",
            Self::Tiles => "tiles_altered",
            Self::Tile { .. } => "tile_altered",
            Self::Entry { .. } => "entry_altered",
            Self::Entries => "entries_altered",
        }
    }
}

/// Why a look ended without a verified checkpoint. What was verified before stays so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    /// The log is not what it says.
    #[error("{}", .0.kind)]
    Alarm(Box<Alarm>),
    /// A part of the known tree is shown, as a cache may do for a while. It is an alarm if it stays so.
    #[error(
        "the log shows {shown} entries, and {known} were verified before: it may be an old copy out of a cache, and is an alarm if it stays so"
    )]
    Older {
        /// The size that is shown.
        shown: u64,
        /// The size that was verified before.
        known: u64,
    },
    /// Something else than a checkpoint was answered, perhaps by something between here and the log.
    #[error(
        "what was answered is not a checkpoint; check the address, and what lies between here and the log"
    )]
    Malformed(#[source] CheckpointError),
    /// The checkpoint is not the log's.
    #[error("the log shows no checkpoint that its keys have signed")]
    Unbelievable(#[source] Unbelievable),
    /// A known witness's cosignature is wrong.
    #[error("a cosignature under the checkpoint does not hold")]
    Cosignature(#[source] VerifyError),
    /// Too few witnesses have cosigned.
    #[error("{found} of the witnesses have cosigned the checkpoint, and {required} are required")]
    TooFewWitnesses {
        /// How many have.
        found: usize,
        /// How many should.
        required: usize,
    },
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log does not serve what it should.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file with what was verified before is not one.
    #[error("the state file does not hold a checkpoint of this log; name another one")]
    Foreign,
    /// The file with what was verified before can't be read or written.
    #[error("the state file could not be read or written")]
    State(#[source] io::Error),
}

/// Why a checkpoint was not verified, before evidence is kept.
enum Doubt {
    Alarm(AlarmKind),
    Older { shown: u64, known: u64 },
    Read(ReadError),
}

impl From<ReadError> for Doubt {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<GrowthError> for Doubt {
    fn from(error: GrowthError) -> Self {
        Self::Alarm(match error {
            GrowthError::Read(error) => return error.into(),
            GrowthError::Edge => AlarmKind::Tiles,
            // Anything between here and the log can answer with something that is no bundle.
            GrowthError::Bundle { bundle } => {
                return ReadError::Length { resource: Resource::Entries(bundle) }.into();
            }
            GrowthError::Form { index } | GrowthError::Leaf { index } => AlarmKind::Entry { index },
            GrowthError::Root => AlarmKind::Entries,
        })
    }
}

impl Auditor {
    /// Watches a log. The last verified checkpoint is kept in a file, as it was served.
    pub fn new(log: KnownLog, state: PathBuf) -> Self {
        let memory = Mutex::default();
        Self { log, witnesses: KnownWitnesses::none(), required: 0, state, looks: 1, memory }
    }

    /// Raises the alarm about a smaller tree, if it is a part of the known one, only when so many looks in a
    /// row have shown it: caches show what was.
    #[must_use]
    pub fn with_looks(self, looks: u32) -> Self {
        Self { looks, ..self }
    }

    /// Demands the cosignatures of so many of these witnesses.
    #[must_use]
    pub fn with_witnesses(self, witnesses: KnownWitnesses, required: usize) -> Self {
        Self { witnesses, required, ..self }
    }

    /// Looks at the log once: its checkpoint, and everything that was added since the last look.
    pub fn look(&self, source: &dyn LogSource) -> Result<Look, LookError> {
        let bytes = source.resource(Resource::Checkpoint)?.unwrap_or_default();
        let shown = self.log.believe(&bytes).map_err(|error| match error {
            Unbelievable::Malformed(error) => LookError::Malformed(error),
            other => LookError::Unbelievable(other),
        })?;
        let before = files::read(&self.state).map_err(LookError::State)?;
        let known = before.as_deref().map(|bytes| self.verified_before(bytes)).transpose()?;
        match self.examine(source, known.as_ref().map(SignedCheckpoint::checkpoint), shown.checkpoint()) {
            Ok(()) => self.remember(shown.checkpoint()),
            Err(Doubt::Older { shown, known }) => return Err(LookError::Older { shown, known }),
            Err(Doubt::Read(error)) => return Err(error.into()),
            Err(Doubt::Alarm(kind)) => return Err(self.alarm(kind, known, before.as_deref(), shown, &bytes)),
        }
        let witnesses = self.witnesses.of(&shown).map_err(LookError::Cosignature)?;
        if witnesses.len() < self.required {
            return Err(LookError::TooFewWitnesses { found: witnesses.len(), required: self.required });
        }
        files::make_folder(files::folder_of(&self.state)).map_err(LookError::State)?;
        files::replace(&self.state, &bytes, Readers::All).map_err(LookError::State)?;
        Ok(Look {
            from: known.map(|known| known.checkpoint().size()),
            checkpoint: shown.checkpoint().clone(),
            witnesses,
        })
    }

    /// What was kept by an earlier look. Its signatures were verified then; the keys may be retired by now.
    fn verified_before(&self, bytes: &[u8]) -> Result<SignedCheckpoint, LookError> {
        let signed = SignedCheckpoint::parse(bytes).ok();
        signed.filter(|signed| signed.checkpoint().origin() == self.log.origin()).ok_or(LookError::Foreign)
    }

    /// Keeps both checkpoints beside the state: together they prove what the log has signed.
    fn alarm(
        &self,
        kind: AlarmKind,
        known: Option<SignedCheckpoint>,
        before: Option<&[u8]>,
        shown: SignedCheckpoint,
        now: &[u8],
    ) -> LookError {
        // The alarm is louder than a full disk: without files it still carries both checkpoints.
        let evidence = evidence::keep(&self.state, kind.code(), before, now).unwrap_or_default();
        LookError::Alarm(Box::new(Alarm {
            kind,
            known: known.map(Box::new),
            shown: Box::new(shown),
            evidence,
        }))
    }

    fn examine(
        &self,
        source: &dyn LogSource,
        known: Option<&Checkpoint>,
        shown: &Checkpoint,
    ) -> Result<(), Doubt> {
        match known.filter(|known| known.size() > shown.size()) {
            Some(known) => Err(self.older(source, known, shown)),
            None => examine(source, known, shown),
        }
    }

    /// What to make of a smaller tree than the known one.
    fn older(&self, source: &dyn LogSource, known: &Checkpoint, shown: &Checkpoint) -> Doubt {
        let tree = Latest { size: shown.size(), root: *shown.root() };
        let contained = self.memory(|memory| memory.verified.contains(&tree));
        let contained = if contained { Ok(true) } else { continues(source, shown, known) };
        match contained {
            Ok(true) => {}
            Err(error @ (ReadError::Source(_) | ReadError::Length { .. })) => return Doubt::Read(error),
            // It has signed something else, or no longer has what it has signed.
            Ok(false) | Err(_) => return Doubt::Alarm(AlarmKind::RolledBack),
        }
        let behind = self.memory(|memory| {
            memory.behind = memory.behind.saturating_add(1);
            memory.behind
        });
        if behind < self.looks {
            return Doubt::Older { shown: shown.size(), known: known.size() };
        }
        Doubt::Alarm(AlarmKind::RolledBack)
    }

    fn remember(&self, verified: &Checkpoint) {
        let tree = Latest { size: verified.size(), root: *verified.root() };
        self.memory(|memory| {
            memory.behind = 0;
            if memory.verified.back() == Some(&tree) {
                return;
            }
            if memory.verified.len() == REMEMBERED {
                memory.verified.pop_front();
            }
            memory.verified.push_back(tree);
        });
    }

    fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The file with the last verified checkpoint.
    pub fn state(&self) -> &Path {
        &self.state
    }
}

/// Whether a tree that is at least as large as the known one continues it, entry by entry.
fn examine(source: &dyn LogSource, known: Option<&Checkpoint>, shown: &Checkpoint) -> Result<(), Doubt> {
    let mut start = Latest::none();
    if let Some(known) = known {
        if known.size() == shown.size() {
            let same = known.root() == shown.root();
            return if same { Ok(()) } else { Err(Doubt::Alarm(AlarmKind::Fork)) };
        }
        if !continues(source, known, shown)? {
            // A proof from wrong tiles fails too. It is the past that differs if everything that is shown now,
            // from the first entry on, makes the root that was signed.
            follow_entries(source, Latest::none(), shown)?;
            return Err(Doubt::Alarm(AlarmKind::Rewritten));
        }
        start = Latest { size: known.size(), root: *known.root() };
    }
    follow_entries(source, start, shown)
}

/// Makes the tiles anew from the entries and compares them with those that are served.
fn follow_entries(source: &dyn LogSource, start: Latest, shown: &Checkpoint) -> Result<(), Doubt> {
    let tree = Tree::new(source, shown.size());
    let compare = |made: &[(Tile, &[u8])]| -> Result<(), Doubt> {
        let tiles: Vec<Tile> = made.iter().map(|(tile, _)| *tile).collect();
        for ((tile, made), served) in made.iter().zip(tree.read_tiles(&tiles)?) {
            if made.len() != served.len() {
                // Anything between here and the log can answer with something that is no tile.
                return Err(ReadError::Length { resource: Resource::Tile(*tile) }.into());
            }
            if *made != served {
                let place = first_difference(made, &served);
                return Err(Doubt::Alarm(AlarmKind::Tile { tile: *tile, place }));
            }
        }
        Ok(())
    };
    let mut growth = Growth::from((start.size, start.root), shown, source)?;
    let end = loop {
        match growth.next() {
            Ok(Some(batch)) => {
                let made: Vec<(Tile, &[u8])> =
                    batch.tiles.iter().map(|(tile, bytes)| (*tile, bytes.as_slice())).collect();
                compare(&made)?;
            }
            Ok(None) => break Ok(()),
            // A tile that differs says where; that the root differs says only that something does.
            Err(GrowthError::Root) => break Err(GrowthError::Root),
            Err(error) => return Err(error.into()),
        }
    };
    let partial: Vec<(Tile, &[u8])> = growth.partial_tiles().collect();
    compare(&partial)?;
    Ok(end?)
}
