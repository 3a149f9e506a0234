use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Error, Jobs};
use crate::app::Shut;
use crate::base::{PageSize, Timestamp};
use crate::keystore;
use crate::ledger::{Entry, EntryKind};
use crate::policy::{Fact, Facts, Role};
use crate::retention::Inactive;
use crate::store::aside::{Unread, set_aside};
use crate::store::idempotency;

/// How long a rotation that a seal did not let happen waits before it tries again.
const SEAL_PAUSE: TimeDelta = TimeDelta::seconds(60);
/// How long answers are kept for repeated calls.
const ANSWERS: TimeDelta = TimeDelta::hours(24);
/// How long the store of blobs goes without being compared with the rows.
const COMPARISON: TimeDelta = TimeDelta::days(7);
/// How old a key that no row knows must be.
const UNUSED_KEY: TimeDelta = TimeDelta::hours(24);
/// How long the published ledger goes without being verified.
const VERIFIED: TimeDelta = TimeDelta::hours(24);
/// How long an upload in parts may take: as long as its intent lives, and more.
const LONGEST_UPLOAD: TimeDelta = TimeDelta::hours(48);

/// A reconciler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Versions of documents that another process published.
    Versions,
    /// Versions that came into force, applied to what was held before.
    Reckoning,
    /// People to be told of a version.
    Notices,
    /// Rights requests: cooling-off periods that are over, erasures that were cut short, deadlines.
    Requests,
    /// What is due by a retention rule.
    Retention,
    /// Accounts nobody uses.
    Inactivity,
    /// Letters that are owed.
    Letters,
    /// Uploads that never landed.
    Arrivals,
    /// Bytes whose key is gone.
    Graves,
    /// The store of blobs against the rows beside it, once a week.
    Comparison,
    /// What is left at providers of edits that are over.
    Copies,
    /// What is to be done at those who hold accounts of people's.
    Elsewhere,
    /// What apps' servers are to be told.
    Webhooks,
    /// What agents of people are to be told.
    Agents,
    /// Sessions, links and kept answers that have run out.
    Expiry,
    /// Key epochs.
    Epochs,
    /// Checks of promises that are due.
    Audit,
    /// Entries into the tree, and a signed head.
    Ledger,
    /// The published ledger, verified and mended once a day.
    Published,
    /// Those who watch the ledger are shown its newest head.
    Witnesses,
}

impl Task {
    /// All of them, in the order of a full pass.
    pub const ALL: &[Self] = &[
        Self::Copies,
        Self::Elsewhere,
        Self::Versions,
        Self::Reckoning,
        Self::Notices,
        Self::Requests,
        Self::Retention,
        Self::Letters,
        Self::Inactivity,
        Self::Arrivals,
        Self::Graves,
        Self::Comparison,
        Self::Expiry,
        Self::Epochs,
        Self::Audit,
        Self::Webhooks,
        Self::Agents,
        Self::Ledger,
        Self::Published,
        Self::Witnesses,
    ];

    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::Reckoning => "reckoning",
            Self::Notices => "notices",
            Self::Requests => "requests",
            Self::Retention => "retention",
            Self::Inactivity => "inactivity",
            Self::Letters => "letters",
            Self::Arrivals => "arrivals",
            Self::Graves => "graves",
            Self::Comparison => "comparison",
            Self::Copies => "copies",
            Self::Elsewhere => "elsewhere",
            Self::Webhooks => "webhooks",
            Self::Agents => "agents",
            Self::Expiry => "expiry",
            Self::Epochs => "epochs",
            Self::Audit => "audit",
            Self::Ledger => "ledger",
            Self::Published => "published",
            Self::Witnesses => "witnesses",
        }
    }

    /// When the scheduler wakes it (seconds, minutes, hours, day, month, weekday; UTC).
    pub fn schedule(self) -> &'static str {
        match self {
            Self::Ledger | Self::Webhooks => "* * * * * *",
            Self::Versions => "*/5 * * * * *",
            // Epochs that often, so that no replica holds one long that another destroyed.
            Self::Copies
            | Self::Elsewhere
            | Self::Agents
            | Self::Requests
            | Self::Retention
            | Self::Letters
            | Self::Reckoning
            | Self::Notices
            | Self::Witnesses
            | Self::Epochs => "*/10 * * * * *",
            Self::Audit => "30 * * * * *",
            Self::Graves | Self::Arrivals => "0 */5 * * * *",
            Self::Inactivity | Self::Expiry => "0 0 * * * *",
            Self::Comparison => "0 25 * * * *",
            Self::Published => "0 40 * * * *",
        }
    }
}

