//! The second factor of staff: an authenticator app, and ten codes for the day on which the telephone is lost.

use chrono::TimeDelta;
use zeroize::Zeroizing;

use super::sessions::Begun;
use super::sql::factor::{self as rows, Row, Whose};
use super::totp::{self, Enrolment};
use super::{Error, Redeemed, Session, SignedIn, StaffMember, Subjects, sql};
use crate::base::{Secret, StaffId, TenantId, Timestamp};
use crate::crypto::{self, Key, Place};
use crate::ledger::{Entry, EntryKind};
use crate::store::Tx;

/// How long a proof by the second factor is fresh enough for the gravest acts.
pub const FACTOR_FRESH: TimeDelta = TimeDelta::minutes(15);
/// How long whoever set up another factor in place of one that was taken away has to wait with the gravest acts.
pub const FACTOR_HOLD: TimeDelta = TimeDelta::hours(72);
/// How many recovery codes there are.
const CODES: usize = 10;
/// How long a secret waits for its first code before another is made.
const UNCONFIRMED: TimeDelta = TimeDelta::hours(1);
/// Wrong codes in a row that cost nothing.
const FREE: i64 = 2;
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// How the second factor of a member of staff stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Factor {
    /// Whether there is one.
    pub enrolled: bool,
    /// Whether one was taken away before.
    pub replaces: bool,
    /// Until when the gravest acts wait, because it is in place of another.
    pub held_until: Option<Timestamp>,
    /// How many recovery codes are left.
    pub codes_left: u32,
}

/// What a member of staff is given once their app's first code was right.
#[derive(Debug)]
pub struct Enrolled {
    /// The session from here on.
    pub session: Redeemed,
    /// The recovery codes, to be shown this once.
    pub codes: Vec<Secret<String>>,
    /// Until when the gravest acts wait.
    pub held_until: Option<Timestamp>,
}

/// What a code turned out to be.
enum Proof {
    App(i64),
    Recovery,
}

fn place(staff: &StaffMember) -> Place {
    Place::new("staff-factor").with(staff.tenant.as_str()).with(staff.id.as_bytes())
}

fn whose(staff: &StaffMember) -> Whose<'_> {
    (&staff.tenant, staff.id)
}

/// The pause after so many wrong codes in a row: none at first, then twice as long each time, up to an hour.
fn wait(failures: i64) -> Option<TimeDelta> {
    let over = failures.checked_sub(FREE + 1).filter(|n| *n >= 0)?;
    let factor = 1_i32.checked_shl(u32::try_from(over).unwrap_or(u32::MAX)).filter(|n| *n > 0);
    Some(factor.and_then(|n| FIRST_WAIT.checked_mul(n)).map_or(LONGEST_WAIT, |w| w.min(LONGEST_WAIT)))
}

/// A recovery code as it was meant: in capitals, without what only helps reading, and without letters that look like
/// digits (Crockford's base 32).
fn meant(typed: &str) -> Zeroizing<String> {
    let read = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    Zeroizing::new(typed.chars().filter(char::is_ascii_alphanumeric).map(read).collect())
}

fn hashed(key: &Key, staff: StaffId, code: &str) -> [u8; 32] {
    crypto::mac(key, format!("{staff}\0{}", *meant(code)).as_bytes())
}

fn entry(kind: EntryKind, staff: &StaffMember, now: Timestamp) -> Entry {
    Entry::new(kind, now, &staff.tenant, staff.role.as_str()).fact("staff", staff.id.to_string().as_str())
}

fn member(session: &Session) -> Result<&StaffMember, Error> {
    match &session.who {
        SignedIn::Staff(staff) => Ok(staff),
        SignedIn::Subject(_) => Err(Error::BadProof),
    }
}

impl Subjects {
    /// How a member's second factor stands.
    pub async fn factor(&self, staff: &StaffMember) -> Result<Factor, Error> {
        let mut tx = self.db.read().await?;
        let Some(row) = rows::factor(&mut tx, whose(staff)).await? else { return Ok(Factor::default()) };
        let left = rows::codes_left(&mut tx, whose(staff)).await?;
        let now = self.clock.now();
        Ok(Factor {
            enrolled: row.confirmed_at.is_some(),
            replaces: row.reset_at.is_some(),
            held_until: row.held_until.filter(|until| *until > now),
            codes_left: u32::try_from(left).unwrap_or(0),
        })
    }

