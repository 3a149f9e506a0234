//! Asking witnesses: whatever head is newest is shown to each of them, with the proof that it contains everything that
//! this witness saw before, and what they sign is kept beside the head (C2SP tlog-witness). A witness that does not answer
//! holds up nothing. What one says without a signature is a doubt, which is told of and asked about again; only a head that
//! it shows under its signature proves anything against this ledger.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use super::sequence::blocking;
use super::witness::AddCheckpoint;
use super::{Checkpoint, Error, Ledger, Use, VerifierKey, state};
use crate::base::Clock;
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Names, Recipient, Reply, Url};

/// What a witness may take to answer.
const WITHIN: Duration = Duration::from_secs(10);
/// A signature line is a few hundred bytes.
const AT_MOST: u64 = 16 * 1024;

/// Somebody who watches this ledger.
#[derive(Debug, Clone)]
pub struct Watching {
    /// Where they are asked: `add-checkpoint` is appended.
    pub url: Url,
    /// What they sign with.
    pub key: VerifierKey,
}

/// Those who watch. Cheap to clone.
#[derive(Clone)]
pub struct Witnesses(Arc<Inner>);

struct Inner {
    egress: Egress,
    all: Vec<Watching>,
    /// The size that each has seen, as far as known here.
    seen: Mutex<BTreeMap<String, u64>>,
    /// What those say who have seen another ledger, until they sign this one.
    doubts: RwLock<BTreeMap<String, Unlike>>,
    /// What one of them has proved. It stays, whatever they say later.
    proved: RwLock<Option<Unlike>>,
}

/// How asking went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Witnesses whose signature the newest head has.
    pub signed: usize,
    /// Witnesses there are.
    pub of: usize,
    /// Signatures that came with this asking.
    pub fresh: usize,
    /// What a witness saw that this ledger does not have, proved by a head under its signature. Nothing more may be signed.
    pub unlike: Option<Unlike>,
    /// The same, said by a witness that shows nothing for it.
    pub doubt: Option<Unlike>,
}

/// What a witness has seen: this is not the ledger that it watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlike {
    /// It has seen more: the database is from before.
    Ahead {
        /// Entries that it has seen.
        seen: u64,
        /// Entries in the database.
        held: u64,
    },
    /// It has seen another history.
    Rewritten {
        /// Entries that it has seen.
        seen: u64,
    },
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { seen, held } => {
                write!(f, "has seen {seen} ledger entries, and the database holds {held}")
            }
            Self::Rewritten { seen } => {
                write!(f, "has seen {seen} ledger entries that are not those of the database")
            }
        }
    }
}

impl Witnesses {
    /// These witnesses, each reached at its own address and nowhere else. [`Error::Malformed`] for a key that does not
    /// cosign, or an address that is neither HTTPS nor on this machine.
    pub fn new(all: Vec<Watching>, clock: Clock) -> Result<Self, Error> {
        let unfit = |_: EgressError| Error::Malformed("a witness's address (https://…)");
        let mut recipients = Vec::new();
        for one in &all {
            if one.key.purpose() != Use::Cosignature {
                return Err(Error::Malformed("a witness's key"));
            }
            recipients.push(Recipient::named(recipient(one)).inside(&one.url).map_err(unfit)?);
        }
        let egress = Egress::new(recipients, &Names::System, clock).map_err(unfit)?;
        let (seen, doubts, proved) = (Mutex::default(), RwLock::default(), RwLock::default());
        Ok(Self(Arc::new(Inner { egress, all, seen, doubts, proved })))
    }

    /// A witness that says that it has seen another ledger, shows nothing for it, and has not signed since.
    pub fn doubt(&self) -> Option<(String, Unlike)> {
        let doubts = self.0.doubts.read().unwrap_or_else(PoisonError::into_inner);
        doubts.first_key_value().map(|(name, unlike)| (name.clone(), *unlike))
    }

    fn note(&self, one: &Watching, doubt: Option<Unlike>) {
        let mut doubts = self.0.doubts.write().unwrap_or_else(PoisonError::into_inner);
        match doubt {
            Some(unlike) => doubts.insert(one.key.name().to_owned(), unlike),
            None => doubts.remove(one.key.name()),
        };
    }

    /// What was proved against this ledger since the start.
    fn proved(&self) -> Option<Unlike> {
        *self.0.proved.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.all.len()
    }

    /// Whether nobody watches.
    pub fn is_empty(&self) -> bool {
        self.0.all.is_empty()
    }
}

impl fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.all.iter().map(|w| w.key.name())).finish()
    }
}

fn recipient(one: &Watching) -> String {
    format!("witness {}", one.key.name())
}

