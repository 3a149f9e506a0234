//! The entries that a restored database lacks, each done again in the order of the ledger.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Error;
use super::again::Done;
use super::entries::{Asked, Standing, asked};
use crate::app::App;
use crate::base::Timestamp;
use crate::crypto::Fingerprint;
use crate::keystore;
use crate::ledger::{Entry, EntryKind, Leaf, Logged, SubjectRef};
use crate::retention::HeldAgain;
use crate::vault::{self, Owner};

/// People of the restored database whom the missing entries speak of.
pub(super) type People = HashMap<SubjectRef, Owner>;

/// Finds out of whom the missing entries speak: an entry names nobody, but whoever has a person's key can tell whether
/// it is them. A person whose key is gone is found by their fence instead.
pub(super) async fn people(app: &App, missing: &[Logged]) -> Result<People, Error> {
    let wanted: HashSet<&SubjectRef> = missing.iter().filter_map(|e| e.leaf.subject.as_ref()).collect();
    let mut found = People::new();
    let mut last: Option<Owner> = None;
    while !wanted.is_empty() {
        let page = app.subjects.people(last.as_ref()).await?;
        let Some(end) = page.last() else { break };
        last = Some(end.clone());
        for owner in page {
            match app.vault.subject_ref(&owner).await {
                Ok(about) if wanted.contains(&about) => {
                    found.insert(about, owner);
                }
                Ok(_) | Err(vault::Error::NotFound) => {}
                // Nobody can tell any more whether it is them; that must not keep the service shut for all others.
                Err(vault::Error::Keys(keystore::Error::Damaged)) if app.keys.opens_all_epochs().await? => {
                    tracing::error!(
                        "a key does not open: what the ledger says of its person is not done again"
                    );
                }
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(found)
}

/// Does again what the missing entries record, but for people's erasures, which are told apart by their keys.
pub(super) async fn replay(
    app: &App,
    missing: &[Logged],
    people: &People,
    done: &mut Done,
) -> Result<(), Error> {
    let (mut filed, mut stored) = (BTreeSet::new(), BTreeSet::new());
    // A backup that was taken while entries waited has done what they record.
    let waiting = app.ledger.waiting().await?;
    for Logged { leaf, .. } in missing.iter().filter(|entry| !waiting.contains(&entry.leaf.id)) {
        let Some(standing) = Standing::of(leaf) else { continue };
        match asked(leaf) {
            Asked::Filed(id) => {
                filed.insert(id);
            }
            Asked::Closed(id) => {
                filed.remove(&id);
            }
            Asked::Came => done.lost_people += 1,
            Asked::Stored(id) => {
                stored.insert(id);
            }
            other => {
                if let Asked::Erased { id, .. } = &other {
                    stored.remove(id);
                }
                one(app, &standing, other, people, done).await?;
            }
        }
    }
    done.lost_items = stored.len() as u64;
    done.requests = filed.len() as u64;
    for id in &filed {
        tracing::warn!(request = id, "filed since the backup and lost with the database: take it up by hand");
    }
    Ok(())
}

async fn one(
    app: &App,
    standing: &Standing<'_>,
    asked: Asked,
    people: &People,
    done: &mut Done,
) -> Result<(), Error> {
    let (tenant, at) = (standing.tenant, standing.at);
    let owner = standing.about.and_then(|about| people.get(about));
    match asked {
        Asked::Erased { id, .. } => {
            let again = app.vault.erase_again(tenant, &[&id]).await?;
            done.images += again.images;
            done.records += again.records;
        }
        Asked::Said(heard) => {
            if let Some(owner) = owner {
                done.consents += u64::from(app.consents.put_back(owner, &heard).await?);
            }
        }
        Asked::Restricted(on) => {
            if let Some(owner) = owner {
                done.restrictions += u64::from(app.subjects.restrict_again(owner, on, at).await?);
            }
        }
        Asked::Corrected { record, key } => corrected(app, standing, &record, key, done).await?,
        Asked::Revoked(id) => {
            done.revoked += u64::from(app.subjects.revoke_again(tenant, &id, at).await?);
        }
        Asked::Role(staff, role) => {
            done.roles += u64::from(app.subjects.role_again(tenant, staff, role, at).await?);
        }
        Asked::FactorReset(staff) => {
            done.factors += u64::from(app.subjects.reset_factor_again(tenant, staff, at).await?);
        }
        // A hold over somebody who is not here any more holds nothing.
        Asked::Held { hold, category, on } if standing.about.is_none() || owner.is_some() || !on => {
            let subject = owner.map(|o| o.subject);
            let again = HeldAgain { hold, subject, category, on, at };
            done.holds += u64::from(app.retention.hold_again(tenant, &again).await?);
        }
        Asked::Published { version, sha256 } => {
            let what = (tenant, version.as_str(), sha256.as_str());
            done.published += u64::from(app.published_again(what, at, standing.id).await?);
        }
        _ => {}
    }
    Ok(())
}

/// The corrected value is lost with the database. The old one goes where its key is gone; where a keystore from a backup
/// still opens it, it is what there is, and counted, for somebody must ask the person again.
async fn corrected(
    app: &App,
    standing: &Standing<'_>,
    record: &str,
    key: Fingerprint,
    done: &mut Done,
) -> Result<(), Error> {
    if !app.vault.is_under(standing.tenant, record, key).await? {
        return Ok(());
    }
    done.corrections += 1;
    if app.keys.alive_among(&[key]).await? == 0 {
        app.vault.erase_again(standing.tenant, &[record]).await?;
    }
    Ok(())
}

/// Says of an erasure that had begun when the database was lost that it is completed: it is.
pub(super) fn completed(leaf: Leaf, now: Timestamp) -> Option<Entry> {
    let mut entry = Entry::new(EntryKind::ERASURE_COMPLETED, now, leaf.tenant.as_ref()?, "service");
    for name in ["key", "request"] {
        if let Some(fact) = leaf.facts.get(name) {
            entry = entry.fact(name, fact.clone());
        }
    }
    Some(match leaf.subject {
        Some(about) => entry.about(about),
        None => entry,
    })
}
