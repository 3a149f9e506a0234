//! The Data Rights Protocol 1.0: an authorised agent asks in somebody's name.
//!
//! Promises: a message counts only when it is signed by the agent whose token it came with, is for this business, is of
//! this hour, and was not taken before; an agent's word alone releases and erases nothing, the person says yes first,
//! signed in by a letter to the address on file; the answer is the same whether that address is known or not, and whether
//! its person says no or nothing; what a person asked for themself is theirs, and no agent sees or ends it; of one agent no
//! more is taken within an hour than people could want of it, from wherever it calls. Must never: keep an address that
//! nobody here has, tell an agent who somebody is, or hand an agent anybody's data.

mod agents;
mod callback;
mod error;
mod filing;
mod message;
mod model;
mod sql;

pub use agents::Agent;
pub use error::Error;
pub use message::{MOST_MESSAGE, VERSION};
pub use model::{Confirmation, Status, exercise_of};

use chrono::TimeDelta;

use crate::base::{Clock, Entropy, TenantId, Timestamp};
use crate::crypto::sha256;
use crate::egress::{Egress, Names, Recipient, Url};
use crate::requests::Requests;
use crate::store::{Db, Tx};
use crate::subjects::{Email, Subjects};
use message::{Asking, Revocation};
use model::{Asked, Verdict};

/// What the way out calls agents.
const RECIPIENT: &str = "agent";
/// How long the person has to say yes.
const TO_CONFIRM: TimeDelta = TimeDelta::days(30);
const HOUR: TimeDelta = TimeDelta::hours(1);
/// Most things that one agent may ask for within an hour. It is the agent that counts, not where it calls from, nor the
/// token that it holds just now.
pub const AN_HOUR: i64 = 60;
/// How long what an agent asked for is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(400);