    /// Whether a session may do one of the gravest acts now. [`Error::Stale`] when its owner has not proved themself by
    /// the second factor within [`FACTOR_FRESH`]; [`Error::Held`] while their factor is newly in place of another.
    pub async fn may_act_gravely(&self, session: &Session) -> Result<(), Error> {
        if let Some(until) = self.factor(member(session)?).await?.held_until {
            return Err(Error::Held(until));
        }
        let now = self.clock.now();
        match session.factor_at {
            Some(at) if now.since(at) < FACTOR_FRESH => Ok(()),
            _ => Err(Error::Stale),
        }
    }

    /// The secret that a member's app is to be given: the same until its first code, or until it is an hour old.
    /// [`Error::Taken`] when they have a factor already. `issuer` is the name that the app shows beside the code.
    pub async fn begin_factor(&self, staff: &StaffMember, issuer: &str) -> Result<Enrolment, Error> {
        let key = self.factor_key(&staff.tenant).await?;
        let account = self.staff_address(staff).await?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let row = self.factor_in_turn(&mut tx, staff).await?;
        if row.as_ref().is_some_and(|r| r.confirmed_at.is_some()) {
            return Err(Error::Taken);
        }
        let young = row.filter(|r| now.since(r.made_at) < UNCONFIRMED).and_then(|r| r.sealed);
        let secret = if let Some(sealed) = young {
            crypto::open(&key, &place(staff), &sealed).map_err(|_| Error::NotFound)?
        } else {
            let secret = Zeroizing::new(self.entropy.bytes::<{ totp::SECRET }>().to_vec());
            let sealed = crypto::seal(&key, &place(staff), &secret, &self.entropy);
            rows::lay(&mut tx, whose(staff), &sealed, now).await?;
            secret
        };
        tx.commit().await?;
        totp::enrolment(&secret, account.expose(), issuer)
    }

    /// Takes the first code of a member's app: the factor counts from here on. The session becomes another, with the
    /// proof in it. [`Error::BadCode`] for a code that is not right, [`Error::Wait`] after too many of them.
    pub async fn confirm_factor(&self, session: &Session, code: &str) -> Result<Enrolled, Error> {
        let staff = member(session)?;
        let (key, codes_key) = (self.factor_key(&staff.tenant).await?, self.codes_key(&staff.tenant).await?);
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let row = self.factor_in_turn(&mut tx, staff).await?.ok_or(Error::BadProof)?;
        if row.confirmed_at.is_some() {
            return Err(Error::Taken);
        }
        may_try(&row, now)?;
        let Some(step) = step(&key, staff, &row, code, now)? else {
            return Err(self.refused(tx, staff, &row).await?);
        };
        let held_until = row.reset_at.map(|_| now.plus(FACTOR_HOLD));
        rows::confirm(&mut tx, whose(staff), (step, now, held_until)).await?;
        let codes = self.fresh_codes(&mut tx, staff, &codes_key).await?;
        let entry = entry(EntryKind::FACTOR_ENROLLED, staff, now).fact("replaced", row.reset_at.is_some());
        self.ledger.append(&mut tx, entry).await?;
        let session = self.renew(&mut tx, session, now).await?;
        tx.commit().await?;
        Ok(Enrolled { session, codes, held_until })
    }

