//! The folder of blobs: what being durable costs eight clients at once, and how fast files go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream;
use vouchsafe::base::{Clock, Entropy};
use vouchsafe::blobs::{BlobKey, Blobs, FolderSettings, Settings};

use super::ground::{Where, folder, noise, runtime};
use super::measure::{Board, By, Goal, Outcome, Pairs, cost, pairs};

const CLIENTS: usize = 8;

pub(crate) fn run(board: &mut Board) -> Outcome {
    if board.wants(&["put-durable"]) {
        durable(board)?;
    }
    if board.wants(&["unlink"]) {
        unlink(board)?;
    }
    Ok(())
}

fn store(at: &Path, sync: bool) -> Outcome<Blobs> {
    let settings = FolderSettings { sync, ..FolderSettings::new(at) };
    Ok(Blobs::open(Settings::Folder(settings), &Clock::system(), &Entropy::system())?)
}

/// Eight clients, each putting a few blobs of 1 MiB one after the other.
fn durable(board: &mut Board) -> Outcome {
    const EACH: usize = 10;
    let (run, home) = (runtime()?, folder(Where::Disk)?);
    let (safe, hasty) = (store(&home.path().join("safe"), true)?, store(&home.path().join("hasty"), false)?);
    let body = noise(1 << 20);
    let put = |blobs: &Blobs| -> Outcome {
        let keys = run.block_on(try_join_all((0..CLIENTS).map(|_| async {
            let mut keys = Vec::with_capacity(EACH);
            for _ in 0..EACH {
                let key = BlobKey::new(&Entropy::system());
                let pieces: Vec<_> =
                    body.chunks(64 << 10).map(|p| Ok::<_, std::io::Error>(body.slice_ref(p))).collect();
                blobs.put(&key, stream::iter(pieces)).await?;
                keys.push(key);
            }
            Ok::<_, vouchsafe::blobs::Error>(keys)
        })))?;
        run.block_on(blobs.delete_many(&keys.concat()));
        Ok(())
    };
    let both = pairs(By::Wall, 7, || put(&hasty), || put(&safe))?;
    let (fast, slow) = both.millis();
    let behind = format!("80 blobs of 1 MiB by 8 clients: {slow:.0} ms durable, {fast:.0} ms not");
    board.tell("put-durable", both.speed(), Goal::AtLeast(0.9), &behind);
    Ok(())
}

/// Removing many blobs, against eight threads that do nothing but unlink.
fn unlink(board: &mut Board) -> Outcome {
    const FILES: usize = 1600;
    let (run, home) = (runtime()?, folder(Where::Disk)?);
    let blobs = store(home.path(), true)?;
    let mut costs = Vec::new();
    for _ in 0..5 {
        let keys = fill(home.path(), FILES)?;
        let theirs = cost(By::Wall, || loop_of_threads(home.path(), &keys))?;
        let keys = fill(home.path(), FILES)?;
        let ours = cost(By::Wall, || {
            let done = run.block_on(blobs.delete_many(&keys));
            if done.gone == FILES { Ok(()) } else { Err("not every blob was deleted".into()) }
        })?;
        costs.push((theirs, ours));
    }
    let both = Pairs::of(costs);
    let (bare, ours) = both.millis();
    let behind = format!("{FILES} files in {ours:.0} ms and durably, the bare loop {bare:.0} ms and not");
    board.tell("unlink", both.speed(), Goal::AtLeast(0.7), &behind);
    Ok(())
}

/// Files of 16 KiB under fresh keys, written and synced.
fn fill(root: &Path, n: usize) -> Outcome<Vec<BlobKey>> {
    let bytes = noise(16 << 10);
    let keys: Vec<_> = (0..n).map(|_| BlobKey::new(&Entropy::system())).collect();
    for key in &keys {
        std::fs::write(place(root, key), &bytes)?;
    }
    rustix::fs::syncfs(std::fs::File::open(root)?)?;
    // The journal settles before either side is measured.
    std::thread::sleep(Duration::from_millis(50));
    Ok(keys)
}

/// Where a folder of blobs keeps a key's file.
fn place(root: &Path, key: &BlobKey) -> PathBuf {
    let digits = key.to_string();
    let (shard, rest) = digits.split_at(2);
    root.join(shard).join(rest)
}

fn loop_of_threads(root: &Path, keys: &[BlobKey]) -> Outcome {
    std::thread::scope(|threads| {
        let lanes: Vec<_> = keys
            .chunks(keys.len().div_ceil(CLIENTS))
            .map(|lane| {
                threads.spawn(|| lane.iter().try_for_each(|key| std::fs::remove_file(place(root, key))))
            })
            .collect();
        lanes.into_iter().try_for_each(|lane| lane.join().map_err(|_| "a thread died")?.map_err(Into::into))
    })
}
