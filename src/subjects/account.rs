use serde::{Deserialize, Serialize};

use super::address::ADDRESS_HOLD;
use super::{Email, Error, Subject, Subjects, sql};
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::crypto::Fingerprint;
use crate::ledger::{Entry, EntryKind};
use crate::policy::Facts;
use crate::speech::{Tongue, key};
use crate::store::Tx;
use crate::vault::{Access, Actor, NewRecord, Owner};
use chrono::TimeDelta;

/// The category and name under which a profile lies in the vault.
pub(super) const CATEGORY: &str = "account";
pub(super) const NAME: &str = "profile";

/// What a person tells us about themself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Their address.
    pub email: String,
    /// Their name, as they wrote it.
    pub name: String,
    /// What they are called in the app.
    pub username: String,
}

impl Profile {
    /// As it lies in the vault.
    pub(super) fn value(&self) -> Result<serde_json::Value, Error> {
        serde_json::to_value(self).map_err(|_| damaged("profile"))
    }
}

/// What lies in a person's record is not what was written.
pub(super) fn damaged(column: &'static str) -> Error {
    crate::store::Error::inconsistent("record", column).into()
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// An account to be.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Their address.
    pub email: Email,
    /// Their name.
    pub name: String,
    /// What they are called in the app.
    pub username: String,
}

/// Trims a name and refuses what no name is: nothing, more than 120 characters, control or direction marks.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let why = if text.is_empty() {
        key("must not be empty")
    } else if text.chars().count() > 120 {
        key("is longer than 120 characters")
    } else if text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    {
        key("has control characters in it")
    } else {
        return Ok(text.to_owned());
    };
    Err(Error::BadName { field, why })
}

/// What is written down together with an account, or not at all.
#[derive(Debug, Clone, Copy)]
pub(super) enum With<'a> {
    Nothing,
    /// Whom an app's identity provider knows: the issuer, and their name there.
    Login(&'a str, &'a str),
    /// The hash of the link for which it is opened.
    Link(&'a [u8]),
}

impl NewAccount {
    /// Whether it could be opened, as far as that can be seen without looking who has one.
    pub fn sound(&self) -> Result<(), Error> {
        name("name", &self.name)?;
        name("username", &self.username)?;
        Ok(())
    }
}

async fn insert_login(tx: &mut Tx, owner: &Owner, issuer: &str, index: &[u8]) -> Result<(), Error> {
    sql::insert_login(tx, owner, issuer, index).await.map_err(|e| match e {
        crate::store::Error::Duplicate => Error::Taken,
        other => other.into(),
    })
}

impl Subjects {
    /// Opens an account. [`Error::Taken`] when the address has one; the caller must not show that to a stranger.
    pub async fn open(&self, tenant: &TenantId, new: NewAccount) -> Result<Owner, Error> {
        self.open_with(tenant, new, With::Nothing).await
    }

    /// The same for somebody whom an app's identity provider, the `issuer`, knows under a name: account and login, or
    /// neither.
    pub async fn open_for(
        &self,
        tenant: &TenantId,
        new: NewAccount,
        (issuer, name): (&str, &str),
    ) -> Result<Owner, Error> {
        self.open_with(tenant, new, With::Login(issuer, name)).await
    }

    pub(super) async fn open_with(
        &self,
        tenant: &TenantId,
        new: NewAccount,
        with: With<'_>,
    ) -> Result<Owner, Error> {
        let profile = Profile {
            email: new.email.expose().to_owned(),
            name: name("name", &new.name)?,
            username: name("username", &new.username)?,
        };
        let index = self.vault.blind_index(tenant, "email", new.email.expose()).await?;
        if self.find(tenant, &new.email).await?.is_some() {
            return Err(Error::Taken);
        }
        let policy = self.vault.policy(tenant)?;
        let owner = Owner::new(tenant, SubjectId::new(&self.clock, &self.entropy));
        if self.is_kept_for_another(&owner, &index).await? {
            return Err(Error::Taken);
        }
        let fingerprint = self.vault.enrol(&owner).await?;
        let begun = (policy.version(), fingerprint);
        let opened = self.write_account(&owner, &index, begun, profile, with).await;
        if opened.is_err() {
            // Nobody was opened, so nobody's keys may stay.
            self.vault.destroy_key(&owner).await?;
            self.vault.destroy_proof_key(&owner).await?;
        }
        opened.map(|()| owner)
    }

