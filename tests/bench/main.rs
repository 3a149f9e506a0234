//! The figures: one line each, `bench NAME ratio=… goal=… ok|short`. A figure is a ratio of two ways to do the same work,
//! measured in turns within one run, so that it says the same on a slow machine and on a busy one. A short figure fails
//! nothing unless asked: `make bench ARGS=--strict`. `make bench ARGS=sweep` measures those whose name has `sweep` in it.
//! `docs/EVIDENCE.md` says what each stands for, and how they came out last.

// The state machines of whole requests lie within one another.
#![recursion_limit = "256"]

mod edits;
mod export;
mod files;
mod ground;
mod keys;
mod ledger;
mod measure;
mod memory;
mod sealing;
mod sweep;

use std::process::ExitCode;

use measure::{Board, Outcome};

/// A figure or a few that share their ground: their names, and how they are measured.
type Bench = (&'static [&'static str], fn(&mut Board) -> Outcome);

const ALL: &[Bench] = &[
    (&["seal", "seal-and-store", "open", "fetch", "upload"], sealing::run),
    (&["put-durable", "unlink"], files::run),
    (&["export-sink", "export-against-zip"], export::run),
    (&["sweep-among-many", "sweep-rows"], sweep::run),
    (&["erase-1000", "erase-100000", "erase-person-1000", "erase-person-100000", "rewrap"], keys::run),
    (&["ledger-part", "ledger-rate", "commits-64", "commits-1", "uploads-8", "uploads-32"], ledger::run),
    (&["edit-asked", "edit-told"], edits::run),
    (&["memory-idle", "memory-upload", "memory-download"], memory::run),
    (&["memory-upload-s3", "memory-download-s3"], memory::run_s3),
];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(memory::CHILD) {
        return measure::child(memory::child(args.next()));
    }
    let mut board = Board::from_args(std::env::args().skip(1));
    for (names, run) in ALL {
        if !board.wants(names) {
            continue;
        }
        if let Err(e) = run(&mut board) {
            board.failed(names, &e.to_string());
        }
    }
    board.verdict()
}
