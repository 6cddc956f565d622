//! The body of an answer, and somebody who wants to know when it has been sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// Whoever follows a body. When it is dropped, nothing more of the body will be sent.
pub(crate) trait Follow: Send + Unpin + 'static {
    /// So many bytes go out.
    fn sent(&mut self, _bytes: usize) {}
    /// The body ended as it should.
    fn ended(&mut self) {}
}

/// A body that is followed.
pub(crate) struct Followed<F> {
    body: Body,
    follow: F,
}

/// Has a body followed until it has been sent, or given up.
pub(crate) fn followed(body: Body, mut follow: impl Follow) -> Body {
    // Nobody polls a body that has ended before it began.
    if body.is_end_stream() {
        follow.ended();
    }
    Body::new(Followed { body, follow })
}

impl<F: Follow> HttpBody for Followed<F> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => this.follow.sent(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) => {}
            None => this.follow.ended(),
        }
        if this.body.is_end_stream() {
            this.follow.ended();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