    /// Makes new recovery codes, to be shown this once; those before are void. It takes a code of the member's app: a
    /// recovery code that somebody found must not make ten of itself. [`Error::BadCode`] for a code that is not right or
    /// was used, [`Error::Wait`] after too many of them, [`Error::BadProof`] when they have no factor.
    pub async fn renew_codes(&self, session: &Session, code: &str) -> Result<Vec<Secret<String>>, Error> {
        let staff = member(session)?;
        let (key, codes_key) = (self.factor_key(&staff.tenant).await?, self.codes_key(&staff.tenant).await?);
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let row = self.factor_in_turn(&mut tx, staff).await?.filter(|r| r.confirmed_at.is_some());
        let row = row.ok_or(Error::BadProof)?;
        may_try(&row, now)?;
        let Some(step) = step(&key, staff, &row, code, now)? else {
            return Err(self.refused(tx, staff, &row).await?);
        };
        rows::pass(&mut tx, whose(staff), Some(step)).await?;
        rows::forget_codes(&mut tx, whose(staff)).await?;
        let codes = self.fresh_codes(&mut tx, staff, &codes_key).await?;
        self.ledger.append(&mut tx, entry(EntryKind::CODES_RENEWED, staff, now)).await?;
        tx.commit().await?;
        Ok(codes)
    }

    async fn fresh_codes(
        &self,
        tx: &mut Tx,
        staff: &StaffMember,
        key: &Key,
    ) -> Result<Vec<Secret<String>>, Error> {
        let mut codes = Vec::with_capacity(CODES);
        for _ in 0..CODES {
            let code = self.recovery_code();
            rows::keep_code(tx, whose(staff), &hashed(key, staff.id, &code)).await?;
            codes.push(Secret::new(code));
        }
        Ok(codes)
    }

