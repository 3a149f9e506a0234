//! Letters that follow from the state of things: a request arrived, was set for a time, was answered; an account is
//! about to be let go. At most one of each.

use chrono::TimeDelta;

use super::sql::{self, Kind};
use super::{Error, Jobs};
use crate::base::{SubjectId, TenantId};
use crate::mail::letters::{GoingSoon, HoldPlaced, InactivityWarning, Letter, Letterhead, Written};
use crate::policy::{After, Role};
use crate::retention::Warning;
use crate::speech::{Case, Tongue};
use crate::vault::{Access, Actor, Owner};

/// What an address is read for to write about a duty of law, so a restriction does not stop it (Art. 18(2) GDPR): whoever
/// restricts everything still hears of what becomes of a request, and of a hold.
pub(super) const ANSWERING: &str = "rights";
/// Notes of letters are forgotten after this.
const KEPT: TimeDelta = TimeDelta::days(400);

impl Jobs {
    /// Sends the letters that are owed. Gives how many.
    pub(super) async fn letters(&self) -> Result<u64, Error> {
        let mut n = 0;
        for tenant in self.app.library.tenants() {
            for kind in Kind::ALL {
                n += self.to_addresses_before(&tenant, kind).await?;
                n += self.about_requests(&tenant, kind).await?;
            }
            n += self.app.intake.take_up_again(&tenant).await?;
            n += self.app.intake.ask_about_mandates(&tenant).await?;
            n += self.about_addresses(&tenant).await?;
            n += self.about_inactivity(&tenant).await?;
            n += self.about_holds(&tenant).await?;
        }
        self.forget_the_gone().await?;
        self.app.subjects.expire_moves().await?;
        for tenant in self.app.library.tenants() {
            n += self.last_letters(&tenant).await?;
            self.app.requests.end_letter_keys(&tenant).await?;
            self.app.subjects.end_move_keys(&tenant).await?;
        }
        let mut tx = self.app.db.begin().await?;
        sql::expire(&mut tx, self.app.clock.now().plus(-KEPT)).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Removes from an outbox the letters of people who are no longer here.
    async fn forget_the_gone(&self) -> Result<(), Error> {
        for name in self.app.post.kept_for() {
            let Ok(subject) = name.parse::<SubjectId>() else { continue };
            let mut known = false;
            for tenant in self.app.library.tenants() {
                known |= self.app.subjects.get(&Owner::new(&tenant, subject)).await.is_ok();
            }
            if !known && self.app.post.forget(&name).is_err() {
                tracing::warn!("letters of somebody who was erased could not be removed yet");
            }
        }
        Ok(())
    }

    /// The head of a letter to a person, in the language they last read our pages in.
    pub(super) async fn head_for(&self, owner: &Owner) -> Result<Letterhead, Error> {
        let tongue = self.app.subjects.get(owner).await.map(|s| s.tongue).unwrap_or_default();
        self.head(&owner.tenant, tongue)
    }

    pub(super) fn head(&self, tenant: &TenantId, tongue: Tongue) -> Result<Letterhead, Error> {
        let policy = self.app.vault.policy(tenant)?;
        let root = &self.app.config.server.public_url;
        Ok(Letterhead {
            brand: policy.controller().name.clone(),
            contact: policy.contact().privacy.clone(),
            privacy_link: format!("{root}/{tenant}/privacy"),
            development: self.app.config.server.development,
            tongue,
        })
    }

    async fn about_inactivity(&self, tenant: &TenantId) -> Result<u64, Error> {
        let mut n = 0;
        for warning in self.app.retention.warnings(tenant).await? {
            let owner = &warning.owner;
            let written = if warning.only.is_empty() {
                self.whole_account_goes(owner, &warning).await?
            } else {
                let goes = (warning.goes_at, warning.last);
                self.going(owner, &warning.rule, goes, true).await?
            };
            let id = format!("{}.{}.{}", owner.subject, warning.rule, warning.number);
            // Nothing is let go before its warnings were sent, so here the letter goes first.
            if self.send(owner, "account", &id, &written).await {
                self.app.retention.warned(&warning).await?;
                n += 1;
            }
        }
        Ok(n)
    }

    async fn whole_account_goes(&self, owner: &Owner, warning: &Warning) -> Result<Written, Error> {
        let subject = self.app.subjects.get(owner).await?;
        let images = self.app.vault.holdings(owner).await?.iter().map(|h| h.images).sum::<i64>();
        let letter = InactivityWarning {
            head: self.head_for(owner).await?,
            last_active: subject.last_active_at,
            goes: warning.goes_at,
            images: u64::try_from(images).unwrap_or(0),
            last_warning: warning.last,
            sign_in_link: format!("{}/{}/sign-in", self.app.config.server.public_url, owner.tenant),
        };
        letter.write().map_err(|_| Error::Payload)
    }

    /// Tells people of what a rule is going to take, where the rule promises to.
    pub(super) async fn warn_ahead(&self) -> Result<u64, Error> {
        let mut n = 0;
        for tenant in self.app.library.tenants() {
            for notice in self.app.retention.notices(&tenant).await? {
                let goes = (notice.goes_at, notice.last);
                let written = self.going(&notice.owner, &notice.rule, goes, false).await?;
                let id = format!(
                    "{}.{}.{}.{}",
                    notice.owner.subject,
                    notice.rule,
                    notice.number,
                    notice.goes_at.micros()
                );
                if self.send(&notice.owner, "account", &id, &written).await {
                    self.app.retention.noticed(&notice).await?;
                    n += 1;
                }
            }
        }
        Ok(n)
    }

    async fn going(
        &self,
        owner: &Owner,
        rule: &str,
        (goes, last_warning): (crate::base::Timestamp, bool),
        unless_back: bool,
    ) -> Result<Written, Error> {
        let policy = self.app.vault.policy(&owner.tenant)?;
        let rule = policy.retention(rule);
        let categories = rule.map_or(&[][..], |r| r.categories.as_slice());
        let titles = categories.iter().filter_map(|id| policy.category(id)).map(|c| c.title.clone());
        let head = self.head_for(owner).await?;
        let because = rule.and_then(|r| r.at_most.first()).map(|after| after_words(head.tongue, *after));
        let letter = GoingSoon {
            head,
            what: titles.collect(),
            goes,
            because: because.unwrap_or_default(),
            unless_back,
            last_warning,
            take_home_link: format!(
                "{}/{}/privacy/ask/access",
                self.app.config.server.public_url, owner.tenant
            ),
        };
        letter.write().map_err(|_| Error::Payload)
    }

    /// Tells people that a legal hold is on their data, once, where they may know.
    async fn about_holds(&self, tenant: &TenantId) -> Result<u64, Error> {
        let mut n = 0;
        for hold in self.app.retention.untold_holds(tenant).await? {
            let Some(subject) = hold.subject else { continue };
            // Noted before it is tried: one that does not go is left alone for a while, and fills no ledger.
            if !self.app.retention.try_to_tell(tenant, hold.id).await? {
                continue;
            }
            let owner = Owner::new(tenant, subject);
            let policy = self.app.vault.policy(tenant)?;
            let category = hold.category.as_deref().and_then(|id| policy.category(id));
            let head = self.head_for(&owner).await?;
            let everything = || head.say("everything we hold about you").to_owned();
            let letter = HoldPlaced {
                what: category.map_or_else(everything, |c| c.title.clone()),
                head,
                matter: hold.matter.clone(),
                reason: hold.reason.clone(),
                review: hold.review_at,
            };
            let written = letter.write().map_err(|_| Error::Payload)?;
            if self.send(&owner, ANSWERING, &format!("{}.hold", hold.id), &written).await {
                self.app.retention.hold_told(tenant, hold.id).await?;
                n += 1;
            }
        }
        Ok(n)
    }

    /// Sends a letter to a person's own address. A letter that does not go is logged without address or text.
    pub(super) async fn send(&self, owner: &Owner, purpose: &str, id: &str, letter: &Written) -> bool {
        let access = Access { actor: &Actor::Service, purpose };
        let profile = match self.app.subjects.profile(owner, &access).await {
            Ok(profile) => profile,
            Err(e) => {
                tracing::warn!(error = %e, role = Role::Service.as_str(), "a letter has no address");
                return false;
            }
        };
        match self.app.post.send(&profile.email, Some(&owner.subject.to_string()), id, letter).await {
            Ok(()) => true,
            Err(e) => {
                tracing::warn!(error = %e, "a letter was not taken");
                false
            }
        }
    }
}

/// A limit in words: `2 years after it was made`.
fn after_words(tongue: Tongue, after: After) -> String {
    let said = tongue.put("{period} after {fact}").with("period", tongue.period(after.period, Case::Plain));
    said.with("fact", tongue.tell(after.fact.in_words())).text()
}
