//! Memory: of a service at rest, and what one large picture on its way in or out adds. Each is measured in a process of
//! its own, this program called again.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use vouchsafe::base::ObjectId;
use vouchsafe::policy::Facts;
use vouchsafe::vault::{Access, Actor, NewObject};

use super::ground::{CATEGORY, Ground, Where};
use super::measure::{Board, Goal, Outcome};

/// The first argument of the process that is measured.
pub(crate) const CHILD: &str = "--measure-memory";
const MIB: f64 = 1_048_576.0;
const LARGE: u64 = 1 << 30;

pub(crate) fn run(board: &mut Board) -> Outcome {
    let this = std::env::current_exe()?;
    let done = Command::new(this).arg(CHILD).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    let text = String::from_utf8(done.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next =
        || numbers.next().ok_or("the measured process said too little")?.map_err(|_| "not a number");
    let (idle, upload, download) = (next()? / MIB, next()? / MIB, next()? / MIB);
    let behind = format!("{idle:.1} MiB resident after the start; the goal is 60");
    board.tell("memory-idle", idle / 60.0, Goal::AtMost(1.0), &behind);
    let behind = format!("{upload:.1} MiB more at most while 1 GiB is stored; the goal is 8");
    board.tell("memory-upload", upload / 8.0, Goal::AtMost(1.0), &behind);
    let behind = format!("{download:.1} MiB more at most while 1 GiB is read; the goal is 8");
    board.tell("memory-download", download / 8.0, Goal::AtMost(1.0), &behind);
    Ok(())
}

/// The measured process: says three numbers of bytes.
pub(crate) fn child() -> Outcome<String> {
    let ground = Ground::new(Where::Disk)?;
    let idle = status("VmRSS:")?;
    let (upload, id) = growth(|| put_large(&ground))?;
    let (download, ()) = growth(|| read_large(&ground, id))?;
    Ok(format!("{idle} {upload} {download}"))
}

/// By how much the resident set grew at most, in bytes.
fn growth<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(u64, T)> {
    // Sets the high-water mark back to what is resident now (`man 5 proc`, clear_refs).
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    let done = work()?;
    Ok((status("VmHWM:")?.saturating_sub(before), done))
}

fn status(field: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string(Path::new("/proc/self/status"))?;
    let line = text.lines().find_map(|l| l.strip_prefix(field)).ok_or("no such field")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

fn put_large(ground: &Ground) -> Outcome<ObjectId> {
    const PIECE: usize = 64 << 10;
    let piece = Bytes::from(vec![7; PIECE]);
    let count = usize::try_from(LARGE)? / PIECE;
    let body = stream::repeat_with(move || Ok::<_, vouchsafe::vault::Error>(piece.clone())).take(count);
    let new = NewObject {
        category: CATEGORY,
        media_type: "image/png",
        parent: None,
        facts: Facts::new(),
        size: None,
        most_bytes: LARGE,
    };
    Ok(ground.run.block_on(ground.app.vault.put_object(&ground.owner, new, body))?.id)
}

fn read_large(ground: &Ground, id: ObjectId) -> Outcome {
    let actor = Actor::Subject(ground.owner.subject);
    let access = Access { actor: &actor, purpose: "rights" };
    ground.run.block_on(async {
        let mut open = ground.app.vault.open_object(&ground.owner, &access, id, None).await?;
        let mut seen = 0;
        while let Some(piece) = open.bytes.next().await {
            seen += piece?.len() as u64;
        }
        if seen == LARGE { Ok(()) } else { Err("not all of it was read".into()) }
    })
}
