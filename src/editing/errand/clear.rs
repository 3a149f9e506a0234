//! On the way out: what is left at a provider is erased, and looked for until it is seen to be gone.

use chrono::TimeDelta;

use super::{Errand, ErrandState, Note, sql};
use crate::base::Timestamp;
use crate::editing::{Edit, Editing, Error};
use crate::egress::CallLog;
use crate::ledger::{Entry, EntryKind};
use crate::providers::{Erasure, Proof, ProviderError, Reconciled};
use crate::store::Tx;
use crate::store::aside::{Unread, set_aside};

/// Errands looked after in one go.
const BATCH: i64 = 50;
/// How long one is another's while it is looked after.
const HOLD: TimeDelta = TimeDelta::minutes(1);
/// The first pause after an attempt that came to nothing; doubled each time, up to [`LONGEST`].
const PAUSE: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// A job that no list shows by then was never taken.
const NEVER_CAME: TimeDelta = TimeDelta::hours(24);
/// After this, what still cannot be seen to be gone is held to be there, and somebody should hear of it.
const LATE: TimeDelta = TimeDelta::hours(24);
/// How long an errand that ended is kept as a row.
const KEPT: TimeDelta = TimeDelta::days(90);

impl Editing {
    /// Looks after what is left at providers of edits that are over. Gives how many errands ended.
    pub async fn clear_copies(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let mut ended = 0;
        loop {
            let due = {
                let mut tx = self.db.read().await?;
                sql::due(&mut tx, self.clock.now(), BATCH).await?
            };
            if due.is_empty() || stop() {
                break;
            }
            for errand in due {
                ended += u64::from(self.clear_one(errand).await?);
            }
        }
        let mut tx = self.db.begin().await?;
        sql::expire(&mut tx, self.clock.now().plus(-KEPT)).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// How many errands of an erased or leaving person, or of anybody, are still open at providers of a tenant.
    pub async fn copies_left(&self, tenant: &crate::base::TenantId) -> Result<i64, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::left(&mut tx, tenant).await?)
    }

    /// The same for one edit that has just ended.
    pub(in crate::editing) async fn clear_copies_of(&self, edit: &Edit) -> Result<(), Error> {
        let errand = {
            let mut tx = self.db.read().await?;
            sql::open_of(&mut tx, edit.tenant(), edit.id).await?
        };
        match errand {
            Some(errand) if errand.next_at.is_some() => self.clear_one(errand).await.map(|_| ()),
            _ => Ok(()),
        }
    }

    async fn clear_one(&self, errand: Errand) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !sql::claim(&mut tx, &errand, now.plus(HOLD)).await? {
            return Ok(false);
        }
        tx.commit().await?;
        let next = match errand.state {
            ErrandState::Intended if errand.refused_at.is_some() => {
                self.withdraw(&errand).await.map(|()| None)
            }
            ErrandState::Intended => self.turn_up(&errand).await,
            ErrandState::Leaving => self.erase_there(&errand).await,
            ErrandState::Taken | ErrandState::Gone => Ok(None),
        };
        let next = match next {
            Ok(next) => next,
            Err(e) if e.kind().is_of_a_store() => return Err(e),
            // One that a fault of ours keeps back must not keep the others.
            Err(e) => Some(self.unreadable(&errand, &e).await?),
        };
        let Some((at, tries)) = next else { return Ok(true) };
        let mut tx = self.db.begin().await?;
        sql::later(&mut tx, &errand, Some(at), tries).await?;
        tx.commit().await?;
        Ok(false)
    }

    /// Says where people look that something may stay at a provider. Gives when it is looked after again.
    async fn unreadable(&self, errand: &Errand, error: &Error) -> Result<(Timestamp, i64), Error> {
        tracing::warn!(errand = %errand.id, %error, "an errand could not be looked after");
        let why = "an errand cannot be read: what is left of it at its provider is not erased";
        let row = Unread { tenant: &errand.tenant, table: "errand", id: &errand.id.to_string(), why };
        set_aside(&self.db, &self.clock, &self.entropy, row).await?;
        Ok(self.pause(errand))
    }

    /// An edit that is over and of which it is not known whether the provider has it. `None`: it ended.
    async fn turn_up(&self, errand: &Errand) -> Result<Option<(Timestamp, i64)>, Error> {
        let now = self.clock.now();
        let Some(provider) = self.outside.provider(errand.provider) else {
            return Ok(Some(self.pause(errand)));
        };
        let note = self.open_note(errand).await?;
        match self.find(errand, &note.intent, provider).await? {
            Ok(Reconciled::Found(handle)) => {
                self.keep(errand, &Note { handle: Some(*handle), ..note }).await?;
                Ok(Some((now, 0)))
            }
            Ok(Reconciled::Absent) => {
                self.done_there(errand, "not-taken").await?;
                Ok(None)
            }
            Ok(Reconciled::Unclear) if now.since(errand.made_at) > NEVER_CAME => {
                self.done_there(errand, "never-seen").await?;
                Ok(None)
            }
            Ok(Reconciled::Unclear) | Err(_) => Ok(Some(self.pause(errand))),
        }
    }

    /// Erases a job there and looks whether it is gone. `None`: it is.
    async fn erase_there(&self, errand: &Errand) -> Result<Option<(Timestamp, i64)>, Error> {
        let Some(provider) = self.outside.provider(errand.provider) else {
            return Ok(Some(self.pause(errand)));
        };
        let key = self.outside.erasure_key(errand.provider);
        let Some(handle) = self.open_note(errand).await?.handle else { return self.turn_up(errand).await };
        match provider.erase(&handle, key, &CallLog::new()).await {
            Ok(Erasure::Proven(proofs)) => {
                self.done_there(errand, &proof_words(&proofs)).await?;
                Ok(None)
            }
            Ok(Erasure::Waiting { until }) if !self.is_late(errand) => Ok(Some((until, errand.tries))),
            Ok(Erasure::Waiting { .. }) => {
                let (errand_id, provider) = (errand.id, errand.provider.as_str());
                tracing::error!(errand = %errand_id, provider, "it cannot be seen whether a provider let go");
                Ok(Some(self.pause(errand)))
            }
            Ok(Erasure::Survives { pieces }) => {
                let (errand_id, provider) = (errand.id, errand.provider.as_str());
                tracing::error!(errand = %errand_id, provider, pieces, "something survived its erasure at a provider");
                Ok(Some(self.pause(errand)))
            }
            Err(e) => {
                if matches!(e, ProviderError::Unauthorised) {
                    let provider = errand.provider.as_str();
                    tracing::error!(provider, "the provider does not accept the key that erases");
                }
                Ok(Some(self.pause(errand)))
            }
        }
    }

    fn is_late(&self, errand: &Errand) -> bool {
        self.clock.now().since(errand.made_at) > LATE
    }

    fn pause(&self, errand: &Errand) -> (Timestamp, i64) {
        let doublings = u32::try_from(errand.tries.clamp(0, 10)).unwrap_or(10);
        let pause = LONGEST.min(PAUSE * 2_i32.saturating_pow(doublings));
        (self.clock.now().plus(pause), errand.tries.saturating_add(1))
    }

    /// Nothing of it is left there: errand, register and ledger say so in one transaction.
    pub(super) async fn done_there(&self, errand: &Errand, proof: &str) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        if sql::gone(&mut tx, errand, self.clock.now()).await? {
            self.register(&mut tx, errand, proof).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What its provider had no time for is not put again: as if it had not set out, so that it does not count against the
    /// tenant's allowance.
    async fn withdraw(&self, errand: &Errand) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        if sql::withdraw(&mut tx, errand).await? {
            self.register(&mut tx, errand, "not-taken").await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// How a disclosure ended, in the register and in the ledger.
    async fn register(&self, tx: &mut Tx, errand: &Errand, proof: &str) -> Result<(), Error> {
        if let Some(row) = &errand.disclosure {
            self.disclosures.gone(tx, &errand.tenant, row, proof).await?;
            let now = self.clock.now();
            let entry = Entry::new(EntryKind::DISCLOSURE_ENDED, now, &errand.tenant, "service")
                .fact("recipient", errand.provider.as_str())
                .fact("proof", proof);
            self.ledger.append(tx, entry).await.map_err(crate::vault::Error::from)?;
        }
        Ok(())
    }
}

/// How it is known, as one word of the ledger.
fn proof_words(proofs: &[Proof]) -> String {
    let mut words: Vec<&str> = proofs.iter().map(|p| p.word()).collect();
    words.sort_unstable();
    words.dedup();
    words.join("+")
}
