//! From a backup to the present: everything that must hold is done again, looked at once more, and only then is the
//! service opened. Every step may be repeated; one that was cut short begins anew.

use std::collections::BTreeSet;
use std::path::Path;

use super::entries::{Asked, asked};
use super::put_back::forget_replaced;
use super::{Error, replay, sql};
use crate::app::{App, Shut};
use crate::base::EntryId;
use crate::crypto::Fingerprint;
use crate::ledger::{Entry, EntryKind, Leaf, Logged};
use crate::vault::Owner;

/// Entries read at once.
const BATCH: u64 = 2_000;

/// What was done again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the count its name says; `facts` lists them as the ledger has them")]
pub struct Done {
    pub from: u64,
    pub to: u64,
    pub people: u64,
    pub images: u64,
    pub records: u64,
    pub keys: u64,
    pub consents: u64,
    pub restrictions: u64,
    pub revoked: u64,
    pub roles: u64,
    pub factors: u64,
    pub codes: u64,
    pub holds: u64,
    pub published: u64,
    pub sessions: u64,
    pub epochs: u64,
    pub blobs_deleted: u64,
    pub blobs_waiting: u64,
    pub blobs_missing: u64,
    pub keyless: u64,
    pub corrections: u64,
    pub requests: u64,
    pub lost_people: u64,
    pub lost_items: u64,
}

