//! Connections: how many, how long, and how they end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::lively::Lively;
use crate::problem::Problem;

/// What a server bears.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long a client may take to send the head of a request.
    pub head: Duration,
    /// How long a connection may go without a byte being read from it or, if there is something to write,
    /// written to it.
    pub idle: Duration,
    /// How long a request may take, from its head to the head of the answer.
    pub request: Duration,
    /// How long a connection may stay open, whatever happens on it.
    pub connection: Duration,
    /// How long requests that are under way may take when the server is told to stop.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
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
    let router = router.layer(middleware::from_fn(move |request: Request, next: Next| {
        in_time(limits.request, request, next)
    }));
    let service = TowerToHyperService::new(router);
    let places = Arc::new(Semaphore::new(limits.connections));
    let farewell = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted?,
            () = &mut stop => break,
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .serve_connection(TokioIo::new(Lively::new(stream, limits.idle)), service.clone());
        let connection = timeout(limits.connection, farewell.watch(connection));
        tokio::spawn(async move {
            // How a connection ends concerns only its client.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    // Those that take longer are cut off.
    drop(timeout(limits.farewell, farewell.shutdown()).await);
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, place)),
            // A client that is gone already, or no more files to open: neither ends the server.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn in_time(limit: Duration, request: Request, next: Next) -> Response {
    timeout(limit, next.run(request)).await.unwrap_or_else(|_| Problem::too_slow().into_response())
}

async fn told_to_stop() {
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
