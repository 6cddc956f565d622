//! Keys lie in this process's memory, so nobody may take a picture of it.

use std::io;

/// Lets no core be written and, on Linux, no process of the same user look into this one or trace it. To be
/// called before a key is read. A program that this one starts is free of it.
#[cfg(unix)]
pub(crate) fn make() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // A core that is piped into a program is written whatever the limit, but not for such a process.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// There is nothing of the kind to ask for.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere the system may refuse")]
pub(crate) const fn make() -> io::Result<()> {
    Ok(())
}
