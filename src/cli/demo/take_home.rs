//! Everything taken home, and opened again by somebody who trusts nothing.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures_util::StreamExt as _;

use super::cast::Person;
use super::stage::Stage;
use super::tell::Outcome;
use crate::archive;
use crate::base::RequestId;
use crate::cli::needles;
use crate::cli::say::{count, number, size};
use crate::policy::Channel;
use crate::requests::{Ask, Filing, Request, State};

/// Files a request as the person themself, on a page, signed in.
pub(super) async fn file(stage: &Stage, person: &Person, ask: Ask) -> anyhow::Result<Request> {
    let filing = Filing { ask, channel: Channel::Page, by: person.actor(), proved: true, words: None };
    Ok(stage.app.requests.file(&person.owner, filing).await?.request)
}

/// A person asks for everything, streams the archive to their own disk, and opens it again.
pub(super) async fn ask(stage: &Stage, person: &Person, ask: Ask) -> anyhow::Result<(RequestId, Outcome)> {
    let mut out = Outcome::default();
    let request = file(stage, person, ask).await?;
    clocks(stage, &request, &mut out);
    out.claim(request.state == State::Fulfilled, "the archive can be had at once");
    let path = stage.outside.join(format!("take-home-{}.zip", person.called));
    fetch(stage, person, request.id, &path, &mut out).await?;
    let whole = check(stage, &path, &mut out)?;
    inside(stage, person, &path, &mut out)?;
    out.short(format!("{} of files, every hash and the signature checked", size(whole.bytes)));
    let closed = stage.app.requests.get(&person.owner, request.id).await?;
    out.claim(
        closed.state == State::Closed && closed.receipt.is_some(),
        "handing it over closed the request, with a receipt",
    );
    Ok(out.with(request.id))
}

/// The two clocks of a request.
pub(super) fn clocks(stage: &Stage, request: &Request, out: &mut Outcome) {
    let hours = |to: crate::base::Timestamp| to.since(request.received_at).num_hours();
    out.row("request", format!("{}, filed {}", request.reference, request.received_at.in_words()));
    out.row(
        "promised by",
        format!("{} ({} hours)", request.due.promise.in_words(), hours(request.due.promise)),
    );
    out.row("the law's date", request.due.legal.in_words());
    let answered = request.answered_at.is_some_and(|at| at <= request.due.promise);
    let running = request.answered_at.is_none() && stage.app.clock.now() <= request.due.promise;
    out.claim(answered || running, "both clocks began when it arrived, and the promised 72 hours are kept");
}

/// Streams the archive to a file outside of the house: it is theirs, in clear.
async fn fetch(
    stage: &Stage,
    person: &Person,
    id: RequestId,
    path: &Path,
    out: &mut Outcome,
) -> anyhow::Result<()> {
    let requests = &stage.app.requests;
    let archive = requests.archive(&person.owner, id).await?;
    let begun = Instant::now();
    let mut pieces = Box::pin(requests.deliver(&person.owner, &archive, None).await?);
    let (mut file, mut len, mut first) = (File::create(path)?, 0_u64, None);
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        first.get_or_insert_with(|| begun.elapsed());
        len += piece.len() as u64;
        file.write_all(&piece)?;
    }
    out.row(
        "archive",
        format!(
            "{}, {}, first byte after {} ms",
            archive.file_name,
            size(len),
            first.unwrap_or_default().as_millis()
        ),
    );
    out.claim(
        len == archive.len(),
        format!("it has the {} bytes that were announced before the first one", number(archive.len())),
    );
    Ok(())
}

/// Opens the file as a stranger would: every hash, and the signature by the published key. Then once more with a byte
/// changed, which must not pass.
fn check(stage: &Stage, path: &Path, out: &mut Outcome) -> anyhow::Result<archive::Report> {
    let key = stage.app.requests.archive_key();
    let report = archive::verify(BufReader::new(File::open(path)?), Some(&key));
    out.row(
        "opened again",
        format!(
            "{}, {}",
            count(report.files as u64, "file", "files"),
            count(report.images as u64, "picture", "pictures")
        ),
    );
    out.claim(
        report.is_whole(),
        "every file has the SHA-256 of the signed manifest, none is missing, none is more",
    );
    let mut bytes = std::fs::read(path)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    let changed = archive::verify(std::io::Cursor::new(bytes), Some(&key));
    out.claim(!changed.is_whole(), "control: with one bit of it changed, it is refused");
    Ok(report)
}

/// What stands in it: what the person handed in, and not what was removed at the door.
fn inside(stage: &Stage, person: &Person, path: &Path, out: &mut Outcome) -> anyhow::Result<()> {
    let key = stage.app.requests.archive_key();
    let mut archive = archive::Archive::open(BufReader::new(File::open(path)?), Some(&key))?;
    let paths: Vec<String> = archive.manifest().files.iter().map(|f| f.path.clone()).collect();
    let mut everything = Vec::new();
    for path in paths {
        archive.copy(&path, &mut everything)?;
    }
    let theirs =
        [&person.name, &person.local, &person.prompt].into_iter().all(|w| needles::holds(&everything, w));
    out.claim(theirs, "control: the search that found nothing in the data folder finds their words in here");
    out.claim(
        !needles::holds(&everything, &person.camera),
        "what the camera had written is not in it: it was never kept",
    );
    Ok(())
}

/// Where a receipt of a person is kept, outside of the house.
pub(super) fn receipt_path(stage: &Stage, name: &str) -> PathBuf {
    stage.outside.join(format!("receipt-{name}.json"))
}
