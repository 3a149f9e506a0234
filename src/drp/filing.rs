//! From what an agent asked to a rights request: filed for its person to confirm, confirmed or declined by them, taken back
//! by the agent. What a person has open for the same thing is left as it is until they say yes to the agent.

use super::model::{Asked, Confirmation, Said, is_request_id};
use super::{Drp, Error, sql};
use crate::base::{RequestId, Secret};
use crate::policy::{Channel, Right};
use crate::requests::{self, Filing, Request, State};
use crate::vault::{Actor, Owner};

/// How many are read at a time.
const A_PAGE: i64 = 200;

impl Drp {
    /// Files what agents asked for since. Gives how many.
    pub(super) async fn file_all(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<u64, Error> {
        let (mut n, mut after) = (0, String::new());
        loop {
            // All of them, however many of the oldest cannot be filed: no tenant's may keep another's.
            let page = {
                let mut tx = self.db.read().await?;
                sql::unfiled(&mut tx, self.clock.now(), &after, A_PAGE).await?
            };
            let Some(last) = page.last() else { return Ok(n) };
            after.clone_from(&last.id);
            for asked in page {
                if stop() {
                    return Ok(n);
                }
                match self.file(&asked).await {
                    Ok(_) => n += 1,
                    // One that cannot be filed must not keep the others.
                    Err(e) => tracing::warn!(error = %e, "what an agent asks could not be filed yet"),
                }
            }
        }
    }

    /// Files what is asked, for the person to confirm. Gives it as it then stands.
    async fn file(&self, asked: &Asked) -> Result<Asked, Error> {
        let (Some(subject), None, None, Some(ask)) =
            (asked.subject, asked.request, asked.verdict, asked.ask())
        else {
            return Ok(asked.clone());
        };
        let owner = Owner::new(&asked.tenant, subject);
        let (request, own) = if let Some(open) = self.requests.open_alike(&owner, &ask).await? {
            (open.id, false)
        } else {
            let words = self.words(asked).await?;
            let (by, channel) = (Actor::App(subject), Channel::Api);
            let filing = Filing { ask, channel, by, proved: false, words };
            let filed = self.requests.file(&owner, filing).await?;
            (filed.request.id, !filed.again)
        };
        let mut tx = self.db.begin().await?;
        sql::filed(&mut tx, asked, (request, own)).await?;
        tx.commit().await?;
        let mut tx = self.db.read().await?;
        sql::get(&mut tx, &asked.tenant, &asked.id).await?.ok_or(Error::NotFound)
    }

    async fn words(&self, asked: &Asked) -> Result<Option<Secret<String>>, Error> {
        let agent = self.agent(&asked.tenant, &asked.agent).await?;
        Ok(Some(Secret::new(format!("Asked for by the agent {} ({}).", agent.name, agent.id))))
    }

    /// What a person is asked to confirm. [`Error::NotFound`] for whatever is not theirs.
    pub async fn to_confirm(&self, owner: &Owner, id: &str) -> Result<Confirmation, Error> {
        let (asked, request) = self.of_person(owner, id).await?;
        let agent = self.agent(&owner.tenant, &asked.agent).await?;
        let open = self.clock.now() < asked.expires_at && asked.verdict.is_none() && asked.answer.is_none();
        Ok(Confirmation {
            erases: request.right == Right::Erasure,
            waits: open && (!asked.own || request.state.is_open()),
            agent: agent.name,
            site: agent.site,
            until: asked.expires_at,
            reference: request.reference,
        })
    }

    async fn of_person(&self, owner: &Owner, id: &str) -> Result<(Asked, Request), Error> {
        if !is_request_id(id) {
            return Err(Error::NotFound);
        }
        let asked = {
            let mut tx = self.db.read().await?;
            sql::get(&mut tx, &owner.tenant, id).await?.ok_or(Error::NotFound)?
        };
        if asked.subject != Some(owner.subject) {
            return Err(Error::NotFound);
        }
        // They may be here before the next round.
        let asked = self.file(&asked).await?;
        let request = self.requests.get(owner, asked.request.ok_or(Error::NotFound)?).await?;
        Ok((asked, request))
    }

    /// The person says yes, having shown who they are: what was asked is theirs from here on. Gives its number.
    pub async fn confirmed(&self, owner: &Owner, id: &str) -> Result<String, Error> {
        let (asked, request) = self.of_person(owner, id).await?;
        let confirmed = if request.state == State::IdentityPending {
            Box::pin(self.requests.identity_shown(owner, request.id)).await?
        } else {
            // One that they have open already is the same; else theirs is filed now.
            let ask = asked.ask().ok_or(Error::NotFound)?;
            let (by, channel) = (Actor::Subject(owner.subject), Channel::Api);
            let words = self.words(&asked).await?;
            self.requests.file(owner, Filing { ask, channel, by, proved: true, words }).await?.request
        };
        let own = confirmed.id == request.id && asked.own;
        let mut tx = self.db.begin().await?;
        sql::answer(&mut tx, &asked, Said::Yes, (Some(confirmed.id), own)).await?;
        tx.commit().await?;
        Ok(confirmed.reference)
    }

    /// The person confirmed a request on its own page: if it is there because an agent asked, that was a yes to the agent.
    pub async fn confirmed_on_its_page(&self, owner: &Owner, request: RequestId) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        sql::answer_own(&mut tx, owner, request, Said::Yes).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The person says no. The agent's own request ends; one of the person's own goes its way. The agent is not told.
    pub async fn declined(&self, owner: &Owner, id: &str) -> Result<(), Error> {
        let (asked, request) = self.of_person(owner, id).await?;
        let mut tx = self.db.begin().await?;
        let first = sql::answer(&mut tx, &asked, Said::No, (asked.request, asked.own)).await?;
        tx.commit().await?;
        if first && asked.own && request.state == State::IdentityPending {
            self.requests.cancel(owner, request.id, &Actor::Subject(owner.subject)).await?;
        }
        Ok(())
    }

    /// Ends the request that is there because an agent asked, when that agent takes it back: not when the person has asked
    /// for the same since, and not one that was theirs before.
    pub(super) async fn take_back(&self, asked: &Asked) -> Result<(), Error> {
        let Some(id) = asked.request.filter(|_| asked.own) else { return Ok(()) };
        let request = match self.requests.find(&asked.tenant, id).await {
            Ok(found) => found,
            Err(requests::Error::NotFound) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let Some(owner) = request.subject.map(|subject| Owner::new(&asked.tenant, subject)) else {
            return Ok(());
        };
        let waits = request.state == State::IdentityPending;
        let theirs = asked.answer == Some(Said::Yes);
        let events = self.requests.timeline(&asked.tenant, id).await?;
        let shared = events.iter().any(|event| event.kind == "asked-again");
        if shared || !(waits || theirs) {
            return Ok(());
        }
        self.requests.cancel(&owner, id, &Actor::App(owner.subject)).await?;
        Ok(())
    }

    /// Ends what waits for a person's word because of an agent that is no more.
    pub(super) async fn end_undecided(&self, asked: &[Asked]) -> Result<(), Error> {
        for one in asked.iter().filter(|asked| asked.own) {
            let (Some(subject), Some(request)) = (one.subject, one.request) else { continue };
            match self.requests.agent_removed(&Owner::new(&one.tenant, subject), request).await {
                Ok(()) | Err(requests::Error::NotFound) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }
}