/// What a pass did: how many things it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconciled {
    /// Which.
    pub task: Task,
    /// How many.
    pub changed: u64,
}

impl Jobs {
    /// One pass of a reconciler. `stop` is asked between batches.
    pub fn reconcile<'a>(
        &'a self,
        task: Task,
        stop: &'a (dyn Fn() -> bool + Sync),
    ) -> BoxFuture<'a, Result<Reconciled, Error>> {
        self.pass(task, stop).boxed()
    }

    async fn pass(&self, task: Task, stop: &(dyn Fn() -> bool + Sync)) -> Result<Reconciled, Error> {
        let app = &self.app;
        if !app.gate.is_open() {
            return Ok(Reconciled { task, changed: 0 });
        }
        let changed = match task {
            Task::Versions => app.publications.refresh().await?,
            Task::Reckoning => app.retention.reckon(stop).await?,
            Task::Notices => self.notices(stop).await?,
            Task::Requests => {
                let ticked = Box::pin(app.requests.tick()).await?;
                (ticked.moved + ticked.resumed + ticked.purged) as u64
            }
            Task::Retention => {
                let ended = self.closed_accounts().await?;
                let swept = app.retention.sweep(stop).await?;
                ended + swept.iter().map(|s| s.erased + s.reduced).sum::<u64>()
            }
            Task::Inactivity => {
                let told = self.warn_ahead().await?;
                app.retention.forget_notices().await?;
                told + self.inactivity().await?
            }
            Task::Letters => self.letters().await?,
            Task::Arrivals => to_the_end(stop, || app.vault.sweep_arrivals()).await?,
            Task::Graves => to_the_end(stop, || app.vault.visit_graves()).await?,
            Task::Comparison => self.comparison(stop).await?,
            Task::Copies => app.editing.clear_copies(stop).await?,
            Task::Elsewhere => app.elsewhere.turn(stop).await?,
            Task::Agents => app.drp.call_back(stop).await?,
            Task::Webhooks => app.webhooks.deliver(stop).await?,
            Task::Expiry => self.expiry().await?,
            Task::Epochs => self.epochs().await?,
            Task::Audit => {
                let ran = app.audit.run_due(app.clock.now(), stop).await?;
                ran.iter().filter(|r| r.changed).count() as u64
            }
            Task::Witnesses => {
                let asked = app.ledger.ask(&app.witnesses).await?;
                if let Some(unlike) = asked.unlike {
                    app.gate.shut(unlike.into());
                }
                asked.fresh as u64
            }
            Task::Ledger => self.sequence().await?,
            Task::Published => self.published().await?,
        };
        Ok(Reconciled { task, changed })
    }

    /// Takes entries into the tree. A database that was replaced under a running service shows here first: then nothing
    /// is served any more.
    async fn sequence(&self) -> Result<u64, Error> {
        match self.app.ledger.sequence().await {
            Ok(head) => Ok(u64::from(head.is_some())),
            Err(e) => {
                if let crate::ledger::Error::Behind { known, held } = e {
                    self.app.gate.shut(Shut::Behind { known, held });
                }
                Err(e.into())
            }
        }
    }

    /// Verifies the published ledger, a day after it was last done here, and says on the ledger what had to be written
    /// anew.
    async fn published(&self) -> Result<u64, Error> {
        let app = &self.app;
        let now = app.clock.now();
        let last = Timestamp::from_micros(self.verified.load(Ordering::Relaxed));
        if last.plus(VERIFIED) > now {
            return Ok(0);
        }
        let mended = app.ledger.mend_folder().await?;
        self.verified.store(now.micros(), Ordering::Relaxed);
        if mended.files > 0 {
            tracing::error!(files = mended.files, "files of the published ledger were missing or rotten");
            let entry = Entry::house(EntryKind::LEDGER_MENDED, now, "service").fact("files", mended.files);
            let mut tx = app.db.begin().await?;
            app.ledger.append(&mut tx, entry).await?;
            tx.commit().await?;
        }
        Ok(mended.files)
    }

    /// Ends accounts that were unused for as long as the document allows and whose owners were told.
    async fn inactivity(&self) -> Result<u64, Error> {
        let mut n = 0;
        for tenant in self.app.library.tenants() {
            for gone in self.app.retention.inactive(&tenant).await? {
                let ended = if gone.only.is_empty() {
                    let since = gone.last_active;
                    let erased = self.app.requests.erase_unused(&gone.owner, since, Role::Service).await;
                    erased.map(|done| u64::from(done.is_some()))
                } else {
                    self.unused_categories(&gone).await
                };
                // One that cannot go (a legal hold) must not keep the others.
                match ended {
                    Ok(went) => n += went,
                    Err(e) => tracing::warn!(error = %e, "an unused account could not be let go"),
                }
            }
        }
        Ok(n)
    }

    /// What a rule takes from a person who was away for too long, and who stays otherwise.
    async fn unused_categories(&self, gone: &Inactive) -> Result<u64, crate::requests::Error> {
        let mut went = 0;
        for category in &gone.only {
            match self.app.retention.is_still_away(gone).await {
                Ok(true) => {}
                // They came back while others were seen to.
                Ok(false) => break,
                Err(e) => {
                    tracing::warn!(error = %e, "whether somebody came back could not be told; nothing of theirs goes");
                    break;
                }
            }
            went += self.app.vault.erase_category(&gone.owner, category, Role::Service).await?;
        }
        Ok(went)
    }

    /// Sees to it that everything of a closed account knows of the closing, and ends the account when its own rule says
    /// so: the whole person then, but for what a law keeps.
    async fn closed_accounts(&self) -> Result<u64, Error> {
        let app = &self.app;
        let mut n = 0;
        for tenant in app.library.tenants() {
            let policy = app.vault.policy(&tenant)?;
            for (owner, at) in app.subjects.closed(&tenant).await? {
                app.vault.account_closed(&owner, at).await?;
                let due = policy.due("account", &Facts::new().with(Fact::AccountClosed, at)).at();
                if due.is_none_or(|due| due > app.clock.now()) {
                    continue;
                }
                match app.requests.erase(&owner, Role::Service).await {
                    Ok(done) => n += u64::from(done.is_some()),
                    Err(e) => tracing::warn!(error = %e, "a closed account could not be let go"),
                }
            }
        }
        Ok(n)
    }

    /// Compares the store of blobs with the rows, a week after it was last done or after the ledger began, and writes what
    /// was found on the ledger. Two replicas at it at once do no harm.
    async fn comparison(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let app = &self.app;
        let now = app.clock.now();
        let last = match app.ledger.of_house(&EntryKind::BLOBS_COMPARED, 1).await?.pop() {
            Some(last) => Some(last),
            None => app.ledger.tail(PageSize::new(1).unwrap_or_default(), Some("1")).await?.items.pop(),
        };
        if last.is_none_or(|entry| entry.leaf.at.plus(COMPARISON) > now) {
            return Ok(0);
        }
        let ended = app.vault.end_stale_uploads(now.plus(-LONGEST_UPLOAD)).await.unwrap_or_else(|e| {
            tracing::warn!(error = %e, "what old uploads left unfinished could not be looked for");
            0
        });
        let found = app.vault.compare(stop).await?;
        if stop() {
            // Half a comparison says nothing; it is begun anew.
            return Ok(0);
        }
        let keys = self.orphan_keys(now, stop).await?;
        if found.agree() {
            tracing::info!(listed = found.listed, ended, "the store of blobs holds what the rows say");
        } else {
            tracing::error!(?found, "the store of blobs does not hold what the rows say");
        }
        let entry = Entry::house(EntryKind::BLOBS_COMPARED, now, "service")
            .fact("listed", found.listed)
            .fact("rows", found.rows)
            .fact("orphans", found.orphans)
            .fact("missing", found.missing)
            .fact("altered", found.altered)
            .fact("keys", keys);
        let mut tx = app.db.begin().await?;
        app.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(found.orphans + found.missing + found.altered + keys)
    }

    /// Destroys keys that open nothing once they are a day old; not soon after a restore, for bytes that no row knows are
    /// kept then, and a newer backup may turn up that knows both.
    async fn orphan_keys(&self, now: Timestamp, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let app = &self.app;
        if app.vault.restored_lately().await?.is_some() {
            return Ok(0);
        }
        Ok(app.vault.destroy_orphan_keys(now.plus(-UNUSED_KEY), stop).await?)
    }

    async fn expiry(&self) -> Result<u64, Error> {
        let mut n = self.app.subjects.expire().await? + self.app.webhooks.expire().await?;
        n += self.app.intake.expire().await?;
        let mut tx = self.app.db.begin().await?;
        n += idempotency::expire(&mut tx, self.app.clock.now().plus(-ANSWERS)).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Moves to a new epoch when it is time; whatever becomes of that, what was destroyed is told, and is in the keystore's
    /// log no longer.
    async fn epochs(&self) -> Result<u64, Error> {
        let rotated = self.rotated().await;
        self.app.keys.cut_log().await;
        self.unread_keys().await?;
        self.app.note_destroyed_epochs().await?;
        if let Some(why) = self.app.remember_destroyed().await? {
            tracing::error!(%why, "the keystore was replaced under a running service");
            self.app.gate.shut(why);
        }
        rotated
    }

    /// Puts keys that do not open among the jobs that wait for a hand. One of the service's own is every tenant's matter,
    /// and stands with the first.
    async fn unread_keys(&self) -> Result<(), Error> {
        let app = &self.app;
        let first = app.library.tenants().into_iter().next();
        for key in app.keys.aside().await? {
            let Some(tenant) = key.tenant.as_ref().or(first.as_ref()) else { continue };
            let why =
                "a key does not open: what lies under it is lost, unless a copy of the keystore has it whole";
            let row = Unread { tenant, table: key.table, id: &key.id, why };
            set_aside(&app.db, &app.clock, &app.entropy, row).await?;
        }
        Ok(())
    }

    /// Begins a new epoch when the current one is a week old, and finishes what was left undone. Whichever replica comes
    /// first does it. While the seal cannot be reached the rotation waits, and each try that fails is loud.
    async fn rotated(&self) -> Result<u64, Error> {
        let keys = &self.app.keys;
        let now = self.app.clock.now();
        let mut changed = keys.finish().await?;
        let due = keys.next_rotation().is_some_and(|at| now >= at);
        if due && now.micros() >= self.seal_pause.load(Ordering::Relaxed) {
            match keys.rotate().await {
                Ok(done) => changed += done.items + done.subjects,
                Err(keystore::Error::Taken) => {}
                Err(e) => {
                    self.seal_pause.store(now.plus(SEAL_PAUSE).micros(), Ordering::Relaxed);
                    tracing::error!(error = %e, late = %late(keys, now), "the key epochs cannot be rotated");
                    return Err(e.into());
                }
            }
        }
        Ok(changed)
    }
}

/// How long ago the next epoch ought to have begun.
fn late(keys: &keystore::Keystore, now: Timestamp) -> String {
    let minutes = keys.next_rotation().map_or(0, |at| now.since(at).num_minutes());
    format!("{minutes} min")
}

/// Goes on until nothing is left or there is a stop: each batch takes what it has done out of the way.
async fn to_the_end<F>(stop: &(dyn Fn() -> bool + Sync), batch: impl Fn() -> F) -> Result<u64, Error>
where
    F: Future<Output = Result<usize, crate::vault::Error>>,
{
    let mut changed = 0;
    while !stop() {
        let n = batch().await?;
        changed += n as u64;
        if n == 0 {
            break;
        }
    }
    Ok(changed)
}