    async fn write_account(
        &self,
        owner: &Owner,
        index: &[u8],
        (version, fingerprint): (&str, Fingerprint),
        profile: Profile,
        with: With<'_>,
    ) -> Result<(), Error> {
        let tenant = &owner.tenant;
        let login = match with {
            With::Login(issuer, name) => Some((issuer, self.login_index(tenant, issuer, name).await?)),
            With::Nothing | With::Link(_) => None,
        };
        let value = profile.value()?;
        let record = NewRecord { category: CATEGORY, name: NAME, value, parent: None, facts: Facts::new() };
        let sealed = self.vault.seal_records(owner, vec![record]).await?;
        let now = self.clock.now();
        let entry = Entry::new(EntryKind::SUBJECT_CREATED, now, tenant, "subject")
            .about(self.vault.subject_ref(owner).await?)
            .fact("key", fingerprint.to_string().as_str())
            .fact("version", version);
        let mut tx = self.db.begin().await?;
        sql::insert_subject(&mut tx, owner, Some(index), version, now).await.map_err(|e| match e {
            crate::store::Error::Duplicate => Error::Taken,
            other => other.into(),
        })?;
        if let With::Link(hash) = with {
            sql::asked::opened(&mut tx, tenant, hash).await?;
        }
        self.vault.insert(&mut tx, owner, &sealed).await?;
        if let Some((issuer, index)) = login {
            insert_login(&mut tx, owner, issuer, &index).await?;
        }
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn login_index(&self, tenant: &TenantId, issuer: &str, login: &str) -> Result<Vec<u8>, Error> {
        Ok(self.vault.blind_index(tenant, "login", &format!("{issuer}\0{login}")).await?)
    }

    /// Whose address this is.
    pub async fn find(&self, tenant: &TenantId, email: &Email) -> Result<Option<Owner>, Error> {
        let index = self.vault.blind_index(tenant, "email", email.expose()).await?;
        let mut tx = self.db.read().await?;
        let found = sql::subject_by_email(&mut tx, tenant, &index).await?;
        Ok(found.map(|id| Owner::new(tenant, id)))
    }

    /// Whose address this is, if their account was opened at this time or later and is to stay.
    pub async fn opened_since(
        &self,
        tenant: &TenantId,
        email: &Email,
        since: Timestamp,
    ) -> Result<Option<Owner>, Error> {
        let Some(owner) = self.find(tenant, email).await? else { return Ok(None) };
        let subject = self.get(&owner).await?;
        Ok((subject.created_at >= since && !subject.erasing).then_some(owner))
    }

    /// Notes that an app's identity provider knows a person under this name.
    pub async fn add_login(&self, owner: &Owner, issuer: &str, login: &str) -> Result<(), Error> {
        let index = self.login_index(&owner.tenant, issuer, login).await?;
        let mut tx = self.db.begin().await?;
        insert_login(&mut tx, owner, issuer, &index).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whom an app's identity provider means.
    pub async fn by_login(
        &self,
        tenant: &TenantId,
        issuer: &str,
        login: &str,
    ) -> Result<Option<Owner>, Error> {
        let index = self.login_index(tenant, issuer, login).await?;
        let mut tx = self.db.read().await?;
        let found = sql::by_login(&mut tx, tenant, issuer, &index).await?;
        Ok(found.map(|id| Owner::new(tenant, id)))
    }

    /// A person of a tenant.
    pub async fn get(&self, owner: &Owner) -> Result<Subject, Error> {
        let mut tx = self.db.read().await?;
        sql::subject(&mut tx, owner).await?.ok_or(Error::NotFound)
    }

    /// What they told us, read for a purpose.
    pub async fn profile(&self, owner: &Owner, access: &Access<'_>) -> Result<Profile, Error> {
        let record = self.vault.record_named(owner, access, CATEGORY, NAME).await?.ok_or(Error::NotFound)?;
        serde_json::from_value(record.value).map_err(|_| damaged("profile"))
    }

    /// Until when nothing of a person's leaves and nothing is erased at once, because the address by which they sign in
    /// was changed: whoever got at a session could otherwise take all of it to another mailbox.
    pub async fn address_held(&self, owner: &Owner) -> Result<Option<Timestamp>, Error> {
        let found = {
            let mut tx = self.db.read().await?;
            sql::subject(&mut tx, owner).await?
        };
        let now = self.clock.now();
        Ok(found
            .and_then(|subject| subject.address_changed_at)
            .map(|at| at.plus(ADDRESS_HOLD))
            .filter(|until| *until > now))
    }

    /// [`Error::AddressHeld`] while it is so.
    pub async fn may_take_out(&self, owner: &Owner) -> Result<(), Error> {
        self.address_held(owner).await?.map_or(Ok(()), |until| Err(Error::AddressHeld(until)))
    }

    /// Notes that a person used the service. Writes at most once an hour for each.
    pub async fn touch(&self, owner: &Owner) -> Result<(), Error> {
        let now = self.clock.now();
        let hour = now.plus(TimeDelta::hours(-1));
        // Looked at first: writers wait for each other, and hardly any call has something to write.
        if self.get(owner).await?.last_active_at >= hour {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        sql::touch(&mut tx, owner, now, hour).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes the language in which a person reads our pages, for the letters to them. Writes only when it is another one.
    pub async fn reads_in(&self, owner: &Owner, tongue: Tongue) -> Result<(), Error> {
        if self.get(owner).await?.tongue == tongue {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        sql::set_locale(&mut tx, owner, tongue.tag()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Closes an account: nothing new is taken in, every session ends, and what the document ties to the closing has its
    /// clock started. The account itself goes when its own rule says so. Again is harmless.
    pub async fn close(&self, owner: &Owner, by: &Actor) -> Result<Timestamp, Error> {
        let now = self.clock.now();
        let entry = Entry::new(EntryKind::SUBJECT_CLOSED, now, &owner.tenant, by.role().as_str())
            .about(self.vault.subject_ref(owner).await?);
        let mut tx = self.db.begin().await?;
        let first = sql::close(&mut tx, owner, now).await?;
        if first {
            sql::end_sessions(&mut tx, owner).await?;
            self.ledger.append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        let at = self.get(owner).await?.closed_at.ok_or(Error::NotFound)?;
        // What a stop leaves out here is taken up by the next pass over the closed accounts.
        self.vault.account_closed(owner, at).await?;
        Ok(at)
    }

    /// The closed accounts of a tenant that are still here, and since when they are closed.
    pub async fn closed(&self, tenant: &TenantId) -> Result<Vec<(Owner, Timestamp)>, Error> {
        let mut tx = self.db.read().await?;
        let found = sql::closed(&mut tx, tenant).await?;
        Ok(found.into_iter().map(|(id, at)| (Owner::new(tenant, id), at)).collect())
    }

    /// Restricts the processing of a person's data, or frees it (Art. 18 GDPR). Counts from the same second.
    pub async fn restrict(&self, owner: &Owner, on: bool, by: &Actor) -> Result<(), Error> {
        let now = self.clock.now();
        let entry = Entry::new(EntryKind::RESTRICTION_SET, now, &owner.tenant, by.role().as_str())
            .about(self.vault.subject_ref(owner).await?)
            .fact("on", on);
        let mut tx = self.db.begin().await?;
        if !sql::set_restricted(&mut tx, owner, on.then_some(now)).await? {
            return Err(Error::NotFound);
        }
        self.ledger.append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}
