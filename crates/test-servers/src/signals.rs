//! Signals to processes, and who their children are.

use std::fs;
use std::io;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Sends a signal. A process that has ended is no error.
pub(crate) fn send(pid: u32, signal: Signal) -> io::Result<()> {
    send_by(kill_process, pid, signal)
}

/// Sends a signal to all processes of the group that `pid` began.
pub(crate) fn send_to_group(pid: u32, signal: Signal) -> io::Result<()> {
    send_by(kill_process_group, pid, signal)
}

fn send_by(send: fn(Pid, Signal) -> rustix::io::Result<()>, pid: u32, signal: Signal) -> io::Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    match send(pid, signal) {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The processes that `parent` started and that have not ended.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let all = if cfg!(target_os = "linux") { parents_from_proc() } else { parents_from_ps() };
    all.into_iter().filter(|(_, its_parent)| *its_parent == parent).map(|(pid, _)| pid).collect()
}

fn parents_from_proc() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| Some((pid, parent_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect()
}

/// Reads `17 (name) S 4 ..`, where the name may have blanks and brackets. `None` for one that has ended.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z").then_some(parent)
}

fn parents_from_ps() -> Vec<(u32, u32)> {
    let output = Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid="]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().filter_map(pair_in).collect()
}

fn pair_in(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_hide_the_parent() {
        assert_eq!(parent_in("17 (odd ) R 9) S 4 17 17 0"), Some(4));
        assert_eq!(parent_in("17 (ended) Z 4 17 17 0"), None);
    }

    #[test]
    fn both_ways_find_a_child() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let me = std::process::id();
        let found = [parents_from_proc(), parents_from_ps()].map(|all| all.contains(&(child.id(), me)));
        child.kill().unwrap();
        child.wait().unwrap();
        let expected = [cfg!(target_os = "linux"), Command::new("ps").output().is_ok()];
        assert_eq!(found, expected);
    }
}
