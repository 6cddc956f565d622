//! Bodies that are read and written while they are worked on, between a thread that blocks and a task that must not.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::{Buf as _, Bytes};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::fault::{Code, Fault};

/// How many pieces wait between the two.
const PIECES: usize = 8;
/// How large a piece that is written becomes.
const PIECE: usize = 64 << 10;

/// Reads the whole of a body that may have so many bytes.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Fault> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit {
        return Err(too_large(limit as u64));
    }
    let mut whole = Vec::with_capacity(declared.min(limit));
    while let Some(data) = next(&mut body).await? {
        if data.len() > limit.saturating_sub(whole.len()) {
            return Err(too_large(limit as u64));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}

fn too_large(limit: u64) -> Fault {
    Fault::with(Code::BodyTooLarge, format!("it may have {limit} bytes"))
}

/// The next data of a body; trailers are passed over.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Fault> {
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Code::BodyCutShort.into()),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The body of a request, for a thread that reads it as it comes.
pub(crate) struct Incoming {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
    left: u64,
}

/// A body that is read elsewhere, and the task that feeds it. Dropping the reader ends the task.
pub(crate) fn incoming(mut body: Body, limit: u64) -> (Incoming, impl Future<Output = ()>) {
    let (sender, pieces) = mpsc::channel(PIECES);
    let feed = async move {
        loop {
            let piece = match next(&mut body).await {
                Ok(Some(data)) => Ok(data),
                Ok(None) => return,
                Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            };
            let last = piece.is_err();
            if sender.send(piece).await.is_err() || last {
                return;
            }
        }
    };
    (Incoming { pieces, piece: Bytes::new(), left: limit }, feed)
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.piece = piece?,
            }
            let length = u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(length).ok_or(io::ErrorKind::FileTooLarge)?;
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Where a thread writes an answer piece by piece. It waits for a client that reads slowly, and is told of one that
/// is gone. Unless it is [finished](Self::finish) the answer is cut off when this is dropped, so that nobody takes it
/// for whole: also where whoever writes it panics.
pub(crate) struct Outgoing {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
    whole: bool,
}

/// A body that is written elsewhere.
struct Written(mpsc::Receiver<io::Result<Bytes>>);

/// An answer that is written elsewhere.
pub(crate) fn outgoing() -> (Outgoing, Body) {
    let (pieces, receiver) = mpsc::channel(PIECES);
    (Outgoing { pieces, piece: Vec::with_capacity(PIECE), whole: false }, Body::new(Written(receiver)))
}

impl Outgoing {
    fn send(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.pieces.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Sends what is left. The answer is whole then.
    pub(crate) fn finish(mut self) {
        self.whole = self.send().is_ok();
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.whole {
            drop(self.send());
            drop(self.pieces.blocking_send(Err(io::ErrorKind::UnexpectedEof.into())));
        }
    }
}

impl io::Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl HttpBody for Written {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = ready!(self.0.poll_recv(cx));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::thread;

    use super::*;

    /// What arrives of an answer, and whether that is all of it.
    fn arrives(mut body: Body) -> (Vec<u8>, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut arrived = Vec::new();
            loop {
                match next(&mut body).await {
                    Ok(Some(data)) => arrived.extend_from_slice(&data),
                    Ok(None) => return (arrived, true),
                    Err(_) => return (arrived, false),
                }
            }
        })
    }

    #[test]
    fn an_answer_that_is_finished_is_whole() {
        let (mut outgoing, body) = outgoing();
        outgoing.write_all(b"all of it").unwrap();
        outgoing.finish();
        assert_eq!(arrives(body), (b"all of it".to_vec(), true));
    }

    #[test]
    fn an_answer_whose_writer_panics_or_gives_up_is_cut_off() {
        let (mut given_up, body) = outgoing();
        given_up.write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(arrives(body), (b"half".to_vec(), false));
        let (mut outgoing, body) = outgoing();
        let writer = thread::spawn(move || {
            outgoing.write_all(b"half").unwrap();
            assert!(outgoing.flush().is_err(), "a fault");
        });
        assert!(writer.join().is_err());
        assert_eq!(arrives(body), (b"half".to_vec(), false));
    }

    #[test]
    fn an_answer_that_nobody_reads_ends_all_the_same() {
        let (mut outgoing, body) = outgoing();
        drop(body);
        outgoing.write_all(b"half").unwrap();
        assert!(outgoing.flush().is_err());
        outgoing.finish();
    }
}
