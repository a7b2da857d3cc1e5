//! Resident memory of processes, as the kernel counts it.

use std::io;

/// Bytes that are resident in all these processes together.
pub(crate) fn resident(pids: &[u32]) -> io::Result<u64> {
    pids.iter().map(|pid| one(*pid)).sum()
}

fn one(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map_err(|error| {
        io::Error::new(error.kind(), format!("memory of process {pid}: {error}"))
    })?;
    text.lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .and_then(|rest| {
            rest.trim()
                .trim_end_matches(" kB")
                .trim()
                .parse::<u64>()
                .ok()
        })
        .map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("no Rss line"))
}
