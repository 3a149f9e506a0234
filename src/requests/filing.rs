//! Asking for something.

use serde_json::{Map, Value, json};

use super::identity::{TO_SHOW, clocks};
use super::{Error, Request, Requests, State, model::Alarm, owner_of, sql};
use crate::base::{Page, PageSize, RequestId, Secret, TenantId, Timestamp};
use crate::ledger::EntryKind;
use crate::policy::{Channel, Facts, Policy, Right};
use crate::speech::key;
use crate::subjects::Profile;
use crate::vault::{Access, Actor, NewRecord, Owner, SealedRecord};

/// The category of what is written about requests.
pub const CATEGORY: &str = "rights-request";
/// The record of what was asked.
pub(super) const FILING: &str = "filing";
/// Most characters a person may write.
pub const MOST_WORDS: usize = 4_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Everything that is held, and the answer of Article 15.
    Access,
    /// One's data in a form that other programs read (Art. 20).
    Portability,
    /// Corrected account data (Art. 16). Without them a person of staff works from what was written.
    Rectification(Option<Profile>),
    /// Everything gone (Art. 17).
    Erasure {
        /// Without the time in which it can be taken back.
        at_once: bool,
    },
    /// Data kept and not used (Art. 18), or used again.
    Restriction {
        /// Which of the two.
        on: bool,
    },
    /// A use that rests on an interest stopped (Art. 21).
    Objection {
        /// The purpose's id in the document.
        purpose: String,
    },
    /// A consent taken back (Art. 7(3)).
    Withdrawal {
        /// The purpose's id in the document.
        purpose: String,
    },
}

impl Ask {
    /// The right it uses.
    pub const fn right(&self) -> Right {
        match self {
            Self::Access => Right::Access,
            Self::Portability => Right::Portability,
            Self::Rectification(_) => Right::Rectification,
            Self::Erasure { .. } => Right::Erasure,
            Self::Restriction { .. } => Right::Restriction,
            Self::Objection { .. } => Right::Objection,
            Self::Withdrawal { .. } => Right::Withdrawal,
        }
    }

    /// The right, and what it is about: what [`Ask::of`] makes the same wish of, but for corrected values and haste.
    pub fn parts(&self) -> (Right, Option<String>) {
        (self.right(), self.about())
    }

    /// The wish to use a right; `None` when it needs a purpose and has none.
    pub fn of(right: Right, about: Option<&str>) -> Option<Self> {
        let purpose = || about.filter(|p| !p.is_empty()).map(ToOwned::to_owned);
        Some(match right {
            Right::Access => Self::Access,
            Right::Portability => Self::Portability,
            Right::Rectification => Self::Rectification(None),
            Right::Erasure => Self::Erasure { at_once: false },
            Right::Restriction => Self::Restriction { on: about != Some("off") },
            Right::Objection => Self::Objection { purpose: purpose()? },
            Right::Withdrawal => Self::Withdrawal { purpose: purpose()? },
        })
    }

    fn about(&self) -> Option<String> {
        match self {
            Self::Restriction { on } => Some(if *on { "on" } else { "off" }.to_owned()),
            Self::Objection { purpose } | Self::Withdrawal { purpose } => Some(purpose.clone()),
            _ => None,
        }
    }
}

/// A request to be.
#[derive(Debug)]
pub struct Filing {
    /// What is asked for.
    pub ask: Ask,
    /// How it came in.
    pub channel: Channel,
    /// Who files it: the person, their app, or staff for them.
    pub by: Actor,
    /// Whether it is known that the person themself asks: they are signed in, or opened a link sent to them. What is
    /// not known waits for [`Requests::identity_shown`].
    pub proved: bool,
    /// What they wrote, at most [`MOST_WORDS`] characters. Sealed in the vault.
    pub words: Option<Secret<String>>,
}

/// A way that a request can have come before it was filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A letter, which its writer confirmed.
    Letter,
    /// An agent, under a mandate that the person confirmed.
    Agent,
}