    /// Takes a code of a member's app, or a recovery code, each once. The session becomes another, with the proof in it.
    /// [`Error::BadCode`] for a code that is not right or was used, [`Error::Wait`] after too many of them,
    /// [`Error::BadProof`] when they have no factor.
    pub async fn prove_factor(&self, session: &Session, code: &str) -> Result<Redeemed, Error> {
        let staff = member(session)?;
        let (key, codes_key) = (self.factor_key(&staff.tenant).await?, self.codes_key(&staff.tenant).await?);
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let row = self.factor_in_turn(&mut tx, staff).await?.filter(|r| r.confirmed_at.is_some());
        let row = row.ok_or(Error::BadProof)?;
        may_try(&row, now)?;
        let proof = if let Some(step) = step(&key, staff, &row, code, now)? {
            Some(Proof::App(step))
        } else {
            let hash = hashed(&codes_key, staff.id, code);
            rows::use_code(&mut tx, whose(staff), &hash, now).await?.then_some(Proof::Recovery)
        };
        let entry = entry(EntryKind::FACTOR_PASSED, staff, now);
        let (step, entry) = match proof {
            None => return Err(self.refused(tx, staff, &row).await?),
            Some(Proof::App(step)) => (Some(step), entry.fact("by", "app")),
            Some(Proof::Recovery) => {
                let left = rows::codes_left(&mut tx, whose(staff)).await?;
                (None, entry.fact("by", "recovery").fact("left", left))
            }
        };
        rows::pass(&mut tx, whose(staff), step).await?;
        self.ledger.append(&mut tx, entry).await?;
        let renewed = self.renew(&mut tx, session, now).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Begins the session of a member whom the staff's identity provider vouched for; `factor_at` is when it saw a second
    /// factor of theirs, if it did.
    pub async fn vouched(&self, staff: StaffMember, factor_at: Option<Timestamp>) -> Result<Redeemed, Error> {
        let now = self.clock.now();
        let factor_at = factor_at.map(|at| at.min(now));
        let mut tx = self.db.begin().await?;
        if factor_at.is_some() {
            let entry = entry(EntryKind::FACTOR_PASSED, &staff, now).fact("by", "provider");
            self.ledger.append(&mut tx, entry).await?;
        }
        let begun = Begun { created_at: now, factor_at };
        let (cookie, session) = self.begin_session(&mut tx, SignedIn::Staff(staff), begun).await?;
        tx.commit().await?;
        Ok(Redeemed { cookie, session })
    }

    /// Takes a member's factor away, with its recovery codes, and ends every session of theirs: they set up another at
    /// their next sign-in. `false` when they had none.
    pub async fn reset_factor(&self, staff: &StaffMember) -> Result<bool, Error> {
        let now = self.clock.now();
        let entry = Entry::new(EntryKind::FACTOR_RESET, now, &staff.tenant, "admin")
            .fact("staff", staff.id.to_string().as_str());
        let mut tx = self.db.begin().await?;
        let had = rows::reset(&mut tx, whose(staff), now).await?;
        sql::end_staff_sessions(&mut tx, &staff.tenant, staff.id).await?;
        if had {
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(had)
    }

    /// One try at a time for each member: two with one code must not both be right.
    async fn factor_in_turn(&self, tx: &mut Tx, staff: &StaffMember) -> Result<Option<Row>, Error> {
        tx.take_turn(&format!("factor/{}/{}", staff.tenant, staff.id)).await?;
        Ok(rows::factor(tx, whose(staff)).await?)
    }

    /// Counts a wrong code, and gives the error to fail with.
    async fn refused(&self, mut tx: Tx, staff: &StaffMember, row: &Row) -> Result<Error, Error> {
        let (now, failures) = (self.clock.now(), row.failures.saturating_add(1));
        let until = wait(failures).map(|pause| now.plus(pause));
        rows::refuse(&mut tx, whose(staff), failures, until).await?;
        let entry = entry(EntryKind::FACTOR_REFUSED, staff, now).fact("failures", failures);
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(until.map_or(Error::BadCode, Error::Wait))
    }

    /// Ends a session and begins another of the same age, with a fresh proof in it.
    async fn renew(&self, tx: &mut Tx, session: &Session, now: Timestamp) -> Result<Redeemed, Error> {
        sql::end_session(tx, session.who.tenant(), session.id).await?;
        let begun = Begun { created_at: session.created_at, factor_at: Some(now) };
        let (cookie, session) = self.begin_session(tx, session.who.clone(), begun).await?;
        Ok(Redeemed { cookie, session })
    }

    async fn factor_key(&self, tenant: &TenantId) -> Result<Key, Error> {
        Ok(self.keys.system(&format!("staff-factor/{tenant}")).await?)
    }

    async fn codes_key(&self, tenant: &TenantId) -> Result<Key, Error> {
        Ok(self.keys.system(&format!("staff-recovery/{tenant}")).await?)
    }

    /// Eighty random bits in four groups, `7KX2-M9QW-MT4B-0ZRE`.
    fn recovery_code(&self) -> String {
        let drawn = format!("{}{}", self.entropy.reference(), self.entropy.reference()).replace('-', "");
        let drawn: Vec<char> = drawn.chars().take(16).collect();
        let groups: Vec<String> = drawn.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }
}

fn may_try(row: &Row, now: Timestamp) -> Result<(), Error> {
    match row.wait_until {
        Some(until) if until > now => Err(Error::Wait(until)),
        _ => Ok(()),
    }
}

/// The step whose code this is, if none of it or after it was taken before.
fn step(key: &Key, staff: &StaffMember, row: &Row, code: &str, now: Timestamp) -> Result<Option<i64>, Error> {
    let Some(sealed) = &row.sealed else { return Ok(None) };
    let secret = crypto::open(key, &place(staff), sealed).map_err(|_| Error::NotFound)?;
    let digits: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace()).collect());
    let found = totp::step_of(&secret, &digits, now)?;
    Ok(found.filter(|step| row.last_step.is_none_or(|last| *step > last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_codes_wait_ever_longer() {
        let waits: Vec<i64> = (0..14).map(|n| wait(n).map_or(0, |w| w.num_seconds())).collect();
        assert_eq!(waits, [0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
        assert_eq!(wait(i64::MAX), Some(LONGEST_WAIT));
    }

    #[test]
    fn a_recovery_code_is_read_as_it_was_meant() {
        assert_eq!(*meant(" 7kx2-m9qw mt4b–0zre "), "7KX2M9QWMT4B0ZRE");
        assert_eq!(*meant("oil0"), "0110");
        let key = Key::from_bytes([7; 32]);
        let id: StaffId = "stf_01890000000070008000000000000000".parse().unwrap();
        let other: StaffId = "stf_01890000000070008000000000000001".parse().unwrap();
        assert_eq!(hashed(&key, id, "7kx2 m9qw"), hashed(&key, id, "7KX2-M9QW"));
        assert_ne!(hashed(&key, id, "7KX2M9QW"), hashed(&key, other, "7KX2M9QW"));
    }
}
