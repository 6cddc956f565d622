//! Connections: how many, how long, and how they end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::followed::{Follow, followed};
use crate::lively::Lively;
use crate::problem::Problem;
use crate::seats::{Arriving, Busy, Seat, Seats};

/// The most that the head of a request may take; a longer one is answered with 431.
const HEAD_MOST: usize = 64 * 1024;

/// What a server bears.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at once. When all are taken, whoever has been idle the longest gives way to the
    /// next; while a request is under way on each, more wait to be accepted.
    pub connections: usize,
    /// How long a connection may stay open without a request.
    pub keep_alive: Duration,
    /// How long a client may take to send the head of a request, from its first byte.
    pub head: Duration,
    /// How long a request may go without a byte being read, until all of it has arrived, or written, if there is
    /// something to write. What we need to answer it does not count.
    pub idle: Duration,
    /// How long a request may take, from its head to the head of the answer.
    pub request: Duration,
    /// How long a connection may stay open, whatever happens on it. A request that is under way then has as long again.
    pub connection: Duration,
    /// How long requests that are under way may take when the server is told to stop.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            keep_alive: Duration::from_secs(15),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            // Shorter than a connection may be idle, so that who waits is answered.
            request: Duration::from_secs(10),
            connection: Duration::from_mins(1),
            farewell: Duration::from_secs(10),
        }
    }
}

/// Serves until told to stop by the terminal or the system (ctrl-c, SIGTERM). `ready` is told the address.
pub fn run(
    address: SocketAddr,
    router: Router,
    limits: Limits,
    ready: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
    let ended = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        ready(listener.local_addr()?);
        serve(listener, router, limits, told_to_stop()).await
    });
    // A read that still blocks must not keep the process.
    runtime.shutdown_timeout(limits.farewell);
    ended
}

/// Serves until `stop` is done, and lets what is under way end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    attend(listener, in_time(router, limits), limits, stop).await
}

/// Has whatever takes too long be answered so. For pages that keep no time of their own.
pub fn in_time(router: Router, limits: Limits) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        timeout(limits.request, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::too_slow().into_response())
    }))
}

/// Serves as [`serve`] does, but leaves it to the router how long a request may take.
pub(crate) async fn attend(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = TowerToHyperService::new(router);
    let seats = Seats::new(limits.connections);
    let (tell, told) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let (stream, seat) = tokio::select! {
            accepted = accept(&listener, &seats) => accepted?,
            () = &mut stop => break,
        };
        tokio::spawn(connection(stream, seat, limits, service.clone(), told.clone()));
    }
    drop(listener);
    drop(told);
    tell.send_replace(());
    // Each connection listens until its end. Those that take longer are cut off.
    drop(timeout(limits.farewell, tell.closed()).await);
    Ok(())
}

async fn accept(listener: &TcpListener, seats: &Arc<Seats>) -> io::Result<(TcpStream, Seat)> {
    let stream = loop {
        match listener.accept().await {
            Ok((stream, _)) => break stream,
            // A client that is gone already, or no more files to open: neither ends the server.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    };
    let seat = seats.take().await.ok_or_else(|| io::Error::other("there are no places any more"))?;
    Ok((stream, seat))
}

/// One connection, to its end. How it ends concerns only its client.
async fn connection(
    stream: TcpStream,
    seat: Seat,
    limits: Limits,
    service: TowerToHyperService<Router>,
    mut told: watch::Receiver<()>,
) {
    // Answers are written whole; waiting for more would only delay them.
    drop(stream.set_nodelay(true));
    let sitter = Arc::clone(seat.sitter());
    let io = TokioIo::new(Lively::new(stream, &limits, Arc::clone(&sitter)));
    let answer = service_fn(|request: hyper::Request<Incoming>| {
        let busy = seat.busy();
        let arriving = Arriving(Arc::clone(seat.sitter()));
        let answered = service.call(request.map(|body| followed(Body::new(body), arriving)));
        async move { answered.await.map(|answer| answer.map(|body| followed(body, busy))) }
    });
    let mut connection = pin!(
        // The stream itself keeps the time.
        http1::Builder::new().header_read_timeout(None).max_buf_size(HEAD_MOST).serve_connection(io, answer)
    );
    let patience = tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        // Where it turns out that a request is under way, that has its time: a stream may be long.
        () = sitter.told_to_leave() => limits.connection,
        () = sleep(limits.connection) => limits.connection,
        _ = told.changed() => limits.farewell,
    };
    if sitter.is_needed() {
        connection.as_mut().graceful_shutdown();
        drop(timeout(patience, connection).await);
    }
}

/// A request is under way until its answer has been sent.
impl Follow for Busy {}

/// Waits until the terminal or the system says to stop.
pub(crate) async fn told_to_stop() {
    let terminal = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let system = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let system = std::future::pending::<()>();
    tokio::select! {
        () = terminal => {}
        () = system => {}
    }
}
