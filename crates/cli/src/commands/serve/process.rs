//! What the process asks of the system.

/// Files that are open besides connections: the database with its readers, packs, listeners.
const FILES: u64 = 256;

/// Asks for as many open files as connections need. Where the system allows fewer, it says so: then the system
/// refuses connections before the limit is reached, and those that are there stay.
#[cfg(unix)]
pub(super) fn raise_open_files(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (Some(now), most) = (current, maximum.unwrap_or(u64::MAX)) else { return };
    if now >= needed {
        return;
    }
    let wanted = needed.min(most);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    let allowed = if raised.is_ok() { wanted } else { now };
    if allowed < needed {
        tracing::warn!(
            code = "few_files",
            allowed,
            needed,
            "the system allows fewer open files than `limits.connections` needs: raise the limit (LimitNOFILE in systemd)"
        );
    }
}

/// There is nothing of the kind to ask for.
#[cfg(not(unix))]
pub(super) const fn raise_open_files(_: usize) {}
