use chrono::TimeDelta;

use super::{Error, Session, SignedIn, Subjects, sql};
use crate::base::{Secret, SessionId, Timestamp};
use crate::crypto;
use crate::store::Tx;
use crate::vault::Owner;

/// How long a person's proof of who they are is fresh enough for what takes data away: an archive, an erasure, another
/// address.
pub const PROVED_FRESH: TimeDelta = TimeDelta::hours(1);
/// How long a person's session lasts unused.
pub const SUBJECT_IDLE: TimeDelta = TimeDelta::days(14);
/// How long a person's session lasts at all.
const SUBJECT_LIFE: TimeDelta = TimeDelta::days(30);
/// How long a staff session lasts unused.
pub const STAFF_IDLE: TimeDelta = TimeDelta::minutes(30);
/// How long a staff session lasts at all.
const STAFF_LIFE: TimeDelta = TimeDelta::hours(12);
/// How often "last seen" is written.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(5);

/// When a session began, and when its owner proved themself by a second factor.
pub(super) struct Begun {
    pub(super) created_at: Timestamp,
    pub(super) factor_at: Option<Timestamp>,
}

fn spans(who: &SignedIn) -> (TimeDelta, TimeDelta) {
    match who {
        SignedIn::Subject(_) => (SUBJECT_IDLE, SUBJECT_LIFE),
        SignedIn::Staff(_) => (STAFF_IDLE, STAFF_LIFE),
    }
}

impl Subjects {
    pub(super) async fn begin_session(
        &self,
        tx: &mut Tx,
        who: SignedIn,
        begun: Begun,
    ) -> Result<(Secret<String>, Session), Error> {
        let now = self.clock.now();
        let token = self.entropy.token();
        let (_, life) = spans(&who);
        let Begun { created_at, factor_at } = begun;
        let id = SessionId::new(&self.clock, &self.entropy);
        let session = Session { id, who, proved_at: now, created_at, factor_at };
        let hash = crypto::sha256(token.as_bytes());
        sql::insert_session(tx, &hash, &session, created_at.plus(life)).await?;
        Ok((token.into(), session))
    }

    /// The session of a cookie. [`Error::BadProof`] when it is unknown, ended, idle for too long, or its owner is being
    /// erased or was disabled.
    pub async fn session(&self, cookie: &str) -> Result<Session, Error> {
        let now = self.clock.now();
        let hash = crypto::sha256(cookie.as_bytes());
        let found = {
            let mut tx = self.db.read().await?;
            sql::session(&mut tx, &hash).await?.ok_or(Error::BadProof)?
        };
        let (session, last_seen, expires_at) = found;
        let (idle, _) = spans(&session.who);
        if now >= expires_at || now.since(last_seen) >= idle {
            return Err(Error::BadProof);
        }
        if now.since(last_seen) >= SEEN_EVERY {
            let mut tx = self.db.begin().await?;
            sql::seen(&mut tx, &hash, now).await?;
            tx.commit().await?;
        }
        Ok(session)
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::end_session(&mut tx, session.who.tenant(), session.id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends every session and link of a person: after a change of address, and before an erasure.
    pub async fn end_sessions(&self, tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
        Ok(sql::end_sessions(tx, owner).await?)
    }

    /// Forgets sessions and links that ended. Gives how many. Somebody waited in vain for a link that lapsed before its
    /// letter went: whoever reads the log hears of it.
    pub async fn expire(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let lapsed = sql::lapsed(&mut tx, now).await?;
        let n = sql::expire(&mut tx, now).await?;
        tx.commit().await?;
        if lapsed > 0 {
            tracing::warn!(lapsed, "links to sign in by were over before their letters were sent");
        }
        Ok(n)
    }
}
