//! The end of A: erased, looked for in every byte, while B is whole.

use std::fs;

use chrono::TimeDelta;

use super::Options;
use super::cast::Cast;
use super::pictures::{self, Picture};
use super::stage::Stage;
use super::take_home::{self, file};
use super::tell::Outcome;
use crate::base::{ReceiptId, Timestamp};
use crate::cli::needles;
use crate::cli::say::{count, size};
use crate::requests::{Ask, State};
use crate::subjects::{Email, LinkFor};

/// A asks to be erased, waits, does not want to wait any longer, and is erased. Gives the receipt.
pub(super) async fn erase(
    stage: &Stage,
    cast: &Cast,
    results: &[Picture],
) -> anyhow::Result<(ReceiptId, Outcome)> {
    let (app, a) = (&stage.app, &cast.a);
    let mut out = Outcome::default();
    let before = stage.held(&a.owner).await?;
    let request = file(stage, a, Ask::Erasure { at_once: false }).await?;
    take_home::clocks(stage, &request, &mut out);
    let until = request.grace_until.map(Timestamp::in_words).unwrap_or_default();
    out.row("can be taken back until", until);
    stage.pass(TimeDelta::hours(1)).await?;
    let picture = pictures::of(results, a).ok_or_else(|| anyhow::anyhow!("there is no result of A's"))?;
    let still = pictures::read(stage, a, picture.id).await.is_ok();
    out.claim(request.state == State::Grace && still, "until then nothing is lost");
    let done = Box::pin(app.requests.waive(&a.owner, request.id)).await?;
    let erasure = app.requests.erasures(&a.owner.tenant, 1).await?.pop();
    let erasure = erasure.ok_or_else(|| anyhow::anyhow!("there is no erasure"))?;
    out.row("held before", format!("{} pictures, {} records", before.pictures, before.records));
    out.row("key destroyed", erasure.key.clone().unwrap_or_default());
    let looked = erasure.looked_through();
    let left: i64 = looked.iter().map(|(_, n)| n).sum();
    out.row("looked through again", format!("{} places by another way: {left} things found", looked.len()));
    out.claim(erasure.images == before.pictures && erasure.images > 0, "everything A had was on the list");
    out.claim(
        done.state == State::Closed && left == 0 && !looked.is_empty(),
        "it was called done after a second look, by another way, had found nothing",
    );
    let receipt = done.receipt.ok_or_else(|| anyhow::anyhow!("there is no receipt"))?;
    out.short(format!(
        "{} pictures and {} records gone, {} places looked through again",
        before.pictures,
        before.records,
        looked.len()
    ));
    Ok(out.with(receipt))
}

/// Every file of the data folder is read, and searched for every word that was planted with A.
pub(super) async fn look(stage: &Stage, cast: &Cast, options: &Options) -> anyhow::Result<((), Outcome)> {
    let mut out = Outcome::default();
    let a = &cast.a;
    // The log's own last lines are to be in its file before it is read.
    stage.jobs.settle().await?;
    let control = stage.data.join("planted-as-a-control.txt");
    fs::write(&control, format!("to {}@example.org, about {}", a.local, a.name))?;
    let planted = needles::search(&stage.data, &a.words())?;
    fs::remove_file(&control)?;
    let both = planted.found.iter().filter(|(_, path)| *path == control).count() == 2;
    out.claim(both, "control: a name and an address planted in one file are found there");
    let reads = needles::search(&stage.data, &["policy.published"])?;
    let in_the_database = reads
        .found
        .iter()
        .any(|(_, path)| path.ends_with("vouchsafe.db") || path.ends_with("vouchsafe.db-wal"));
    out.claim(
        in_the_database,
        "control: a word that the ledger does hold is found in the database's own file",
    );
    if options.leave_a_trace {
        fs::write(stage.data.join("forgotten-export.csv"), format!("name\n{}\n", a.name))?;
        out.note("As you asked, a file with A's name was left behind.");
    }
    let seen = needles::search(&stage.data, &a.words())?;
    out.row(
        "read",
        format!(
            "{}, {}: databases, their logs, keys, pictures, the program's log",
            count(seen.files, "file", "files"),
            size(seen.bytes)
        ),
    );
    out.row(
        "looked for",
        format!("{} words in {} forms (text, UTF-16, hexadecimal, base 64)", a.words().len(), seen.forms),
    );
    for (word, path) in &seen.found {
        out.claim(false, format!("“{word}” is in {}", path.display()));
    }
    out.claim(seen.found.is_empty(), "no file of the data folder holds any of A's words");
    let (letters, clean) = stage.letters(&[&a.name, &a.new_name, &a.prompt, &a.camera])?;
    let letters = count(letters, "letter was", "letters were");
    out.claim(clean, format!("{letters} sent, and none says more of A than the address it went to"));
    out.short(format!("{} read, {} traces found", size(seen.bytes), seen.found.len()));
    Ok(out.with(()))
}

/// For A everything is as if A had never been; for B everything is as before.
pub(super) async fn after(stage: &Stage, cast: &Cast, results: &[Picture]) -> anyhow::Result<((), Outcome)> {
    let app = &stage.app;
    let mut out = Outcome::new("A is unknown, B and C are whole");
    let email: Email = format!("{}@example.org", cast.a.local).parse()?;
    out.claim(
        app.subjects.find(&cast.a.owner.tenant, &email).await?.is_none(),
        "A's address belongs to nobody",
    );
    let link = app.subjects.link(&cast.a.owner.tenant, LinkFor::Subject, &email, None).await?;
    out.claim(link.is_none(), "no sign-in link is sent to it");
    for picture in results {
        let found = pictures::read(stage, &picture.person, picture.id).await;
        let called = picture.person.called;
        if picture.person.owner == cast.a.owner {
            out.claim(found.is_err(), format!("{called}'s picture does not open for anybody"));
        } else {
            let same = found.is_ok_and(|bytes| crate::crypto::sha256(&bytes) == picture.sha256);
            out.claim(same, format!("{called}'s picture opens, and has the SHA-256 it always had"));
        }
    }
    for person in [&cast.b, &cast.c] {
        let actor = person.actor();
        let access = crate::vault::Access { actor: &actor, purpose: "rights" };
        let profile = app.subjects.profile(&person.owner, &access).await?;
        out.claim(profile.name == person.name, format!("{}'s account is as it was", person.called));
    }
    Ok(out.with(()))
}
