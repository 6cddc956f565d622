//! Checkpoints, as c2sp.org/tlog-checkpoint describes them: a signed note that says what a log is at a size.

use std::fmt;
use std::str::FromStr;

use crate::merkle::Hash;
use crate::note::{Note, NoteError, NoteSignature, Verifier, VerifyError};
use crate::text::{decimal, hash, is_one_line, to_base64};

/// The identity of a log: a line that is not empty. A URL without its scheme is recommended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// The line, without a newline.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = CheckpointError;

    fn from_str(line: &str) -> Result<Self, CheckpointError> {
        if line.is_empty() || !is_one_line(line) {
            return Err(CheckpointError::Origin);
        }
        Ok(Self(line.to_owned()))
    }
}

/// What a log is at a size: the text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

/// Something that is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The first line is no origin.
    #[error("line 1 of the checkpoint, its origin, is empty or contains control characters")]
    Origin,
    /// The second line is no size.
    #[error("line 2 of the checkpoint, the size of the tree, is not a decimal")]
    Size,
    /// The third line is no hash.
    #[error("line 3 of the checkpoint, the root hash, is not the base64 of 32 bytes")]
    Root,
    /// An extension line is empty or no text.
    #[error("line {line} of the checkpoint is empty or contains control characters")]
    Extension {
        /// Which line, counted from 1.
        line: usize,
    },
    /// The last line is cut off.
    #[error("the last line of the checkpoint does not end with a newline")]
    Unended,
    /// One key has signed twice.
    #[error("signature {position} of the checkpoint is by a key that has signed it before")]
    SignedTwice {
        /// Which signature, counted from 1.
        position: usize,
    },
    /// It is no signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// A checkpoint without extension lines, which are not recommended: nobody can audit them.
    pub fn new(origin: Origin, size: u64, root: Hash) -> Self {
        Self { origin, size, root, extensions: Vec::new() }
    }

    /// Which log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many leaves its tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The lines after the third.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}\n{}", self.origin, self.size, to_base64(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Unended)?.split('\n');
        let origin = lines.next().unwrap_or_default().parse()?;
        let size = lines.next().and_then(decimal).ok_or(CheckpointError::Size)?;
        let root = lines.next().and_then(hash).ok_or(CheckpointError::Root)?;
        let extensions = lines
            .zip(4..)
            .map(|(extension, line)| {
                let valid = !extension.is_empty() && is_one_line(extension);
                valid.then(|| extension.to_owned()).ok_or(CheckpointError::Extension { line })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { origin, size, root, extensions })
    }
}

/// A checkpoint with signatures of which none has been checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// Why a checkpoint is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UntrustedCheckpoint {
    /// It is of another log.
    #[error("the checkpoint is of another log than the one expected")]
    OtherOrigin,
    /// Its signatures do not hold.
    #[error(transparent)]
    Signatures(#[from] VerifyError),
}

/// Why a witness's answer adds nothing to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignatureError {
    /// There are none in it, or more than a note may have.
    #[error("the answer of the witness is not usable")]
    Answer(#[from] NoteError),
    /// They do not hold.
    #[error(transparent)]
    Signatures(#[from] VerifyError),
    /// The checkpoint would have more signatures, or be longer, than a reader takes.
    #[error("the checkpoint has no room for the cosignatures")]
    NoRoom(#[source] NoteError),
}

impl SignedCheckpoint {
    /// A checkpoint and its signatures, of which there must be at least one.
    pub fn new(checkpoint: Checkpoint, signatures: Vec<NoteSignature>) -> Result<Self, CheckpointError> {
        let note = Note::new(checkpoint.to_string(), signatures)?;
        signed_once(&note)?;
        Ok(Self { checkpoint, note })
    }

    /// Reads a signed checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        signed_once(&note)?;
        Ok(Self { checkpoint: note.text().parse()?, note })
    }

    /// What it says. Until [`SignedCheckpoint::verify`] has passed, it may say anything.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note that it is.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Adds signatures that were made here; one of a key that has signed already takes the old one's place.
    ///
    /// Nothing is added if the checkpoint would then have more than a reader takes.
    pub fn add(&mut self, signatures: impl IntoIterator<Item = NoteSignature>) -> Result<(), NoteError> {
        self.note.add(signatures)
    }

    /// Adds what a witness answered, but only the cosignatures of known witnesses, and gives how many they are.
    ///
    /// If one of them is wrong, or there is no room for them, nothing is added.
    pub fn add_cosignatures(
        &mut self,
        answer: Vec<NoteSignature>,
        witnesses: &[&dyn Verifier],
    ) -> Result<usize, CosignatureError> {
        let note = Note::new(self.note.text().to_owned(), answer)?;
        let known: Vec<NoteSignature> = note.verify(witnesses)?.into_iter().cloned().collect();
        let count = known.len();
        self.note.add(known).map_err(CosignatureError::NoRoom)?;
        Ok(count)
    }

    /// The signatures by known keys of the log, all verified and at least one.
    pub fn verify(
        &self,
        origin: &Origin,
        log_keys: &[&dyn Verifier],
    ) -> Result<Vec<&NoteSignature>, UntrustedCheckpoint> {
        if self.checkpoint.origin != *origin {
            return Err(UntrustedCheckpoint::OtherOrigin);
        }
        Ok(self.note.verify(log_keys)?)
    }

    /// The cosignatures of known witnesses, all verified; there may be none.
    ///
    /// How many, and whose, are enough is for the verifier's policy to say.
    pub fn cosignatures(&self, witnesses: &[&dyn Verifier]) -> Result<Vec<&NoteSignature>, VerifyError> {
        match self.note.verify(witnesses) {
            Err(VerifyError::NoKnownKey) => Ok(Vec::new()),
            verified => verified,
        }
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(out)
    }
}

fn signed_once(note: &Note) -> Result<(), CheckpointError> {
    let signatures = note.signatures();
    let twice = signatures.iter().enumerate().find(|(position, signature)| {
        signatures.iter().take(*position).any(|earlier| earlier.key() == signature.key())
    });
    twice.map_or(Ok(()), |(position, _)| Err(CheckpointError::SignedTwice { position: position + 1 }))
}
