//! A stream that fails when nothing moves on it: whoever reads slowly, or not at all, keeps nobody out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::seats::Sitter;
use crate::serve::Limits;

/// What is waited for on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The first byte of the next request.
    Request,
    /// The rest of its head.
    Head,
    /// Its body, and that its answer is taken.
    Answer,
}

/// A stream on which something must move.
pub(crate) struct Lively<S> {
    stream: S,
    keep_alive: Duration,
    head: Duration,
    idle: Duration,
    sitter: Arc<Sitter>,
    phase: Phase,
    /// Until when something must have been read, or written.
    read_by: Pin<Box<Sleep>>,
    /// Until when something must have been written. What is read meanwhile does not count: a client could send
    /// byte after byte and never read.
    write_by: Pin<Box<Sleep>>,
    /// Whether something waits to be written.
    blocked: bool,
}

impl<S> Lively<S> {
    pub(crate) fn new(stream: S, limits: &Limits, sitter: Arc<Sitter>) -> Self {
        Self {
            stream,
            keep_alive: limits.keep_alive,
            head: limits.head,
            idle: limits.idle,
            sitter,
            phase: Phase::Request,
            read_by: Box::pin(sleep(limits.keep_alive)),
            write_by: Box::pin(sleep(limits.idle)),
            blocked: false,
        }
    }

    /// What is waited for now; where that has changed, the time for it begins.
    fn look(&mut self) {
        let (phase, limit) = match (self.sitter.is_busy(), self.phase) {
            (true, Phase::Request | Phase::Head) => (Phase::Answer, self.idle),
            (false, Phase::Answer) => (Phase::Request, self.keep_alive),
            _ => return,
        };
        self.phase = phase;
        self.read_by.as_mut().reset(Instant::now() + limit);
    }

    /// Something was read. The bytes of a head do not prolong the time for it, or it could be sent forever.
    fn read(&mut self) {
        let limit = match self.phase {
            Phase::Request => {
                self.phase = Phase::Head;
                self.sitter.set_in_head(true);
                self.head
            }
            Phase::Head => return,
            Phase::Answer => self.idle,
        };
        self.read_by.as_mut().reset(Instant::now() + limit);
    }

    fn written<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.blocked = false;
            if self.phase == Phase::Answer {
                self.read_by.as_mut().reset(Instant::now() + self.idle);
            }
            return polled;
        }
        if !self.blocked {
            self.blocked = true;
            self.write_by.as_mut().reset(Instant::now() + self.idle);
        }
        ready!(self.write_by.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lively<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.look();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            this.read();
            return polled;
        }
        if this.phase == Phase::Answer && this.sitter.is_whole() {
            // It is for us to go on, and whoever works on the request keeps its time.
            return Poll::Pending;
        }
        ready!(this.read_by.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lively<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.written(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
