//! Nobody looks into the process that holds the keys, not even who started it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Who has no rights but its own.
const NOBODY: u32 = 65_534;
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// Starts programs in a folder of their own, as a user who is not the system's administrator.
struct Anybody {
    folder: tempfile::TempDir,
    is_root: bool,
}

impl Anybody {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let is_root = fs::metadata("/proc/self/status").unwrap().uid() == 0;
        // Where the tests are built, others may not look.
        let program = folder.path().join("tenure");
        fs::copy(env!("CARGO_BIN_EXE_tenure"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let policy = super::root().join("policies/claude-consumer");
        fs::create_dir(folder.path().join("policy")).unwrap();
        for file in fs::read_dir(policy).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join("policy").join(file.file_name())).unwrap();
        }
        Self { folder, is_root }
    }

    fn start(&self, program: &str, args: &[&str]) -> Child {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.spawn().unwrap()
    }

    /// `tenure`, waiting for cases, with cores allowed as far as the system lets them be.
    fn start_tenure(&self) -> Child {
        let script = "ulimit -c $(ulimit -H -c); exec ./tenure verdict --policy policy -";
        self.start("sh", &["-c", script])
    }

    fn ends(&self, program: &str, args: &[&str]) -> ExitStatus {
        self.start(program, args).wait().unwrap()
    }

    /// Whether another process of the same user can open the memory of one.
    fn can_open_memory(&self, child: &Child) -> bool {
        self.ends("sh", &["-c", &format!("exec 3</proc/{}/mem", child.id())]).success()
    }
}

/// Waits until a process has become the program that it was started for, and has done its first steps.
fn wait_until_it_reads(child: &Child) {
    for _ in 0..1_000 {
        let name = fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap_or_default();
        let state = fs::read_to_string(format!("/proc/{}/wchan", child.id())).unwrap_or_default();
        if name.trim() == "tenure" && state.contains("pipe") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Not every system says what a process waits for.
}

/// Sends a signal until the process ends by it: Rust's own handler passes the first one of some over.
fn killed(child: &mut Child, signal: i32) -> ExitStatus {
    for _ in 0..100 {
        Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        if let Some(ended) = child.try_wait().unwrap() {
            return ended;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap()
}

fn cores(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("core")).count()
}

#[test]
fn another_process_of_the_same_user_can_neither_read_its_memory_nor_get_a_core_of_it() {
    let anybody = Anybody::new();
    // Some systems let nobody look into anybody.
    let mut other = anybody.start("sleep", &["60"]);
    let others_are_open = anybody.can_open_memory(&other);
    other.kill().unwrap();
    other.wait().unwrap();
    if fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").is_ok_and(|scope| scope.trim() != "0") {
        println!("this system restricts everybody");
    } else {
        assert!(others_are_open, "the test can't tell: a plain process is closed too");
    }
    for signal in [SIGABRT, SIGSEGV] {
        let mut tenure = anybody.start_tenure();
        wait_until_it_reads(&tenure);
        assert!(!anybody.can_open_memory(&tenure));
        // What belongs to nobody's own process would be nobody's.
        assert_eq!(fs::metadata(format!("/proc/{}/mem", tenure.id())).unwrap().uid(), 0);
        let limits = fs::read_to_string(format!("/proc/{}/limits", tenure.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
        let ended = killed(&mut tenure, signal);
        assert_eq!((ended.signal(), ended.core_dumped()), (Some(signal), false));
        assert_eq!(cores(anybody.folder.path()), 0);
    }
}
