//! The child process in which a stranger's picture is decoded: it takes away from itself what a decoder does not need.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::editing::redraw;

/// Bytes of memory, all in all.
const MEMORY: u64 = 1 << 30;
/// Seconds of processor time.
const SECONDS: u64 = 20;
/// Bytes of a picture that are read.
const MOST: u64 = 64 << 20;

/// Reads a picture, writes it anew. Status 1: it is none that we take.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    limit(Resource::As, MEMORY)?;
    limit(Resource::Cpu, SECONDS)?;
    limit(Resource::Core, 0)?;
    // No file can be made or grown; what is open stays open.
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, 3)?;
    let mut picture = Vec::new();
    std::io::stdin().lock().take(MOST).read_to_end(&mut picture).context("the picture cannot be read")?;
    let Ok(redrawn) = redraw(&picture) else { return Ok(ExitCode::FAILURE) };
    std::io::stdout().lock().write_all(&redrawn).context("the picture cannot be written")?;
    Ok(ExitCode::SUCCESS)
}

fn limit(what: Resource, most: u64) -> anyhow::Result<()> {
    let to = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(what, to).context("a limit cannot be set")
}