impl Way {
    /// What it is called in a request's history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Letter => "arrived",
            Self::Agent => "by-agent",
        }
    }
}

/// How a request came that reached us before it could be filed: its clocks count from then, but for an erasure's promise,
/// which counts with its time of grace from when it is known who asks.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Under which id it is filed, so that doing it once more files nothing more; any, without one.
    pub id: Option<RequestId>,
    /// When it reached us.
    pub at: Timestamp,
    /// Which way it came.
    pub way: Way,
    /// What is known of the way it came, in a line for its history: no name, no address.
    pub how: String,
    /// How it was shown that the person themself asks.
    pub proved: String,
}

/// A request that was filed.
#[derive(Debug, Clone)]
pub struct Filed {
    /// The request.
    pub request: Request,
    /// The same was asked before and is still open: this is that request, not a new one.
    pub again: bool,
}

impl Requests {
    /// Files a request: number, both clocks, ledger entry and history in one transaction; then does at once what can
    /// be done at once. What cannot is taken up by [`Requests::tick`]. `Ok` also when the first try failed: the request
    /// then says why, and when it is tried again.
    pub async fn file(&self, owner: &Owner, filing: Filing) -> Result<Filed, Error> {
        // Boxed, since it is large and lies within many others.
        Box::pin(self.filed(owner, filing, (None, None))).await
    }

    /// As [`Requests::file`] under an id that is given: what was filed under it before is found again, however far it has
    /// come since.
    pub async fn file_once(
        &self,
        owner: &Owner,
        filing: Filing,
        id: Option<RequestId>,
    ) -> Result<Filed, Error> {
        Box::pin(self.filed(owner, filing, (id, None))).await
    }

    /// Whether this could be filed now: what can be seen to be impossible before anything is written.
    pub fn may_be_filed(&self, tenant: &TenantId, ask: &Ask, words: &str) -> Result<(), Error> {
        let words = Some(words.trim()).filter(|w| !w.is_empty());
        let policy = self.vault.policy(tenant)?;
        check(&policy, ask, words)
    }

    /// As [`Requests::file`] for what reached us before: a letter that waited until its writer confirmed it. Both clocks
    /// count from its arrival.
    pub async fn file_arrived(
        &self,
        owner: &Owner,
        filing: Filing,
        arrived: &Arrived,
    ) -> Result<Filed, Error> {
        Box::pin(self.filed(owner, filing, (arrived.id, Some(arrived)))).await
    }