impl Done {
    /// Names and counts, as the ledger has them.
    pub fn facts(&self) -> [(&'static str, u64); 24] {
        [
            ("from", self.from),
            ("to", self.to),
            ("people", self.people),
            ("images", self.images),
            ("records", self.records),
            ("keys", self.keys),
            ("consents", self.consents),
            ("restrictions", self.restrictions),
            ("api-keys", self.revoked),
            ("roles", self.roles),
            ("second-factors", self.factors),
            ("recovery-codes-void", self.codes),
            ("holds", self.holds),
            ("policies", self.published),
            ("sessions", self.sessions),
            ("epochs", self.epochs),
            ("blobs-deleted", self.blobs_deleted),
            ("blobs-waiting", self.blobs_waiting),
            ("blobs-missing", self.blobs_missing),
            ("without-key", self.keyless),
            ("corrections-to-ask-again", self.corrections),
            ("requests-to-take-up", self.requests),
            ("people-lost", self.lost_people),
            ("items-lost", self.lost_items),
        ]
    }
}

/// Brings a service that is shut up to date and opens it. What it fails with, it stays shut for.
pub async fn bring_up_to_date(app: &App) -> Result<Done, Error> {
    let folder = app.ledger.folder().unwrap_or(Path::new("")).to_owned();
    bring_up_to_date_from(app, &folder).await
}

/// As [`bring_up_to_date`], out of a copy of the published ledger that lies elsewhere.
pub async fn bring_up_to_date_from(app: &App, folder: &Path) -> Result<Done, Error> {
    let Some(why) = app.look().await? else {
        app.gate.open();
        return Ok(Done::default());
    };
    app.gate.shut(why);
    if let Some(rather) = why.beyond_replay() {
        return Err(Error::Refused(format!("{why}. {rather}")));
    }
    let missing = missing(app, folder).await?;
    let mut done = begin(app, why).await?;
    done.to = done.from + missing.len() as u64;
    done.sessions = app.subjects.end_all_sessions().await?;
    done.codes = app.subjects.void_recovery_codes().await?;
    let people = replay::people(app, &missing).await?;
    replay::replay(app, &missing, &people, &mut done).await?;
    let keys = destroy_keys(app, &missing, &mut done).await?;
    done.epochs = app.keys.leave_epochs(keys.epoch).await?.len() as u64;
    // Epochs that ended since are written down as ended in a keystore from before: their keys are gone, and not away.
    app.keys.finish().await?;
    erase_people(app, keys.unknown, &mut done).await?;
    app.requests.cut_log().await;
    if !missing.is_empty() {
        app.ledger.replay(folder).await?;
    }
    // Nothing has been signed yet, and nothing is where a witness knows more than what was published here.
    if let Some(unlike) = app.challenged().await? {
        app.gate.shut(unlike);
        let rather = unlike.beyond_replay().unwrap_or_default();
        return Err(Error::Refused(format!("{unlike}. {rather}")));
    }
    let strangers = app.vault.reconcile_blobs().await?;
    done.blobs_deleted = strangers.deleted;
    done.blobs_waiting = strangers.waiting;
    done.blobs_missing = strangers.missing;
    done.keyless = app.vault.keyless().await?;
    look_again(app).await?;
    app.destroyed_again().await?;
    end(app, &done).await?;
    forget_replaced(&app.config.data.folder)?;
    app.take_up().await?;
    app.gate.open();
    Ok(done)
}

/// The entries that the database lacks, out of the published ledger, verified whole.
async fn missing(app: &App, folder: &Path) -> Result<Vec<Logged>, Error> {
    let known = match app.ledger.standing().await {
        Ok(()) => return Ok(Vec::new()),
        Err(crate::ledger::Error::Behind { known, .. }) => known,
        Err(e) => return Err(e.into()),
    };
    let held = app.ledger.held().await?;
    if held == 0 {
        // Not a backup: every ledger begins with the documents that were published first.
        return Err(Error::Refused(format!(
            "the database is new and empty, though {known} ledger entries were signed here. The service stays shut: put \
             a backup back with `vouchsafe restore`"
        )));
    }
    let missing = app.ledger.missing(folder).await;
    missing.map_err(|why| Error::Missing { known, held, folder: folder.to_owned(), why })
}

async fn begin(app: &App, why: Shut) -> Result<Done, Error> {
    let held = app.ledger.held().await?;
    let mut tx = app.db.begin().await?;
    if sql::open(&mut tx).await?.is_none() {
        let id = EntryId::new(&app.clock, &app.entropy).to_string();
        sql::begin(&mut tx, &id, why.as_str(), app.clock.now(), held).await?;
    }
    tx.commit().await?;
    Ok(Done { from: held, ..Done::default() })
}

/// The erasures that began and that no entry calls completed, by what is said of their beginning: out of the whole
/// ledger, for a try that was cut short may have put the entries back. All of them are done by now.
async fn begun(app: &App) -> Result<Vec<Leaf>, Error> {
    let (mut begun, mut from) = (Vec::<Leaf>::new(), 0);
    loop {
        let batch = app.ledger.from(from, BATCH).await?;
        if batch.is_empty() {
            return Ok(begun);
        }
        from += batch.len() as u64;
        for Logged { leaf, .. } in batch {
            match asked(&leaf) {
                Asked::Leaving { .. } => begun.push(leaf),
                Asked::Gone { .. } => begun.retain(|b| b.subject != leaf.subject),
                _ => {}
            }
        }
    }
}

/// Goes through the whole ledger, what the database has and what it lacks.
async fn each_batch<F>(
    app: &App,
    missing: &[Logged],
    mut see: impl FnMut(Vec<Asked>) -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let mut from = 0;
    loop {
        let batch = app.ledger.from(from, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        from += batch.len() as u64;
        see(batch.iter().map(|e| asked(&e.leaf)).collect()).await?;
    }
    see(missing.iter().map(|e| asked(&e.leaf)).collect()).await
}

fn destroyed(asked: &[Asked]) -> Vec<Fingerprint> {
    let key = |a: &Asked| match a {
        Asked::Erased { key, .. } | Asked::Leaving { key } | Asked::Gone { key } => *key,
        _ => None,
    };
    asked.iter().filter_map(key).collect()
}

/// The keys of values that were put right or reduced. A row that came from a backup may bear one still: then the old value
/// is all there is, and goes with the row.
fn replaced(asked: &[Asked]) -> Vec<Fingerprint> {
    let key = |a: &Asked| match a {
        Asked::Corrected { key, .. } | Asked::Reduced { key } => Some(*key),
        _ => None,
    };
    asked.iter().filter_map(key).collect()
}

/// The keys of people who were erased, or whose erasure began.
fn of_people(asked: &[Asked]) -> Vec<Fingerprint> {
    let key = |a: &Asked| match a {
        Asked::Leaving { key } | Asked::Gone { key } => *key,
        _ => None,
    };
    asked.iter().filter_map(key).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What destroying keys once more came to.
struct Keys {
    /// The last epoch that was destroyed.
    epoch: i64,
    /// Whether somebody was erased whose key the keystore has never seen: it is older than they are, and has no fence
    /// to know them by.
    unknown: bool,
}

/// Destroys every key that the ledger says was destroyed, whatever the keystore's age.
async fn destroy_keys(app: &App, missing: &[Logged], done: &mut Done) -> Result<Keys, Error> {
    let epoch = std::cell::Cell::new(0);
    let keys = std::cell::Cell::new(0);
    let unknown = std::cell::Cell::new(false);
    each_batch(app, missing, |batch| {
        for asked in &batch {
            if let Asked::Epoch(n) = asked {
                epoch.set(epoch.get().max(*n));
            }
        }
        let (app, keys, unknown) = (app, &keys, &unknown);
        async move {
            let mut dead = destroyed(&batch);
            dead.extend(app.vault.borne_by_no_row(&replaced(&batch)).await?);
            let again = app.keys.destroy_again(&dead).await?;
            keys.set(keys.get() + again.items + again.subjects);
            let people = of_people(&batch);
            unknown.set(unknown.get() || app.keys.fenced_among(&people).await? < people.len());
            Ok(())
        }
    })
    .await?;
    done.keys = keys.get();
    Ok(Keys { epoch: epoch.get(), unknown: unknown.get() })
}

/// Erases everybody in the database whose key was destroyed. If that cannot be told of somebody, because the keystore is
/// older than they are, then everybody without a key: nothing of theirs opens in any case.
async fn erase_people(app: &App, unknown: bool, done: &mut Done) -> Result<(), Error> {
    let mut last: Option<Owner> = None;
    loop {
        let page = app.subjects.people(last.as_ref()).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = Some(end.clone());
        for owner in page {
            let keyless =
                unknown && matches!(app.vault.fingerprint(&owner).await, Err(crate::vault::Error::NotFound));
            if keyless || app.vault.is_fenced(&owner).await? {
                let gone = app.requests.erase_again(&owner).await?;
                done.people += 1;
                done.images += gone.images;
                done.records += gone.records;
            }
        }
    }
}

/// The second look, by another way: no key and no row anywhere has the fingerprint of anything that the ledger, which is
/// whole by now, says was erased.
async fn look_again(app: &App) -> Result<(), Error> {
    let left = std::cell::Cell::new(0);
    each_batch(app, &[], |batch| {
        let (app, left) = (app, &left);
        async move {
            let replaced = app.vault.borne_by_no_row(&replaced(&batch)).await?;
            let alive = app.keys.alive_among(&replaced).await?;
            left.set(left.get() + alive + app.vault.known_by(&destroyed(&batch)).await?);
            Ok(())
        }
    })
    .await?;
    if left.get() > 0 { Err(Error::StillThere(left.get())) } else { Ok(()) }
}

/// Says on the ledger what was done, that of erasures which had begun when the database was lost nothing is left, and
/// ends the restoration, in one transaction: a try that was cut short, or another replica's, tells nothing twice.
async fn end(app: &App, done: &Done) -> Result<(), Error> {
    // What waits may tell the end of one that began.
    while app.ledger.sequence().await?.is_some() {}
    let begun = begun(app).await?;
    let now = app.clock.now();
    let facts = done.facts();
    let entry = Entry::house(EntryKind::RESTORE_COMPLETED, now, "service");
    let entry = facts.iter().fold(entry, |entry, (name, n)| entry.fact(name, *n));
    let counts: Vec<String> = facts.iter().map(|(name, n)| format!("{name}={n}")).collect();
    let mut tx = app.db.begin().await?;
    if sql::end(&mut tx, now, done.to, &counts.join("\n")).await? {
        for entry in begun.into_iter().filter_map(|leaf| replay::completed(leaf, now)) {
            app.ledger.append(&mut tx, entry).await?;
        }
        app.ledger.append(&mut tx, entry).await?;
    }
    tx.commit().await?;
    app.ledger.sequence().await?;
    Ok(())
}