/// Why a witness did not sign.
#[derive(Debug, thiserror::Error)]
enum Unsigned {
    #[error("cannot be reached: {0}")]
    Unreached(#[from] EgressError),
    #[error("answered {0}")]
    Answered(u16),
    #[error("answered with something else than a signature of its own over this head")]
    Garbled,
    #[error("has seen {seen} entries, and the ledger has {held}: the database is not the one it watched")]
    Ahead { seen: u64, held: u64 },
    #[error("has seen {0} entries that are not the first {0} of this ledger: its history was rewritten")]
    Rewritten(u64),
    #[error(transparent)]
    Ledger(#[from] Error),
}

impl Ledger {
    /// Shows the newest head to each witness that has not signed it yet. What they sign is kept, and goes into the served
    /// checkpoint and into receipts. Cheap when all have signed.
    pub async fn ask(&self, witnesses: &Witnesses) -> Result<Asked, Error> {
        self.show(witnesses, false).await
    }

    /// As [`Ledger::ask`], also those whose signature is here already: what is kept beside the database may be as old as
    /// the database, and only the witness itself knows what it saw last. To be asked before the house opens: there a doubt
    /// counts as well, for as long as it lasts, and what was once proved until the next start.
    pub async fn challenge(&self, witnesses: &Witnesses) -> Result<Option<Unlike>, Error> {
        let asked = self.show(witnesses, true).await?;
        Ok(witnesses.proved().or(asked.doubt))
    }

    async fn show(&self, witnesses: &Witnesses, all: bool) -> Result<Asked, Error> {
        let mut asked = Asked { of: witnesses.len(), ..Asked::default() };
        if witnesses.is_empty() {
            return Ok(asked);
        }
        let head = self.checkpoint().await?;
        if head.size() == 0 && !all {
            return Ok(asked);
        }
        let kept = self.cosigned().await?.filter(|kept| is_same(kept, &head));
        let mut newest = kept.unwrap_or_else(|| head.clone());
        let mut wanted = Vec::new();
        for one in &witnesses.0.all {
            let signed = newest.witnessed_by(&one.key)?.is_some();
            asked.signed += usize::from(signed);
            if all || !signed {
                wanted.push((one, signed));
            }
        }
        // Side by side: one that does not answer keeps nobody waiting for the others.
        let answers = wanted.iter().map(|(one, _)| self.ask_one(witnesses, one, &head));
        let answers = futures_util::future::join_all(answers).await;
        for ((one, signed), answer) in wanted.into_iter().zip(answers) {
            if answer.is_ok() {
                witnesses.note(one, None);
            }
            match answer {
                Ok(_) if signed => {}
                Ok(line) => {
                    newest = newest.with_cosignature(&line, &one.key)?;
                    asked.signed += 1;
                    asked.fresh += 1;
                }
                Err(why) => self.unsigned((witnesses, one), &why, &mut asked).await?,
            }
        }
        if asked.fresh > 0 && head.size() > 0 {
            let (file, note) = (self.cosigned_file(), newest.note().to_owned());
            blocking(move || state::write(&file, &note)).await?;
        }
        Ok(asked)
    }

    /// Tells of a witness that did not sign, and notes what that shows, if anything.
    async fn unsigned(
        &self,
        (witnesses, one): (&Witnesses, &Watching),
        why: &Unsigned,
        asked: &mut Asked,
    ) -> Result<(), Error> {
        let name = one.key.name();
        let said = match *why {
            // Another replica may have shown it a newer head than the one that was read here before.
            Unsigned::Ahead { seen, .. } => {
                let held = self.held().await?;
                (seen > held).then_some(Unlike::Ahead { seen, held })
            }
            Unsigned::Rewritten(seen) => Some(Unlike::Rewritten { seen }),
            _ => None,
        };
        let Some(said) = said else {
            tracing::warn!(witness = name, error = %why, "a witness did not sign");
            return Ok(());
        };
        if let Some(unlike) = self.proof_of(witnesses, one).await? {
            tracing::error!(witness = name, error = %why, "a witness proves that it saw another ledger than this one");
            *witnesses.0.proved.write().unwrap_or_else(PoisonError::into_inner) = Some(unlike);
            asked.unlike = Some(unlike);
        } else {
            tracing::error!(witness = name, error = %why, "a witness says that it saw another ledger, and shows nothing");
            witnesses.note(one, Some(said));
            asked.doubt = Some(said);
        }
        Ok(())
    }

    /// What the newest head that a witness signed proves against this ledger, if it shows one that does.
    async fn proof_of(&self, witnesses: &Witnesses, one: &Watching) -> Result<Option<Unlike>, Error> {
        let Some(note) = witnesses.shown(one).await else { return Ok(None) };
        let opened = Checkpoint::open(&note, self.verifier());
        let Ok((Some(_), theirs)) = opened.and_then(|head| Ok((head.witnessed_by(&one.key)?, head))) else {
            return Ok(None);
        };
        let (seen, head) = (theirs.size(), self.checkpoint().await?);
        match self.extends(&head, &theirs).await {
            Ok(()) => Ok(None),
            Err(Error::Behind { held, .. }) => Ok(Some(Unlike::Ahead { seen, held })),
            Err(Error::Forked { .. }) => Ok(Some(Unlike::Rewritten { seen })),
            Err(e) => Err(e),
        }
    }

    async fn ask_one(
        &self,
        witnesses: &Witnesses,
        one: &Watching,
        head: &Checkpoint,
    ) -> Result<String, Unsigned> {
        let name = one.key.name().to_owned();
        let known = witnesses.0.seen.lock().await.get(&name).copied();
        // Of more than there is it is asked anew: what it said once need not be what it says now.
        let mut old = known.filter(|seen| *seen <= head.size()).unwrap_or(0);
        // Once more with the size that the witness says it has seen.
        for _ in 0..2 {
            if old > head.size() {
                return Err(Unsigned::Ahead { seen: old, held: head.size() });
            }
            let hashes = self.consistency(old, head.size()).await?.hashes;
            let request = AddCheckpoint { old, hashes, checkpoint: head.note().to_owned() };
            let reply = witnesses.post(one, &request).await?;
            match reply.status {
                200 => {
                    witnesses.0.seen.lock().await.insert(name, head.size());
                    return own_line(&reply, one, head);
                }
                409 => {
                    let text = String::from_utf8_lossy(&reply.body);
                    let seen = text.trim().parse().map_err(|_| Unsigned::Garbled)?;
                    if seen == old && old == head.size() {
                        // As many entries, and others.
                        return Err(Unsigned::Rewritten(seen));
                    }
                    old = seen;
                    witnesses.0.seen.lock().await.insert(name.clone(), old);
                }
                422 if old > 0 => return Err(Unsigned::Rewritten(old)),
                other => return Err(Unsigned::Answered(other)),
            }
        }
        Err(Unsigned::Answered(409))
    }

    /// The newest head that a witness signed, with what they signed; none if there is none yet. Verified again.
    pub async fn cosigned(&self) -> Result<Option<Checkpoint>, Error> {
        let file = self.cosigned_file();
        let note = blocking(move || state::read(&file)).await?;
        note.map(|note| Checkpoint::open(&note, self.verifier())).transpose()
    }

    /// How many of these witnesses signed the newest head that any of them signed, and its size.
    pub async fn witnessed(&self, witnesses: &Witnesses) -> Result<(usize, u64), Error> {
        let Some(kept) = self.cosigned().await? else { return Ok((0, 0)) };
        let mut signed = 0;
        for one in &witnesses.0.all {
            signed += usize::from(kept.witnessed_by(&one.key)?.is_some());
        }
        Ok((signed, kept.size()))
    }

    /// Beside the file that remembers the newest head.
    fn cosigned_file(&self) -> PathBuf {
        self.0.file.with_extension("cosigned")
    }
}

impl Witnesses {
    /// The newest head that a witness signed, as it shows it to anybody who asks; none if it shows none.
    async fn shown(&self, one: &Watching) -> Option<String> {
        let mut url = one.url.clone();
        let path = format!("{}/checkpoint", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let call =
            Call::new(&recipient(one), Method::GET, url, "/checkpoint").within(WITHIN).at_most(AT_MOST);
        let reply = self.0.egress.send(call, &CallLog::default()).await.ok()?;
        (reply.status == 200).then(|| String::from_utf8(reply.body.to_vec()).ok()).flatten()
    }

    async fn post(&self, one: &Watching, request: &AddCheckpoint) -> Result<Reply, Unsigned> {
        let mut url = one.url.clone();
        let path = format!("{}/add-checkpoint", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let call = Call::new(&recipient(one), Method::POST, url, "/add-checkpoint")
            .body("text/plain; charset=utf-8", request.to_text())
            .within(WITHIN)
            .at_most(AT_MOST);
        Ok(self.0.egress.send(call, &CallLog::default()).await?)
    }
}

/// Whether two notes are about one head.
pub(super) fn is_same(a: &Checkpoint, b: &Checkpoint) -> bool {
    (a.size(), a.root()) == (b.size(), b.root())
}

/// The witness's own line among those that it answered with.
fn own_line(reply: &Reply, one: &Watching, head: &Checkpoint) -> Result<String, Unsigned> {
    let text = std::str::from_utf8(&reply.body).map_err(|_| Unsigned::Garbled)?;
    let lines = text.lines().map(|line| format!("{line}\n"));
    let mut own = lines.filter(|line| head.with_cosignature(line, &one.key).is_ok());
    own.next().ok_or(Unsigned::Garbled)
}