    async fn filed(
        &self,
        owner: &Owner,
        filing: Filing,
        (id, arrived): (Option<RequestId>, Option<&Arrived>),
    ) -> Result<Filed, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        check(&policy, &filing.ask, filing.words.as_ref().map(|w| w.expose().as_str()))?;
        let (right, about) = (filing.ask.right(), filing.ask.about());
        if let Some(id) = id
            && let Ok(known) = self.get(owner, id).await
        {
            return Ok(Filed { request: self.carry_out(known).await?, again: true });
        }
        let fresh = self.drawn_up(owner, &policy, &filing, (id, arrived))?;
        let sealed = self.sealed(owner, &filing, fresh.id).await?;
        let fresh = Request { detail: sealed.first().map(SealedRecord::id), ..fresh };
        let held = self.subjects.address_held(owner).await?;
        let role = filing.by.role().as_str();
        let entry = self.entry(EntryKind::REQUEST_FILED, owner, role, &fresh).await?;
        let entry = entry.fact("channel", fresh.channel.as_str());
        let mut tx = self.db.begin().await?;
        if self.vault.standing(&mut tx, owner).await?.erasing {
            return Err(Error::NotFound);
        }
        // A correction is never the same as the one before it.
        if right != Right::Rectification
            && let Some(open) = sql::request::open_alike(&mut tx, owner, right, about.as_deref()).await?
        {
            self.note(&mut tx, &open, (role, "asked-again"), None, None).await?;
            tx.commit().await?;
            // What waited to know who asks has its answer now.
            let request = if open.state == State::IdentityPending && filing.proved {
                Box::pin(self.identity_shown(owner, open.id)).await?
            } else {
                self.carry_out(open).await?
            };
            return Ok(Filed { request, again: true });
        }
        sql::request::insert(&mut tx, &fresh).await?;
        self.vault.insert(&mut tx, owner, &sealed).await?;
        let entry = self.ledger.append(&mut tx, entry).await?.id;
        self.note(&mut tx, &fresh, (role, "filed"), None, Some(entry)).await?;
        if let Some(Arrived { how, proved, way, .. }) = arrived {
            self.note(&mut tx, &fresh, ("service", way.as_str()), Some(how), None).await?;
            self.note(&mut tx, &fresh, ("subject", "identity-shown"), Some(proved), None).await?;
        }
        let begun = self.set_going(fresh.acknowledge()?, &policy, (&filing, held))?;
        let saved = self.save(&mut tx, begun).await?;
        self.note(&mut tx, &saved, ("service", "acknowledged"), None, None).await?;
        if matches!(saved.state, State::Grace | State::IdentityPending) {
            self.note(&mut tx, &saved, ("service", saved.state.as_str()), None, None).await?;
        }
        tx.commit().await?;
        Ok(Filed { request: self.carry_out(saved).await?, again: false })
    }

    fn drawn_up(
        &self,
        owner: &Owner,
        policy: &Policy,
        filing: &Filing,
        (id, arrived): (Option<RequestId>, Option<&Arrived>),
    ) -> Result<Request, Error> {
        let right = filing.ask.right();
        let received_at = arrived.map_or_else(|| self.clock.now(), |a| a.at);
        let due = clocks(policy, right, received_at)?;
        Ok(Request {
            id: id.unwrap_or_else(|| RequestId::new(&self.clock, &self.entropy)),
            reference: format!("PR-{}", self.entropy.reference()),
            tenant: owner.tenant.clone(),
            subject: Some(owner.subject),
            right,
            about: filing.ask.about(),
            state: State::Received,
            channel: filing.channel,
            detail: None,
            received_at,
            due,
            grace_until: None,
            extended_at: None,
            answered_at: None,
            closed_at: None,
            purge_at: None,
            outcome: None,
            receipt: None,
            archive: None,
            alarm: Alarm::Quiet,
            tries: 0,
            problem: None,
            next_at: None,
            proved_at: None,
            reopened_at: None,
            round: 0,
            before: None,
            revision: 0,
        })
    }

    /// What the person wrote, and the values they want corrected: sealed, so that a later try has them too.
    async fn sealed(
        &self,
        owner: &Owner,
        filing: &Filing,
        request: RequestId,
    ) -> Result<Vec<SealedRecord>, Error> {
        let mut value = Map::new();
        if let Some(words) = &filing.words {
            value.insert("words".to_owned(), json!(words.expose()));
        }
        if let Ask::Rectification(Some(profile)) = &filing.ask {
            let profile = serde_json::to_value(profile).map_err(|_| UNREADABLE)?;
            value.insert("correction".to_owned(), profile);
        }
        if value.is_empty() {
            return Ok(Vec::new());
        }
        let record = NewRecord {
            category: CATEGORY,
            name: FILING,
            value: Value::Object(value),
            parent: Some(request.to_string()),
            facts: Facts::new(),
        };
        Ok(self.vault.seal_records(owner, vec![record]).await?)
    }

    /// What comes after the acknowledgement. `held`: until when nothing is erased at once.
    fn set_going(
        &self,
        request: Request,
        policy: &Policy,
        (filing, held): (&Filing, Option<Timestamp>),
    ) -> Result<Request, Error> {
        let now = self.clock.now();
        if !filing.proved {
            return Ok(request.ask_identity(now.plus(TO_SHOW))?);
        }
        match filing.ask {
            Ask::Erasure { at_once } if held.is_some() || !at_once => {
                self.set_for_later(request, policy, held)
            }
            Ask::Rectification(None) => Ok(Request { next_at: None, ..request.start(now)? }),
            _ => Ok(request.start(now)?),
        }
    }

    /// An open request of a person for the same thing, if there is one: asking for it would change that one and file none.
    pub async fn open_alike(&self, owner: &Owner, ask: &Ask) -> Result<Option<Request>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::request::open_alike(&mut tx, owner, ask.right(), ask.about().as_deref()).await?)
    }

    /// Ends the grace of an erasure: it is done now; not while the owner's address is new.
    pub async fn waive(&self, owner: &Owner, id: RequestId) -> Result<Request, Error> {
        let request = self.get(owner, id).await?;
        let from = request.state;
        if from != State::Grace {
            return Err(super::BadStep { from, to: State::Working }.into());
        }
        self.subjects.may_take_out(owner).await?;
        let mut tx = self.db.begin().await?;
        let saved = self.save(&mut tx, request.start(self.clock.now())?).await?;
        self.note(&mut tx, &saved, ("subject", "waived"), None, None).await?;
        tx.commit().await?;
        self.carry_out(saved).await
    }

    /// Takes a request back. An erasure that has begun cannot be.
    pub async fn cancel(&self, owner: &Owner, id: RequestId, by: &Actor) -> Result<Request, Error> {
        let request = self.get(owner, id).await?;
        let purge_at = self.purge_at(&owner.tenant, request.received_at)?;
        let next = request.withdraw(self.clock.now(), purge_at)?;
        self.shut(owner, next, by, None).await
    }

    /// A person's requests, newest first.
    pub async fn list(
        &self,
        owner: &Owner,
        before: Option<&str>,
        size: PageSize,
    ) -> Result<Page<Request>, Error> {
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let mut tx = self.db.read().await?;
        let rows = sql::request::of(&mut tx, owner, before, most).await?;
        Ok(Page::cut(rows, size, |r| r.id.to_string()))
    }

    /// What happened to a request, in order.
    pub async fn timeline(&self, tenant: &TenantId, id: RequestId) -> Result<Vec<super::Event>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::request::events(&mut tx, tenant, id).await?)
    }

    /// What the person wrote, read by somebody whom the document lets.
    pub async fn words(&self, request: &Request, actor: &Actor) -> Result<Option<Secret<String>>, Error> {
        let owner = owner_of(request)?;
        let Some(detail) = request.detail else { return Ok(None) };
        let access = Access { actor, purpose: super::fulfil::PURPOSE };
        let record = self.vault.record(&owner, &access, detail).await?;
        let words = record.value.get("words").and_then(Value::as_str);
        Ok(words.map(|w| Secret::new(w.to_owned())))
    }
}

pub(super) const NOT_OFFERED: Error = Error::Invalid(key("the privacy policy does not name this right"));
pub(super) const UNREADABLE: Error = Error::Invalid(key("the values cannot be read"));

/// Refuses what can be seen to be impossible before anything is written.
fn check(policy: &Policy, ask: &Ask, words: Option<&str>) -> Result<(), Error> {
    if policy.right(ask.right()).is_none() {
        return Err(NOT_OFFERED);
    }
    if words.is_some_and(|w| w.chars().count() > MOST_WORDS) {
        return Err(Error::Invalid("what you wrote is longer than 4,000 characters"));
    }
    let purpose = |id: &str| policy.purpose(id).ok_or(Error::Invalid("the policy has no such purpose"));
    match ask {
        Ask::Objection { purpose: id } if !purpose(id)?.is_choice() => Err(Error::Invalid(
            "this purpose does not rest on an interest of ours, so it cannot be objected to",
        )),
        Ask::Withdrawal { purpose: id } if !purpose(id)?.is_choice() => {
            Err(Error::Invalid("this purpose does not rest on a consent, so there is none to take back"))
        }
        Ask::Rectification(None) if words.is_none() => Err(Error::Invalid("write what should be corrected")),
        _ => Ok(()),
    }
}