/// Agents and what they ask. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drp {
    db: Db,
    subjects: Subjects,
    requests: Requests,
    egress: Egress,
    public_url: String,
    clock: Clock,
    entropy: Entropy,
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// Accounts.
    pub subjects: Subjects,
    /// Rights as workflows.
    pub requests: Requests,
    /// Where the addresses of names come from.
    pub names: Names,
    /// Whether this machine may be called back, over plain HTTP too.
    pub development: bool,
    /// What addresses of ours begin with.
    pub public_url: String,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Drp {
    /// Over its parts.
    pub fn new(parts: Parts) -> Result<Self, Error> {
        let Parts { db, subjects, requests, names, development, public_url, clock, entropy } = parts;
        let recipient = Recipient::named(RECIPIENT).anywhere();
        let recipient = if development { recipient.this_machine() } else { recipient };
        let egress = Egress::new(vec![recipient], &names, clock.clone()).map_err(|_| Error::Egress)?;
        let public_url = public_url.trim_end_matches('/').to_owned();
        Ok(Self { db, subjects, requests, egress, public_url, clock, entropy })
    }

    /// Takes what an agent asks in somebody's name, and says how it stands.
    pub async fn exercise(&self, agent: &Agent, body: &[u8]) -> Result<Status, Error> {
        let signed = message::open(body, &agent.key)?;
        let exercise: Asking = message::read(&signed.json)?;
        exercise.holds(agent, self.clock.now())?;
        let callback = exercise.status_callback.as_deref().map(Url::parse).transpose();
        let callback = callback.map_err(|_| Error::Malformed("status_callback"))?;
        let email = exercise.email.as_deref().map(str::parse::<Email>);
        let now = self.clock.now();
        let mut asked = Asked {
            id: model::request_id(&self.clock, &self.entropy),
            tenant: agent.tenant.clone(),
            agent: agent.id.clone(),
            agent_request_id: exercise.agent_request_id.clone(),
            exercise: exercise.exercise.clone(),
            subject: None,
            request: None,
            own: false,
            answer: None,
            verdict: None,
            received_at: now,
            expires_at: now.plus(TO_CONFIRM),
            callback: callback.map(|url| url.to_string()),
            told: String::new(),
            tries: 0,
        };
        asked.verdict = match (asked.ask(), &email) {
            // Nothing is sold here, so there is nothing to opt out of or into.
            (None, _) if matches!(exercise.exercise.as_str(), "sale:opt-out" | "sale:opt-in") => {
                Some(Verdict::NotCovered)
            }
            (None, _) => return Err(Error::Malformed("exercise")),
            // A right that the document does not name is told as such at once, and waits for nobody.
            (Some(ask), _) if self.requests.may_be_filed(&agent.tenant, &ask, "").is_err() => {
                Some(Verdict::NotCovered)
            }
            (_, None | Some(Err(_))) => Some(Verdict::NotEnough),
            _ => None,
        };
        // Looked up and written down alike, known or not; it is filed afterwards, so that no answer takes longer.
        if let (None, Some(Ok(email))) = (asked.verdict, email) {
            asked.subject = self.subjects.find(&agent.tenant, &email).await?.map(|owner| owner.subject);
        }
        let status = self.told(&asked).await?;
        let next = asked.callback.is_some().then_some(now);
        let mut tx = self.db.begin().await?;
        self.see(&mut tx, agent, &signed.digest(""), exercise.expires_at()?).await?;
        // A message that there is no room for is not taken: the same one can be sent again when there is.
        self.has_room(&mut tx, agent).await?;
        sql::forget(&mut tx, &agent.tenant, now.plus(-REMEMBERED)).await?;
        sql::insert(&mut tx, &Asked { told: status.word(), ..asked }, next).await?;
        tx.commit().await?;
        Ok(status)
    }

    /// Takes a message once.
    async fn once(&self, agent: &Agent, digest: &[u8], until: Timestamp) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        self.see(&mut tx, agent, digest, until).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn see(&self, tx: &mut Tx, agent: &Agent, digest: &[u8], until: Timestamp) -> Result<(), Error> {
        sql::expire(tx, self.clock.now()).await?;
        if sql::see(tx, &agent.tenant, digest, until).await? { Ok(()) } else { Err(Error::Replayed) }
    }

    /// Whether an agent may ask for one thing more just now.
    async fn has_room(&self, tx: &mut Tx, agent: &Agent) -> Result<(), Error> {
        let now = self.clock.now();
        // Counted and added in one turn, or many at once would each find that there is room for one more.
        tx.take_turn(&format!("drp/{}/{}", agent.tenant, agent.id)).await?;
        match sql::full_since(tx, agent, (now.plus(-HOUR), AN_HOUR)).await? {
            None => Ok(()),
            Some(first) => Err(Error::TooMany(first.plus(HOUR).since(now))),
        }
    }

    /// How something stands that this agent asked for.
    pub async fn status(&self, agent: &Agent, id: &str) -> Result<Status, Error> {
        let asked = self.of(agent, id).await?;
        self.told(&asked).await
    }

    async fn of(&self, agent: &Agent, id: &str) -> Result<Asked, Error> {
        if !model::is_request_id(id) {
            return Err(Error::NotYours);
        }
        let mut tx = self.db.read().await?;
        let found = sql::get(&mut tx, &agent.tenant, id).await?;
        found.filter(|asked| asked.agent == agent.id).ok_or(Error::NotYours)
    }

    /// Takes back what this agent asked for. Signed, and good for this one request: the protocol names none in what is
    /// signed.
    pub async fn revoke(&self, agent: &Agent, id: &str, body: &[u8]) -> Result<Status, Error> {
        let asked = self.of(agent, id).await?;
        let signed = message::open(body, &agent.key)?;
        let revocation: Revocation = message::read(&signed.json)?;
        revocation.holds(agent, self.clock.now())?;
        let status = self.told(&asked).await?;
        if status.is_final() {
            return Err(Error::Over);
        }
        self.once(agent, &signed.digest(id), asked.expires_at).await?;
        self.take_back(&asked).await?;
        let asked = Asked { verdict: Some(Verdict::Revoked), ..asked };
        let mut tx = self.db.begin().await?;
        sql::decide(&mut tx, &agent.tenant, id, Verdict::Revoked.as_str()).await?;
        tx.commit().await?;
        self.told(&asked).await
    }

    /// How something stands, in the protocol's words.
    async fn told(&self, asked: &Asked) -> Result<Status, Error> {
        let request = match asked.request {
            None => None,
            Some(id) => match self.requests.find(&asked.tenant, id).await {
                Ok(found) => Some(found),
                Err(crate::requests::Error::NotFound) => None,
                Err(e) => return Err(e.into()),
            },
        };
        let root = format!("{}/{}", self.public_url, asked.tenant);
        Ok(Status::of(asked, request.as_ref(), &root, self.clock.now()))
    }

    /// The base address that a directory names for a tenant.
    pub fn base(&self, tenant: &TenantId) -> String {
        format!("{}/drp/{tenant}", self.public_url)
    }
}

fn hash(token: &str) -> [u8; 32] {
    sha256(token.as_bytes())
}
