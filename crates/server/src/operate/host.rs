//! Listeners of one process, and their end.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::access::Watch;
use crate::serve::{Limits, attend, told_to_stop};

/// Runs listeners until the system says to stop, while its owner opens folders and starts jobs.
#[derive(Debug)]
pub struct Host {
    runtime: Runtime,
    stop: watch::Sender<bool>,
    listeners: Mutex<Vec<JoinHandle<io::Result<()>>>>,
}

impl Host {
    /// Starts the threads. From here on SIGTERM and ctrl-c are noted.
    pub fn start(threads: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(threads.max(1))
            .thread_name("tenure-serve")
            .build()?;
        let stop = watch::channel(false).0;
        let noted = stop.clone();
        runtime.spawn(async move {
            told_to_stop().await;
            noted.send_replace(true);
        });
        Ok(Self { runtime, stop, listeners: Mutex::default() })
    }

    /// Listens, and serves what comes. Gives the address, which has a port also where none was named.
    ///
    /// How long a request may take is for the router to say; see [`crate::in_time`].
    pub fn open(
        &self,
        address: SocketAddr,
        router: Router,
        limits: Limits,
        watched: Watch,
    ) -> io::Result<SocketAddr> {
        let listener = self.runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let mut told = self.stop.subscribe();
        let stop = async move {
            // Nobody is left to say so: then it is time as well.
            drop(told.wait_for(|stop| *stop).await);
        };
        let serving = self.runtime.spawn(attend(listener, watched.over(router), limits, stop));
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(serving);
        Ok(address)
    }

    /// Waits until the system says to stop, or a listener can't go on.
    pub fn wait(&self) {
        let mut told = self.stop.subscribe();
        self.runtime.block_on(async {
            drop(told.wait_for(|stop| *stop).await);
        });
    }

    /// Takes no more connections, and waits for what is under way; what takes longer is cut off.
    pub fn close(self, farewell: Duration) {
        self.stop.send_replace(true);
        let listeners = self.listeners.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(async {
            for listener in listeners {
                drop(listener.await);
            }
        });
        // A read that still blocks must not keep the process.
        self.runtime.shutdown_timeout(farewell.min(Duration::from_secs(1)));
    }
}
