//! What the ledger says of one thing, found without reading all of it: ids carry the time of their birth.

use serde::Serialize;

use crate::app::App;
use crate::base::{PageSize, TenantId, Timestamp};
use crate::ledger::{EntryKind, Fact, Filter, Logged, SubjectRef};
use crate::vault::ItemId;

/// An entry may be this much younger or older than what it is about.
const SLACK: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// One thing that happened to it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Event {
    /// `stored`, `erased`, `erased with its person`.
    pub(super) what: &'static str,
    /// When.
    pub(super) at: Timestamp,
    /// The role of who did it.
    pub(super) actor: String,
    /// The retention rule, if one did it; else somebody asked for it.
    pub(super) rule: Option<String>,
    /// What it was, in the document's words.
    pub(super) category: Option<String>,
    /// Its number in the ledger.
    pub(super) index: u64,
    /// The entry's id.
    pub(super) entry: String,
    /// How to check that it stands in the ledger.
    pub(super) check: String,
}

impl Event {
    fn of(what: &'static str, entry: &Logged) -> Self {
        let text = |name: &str| entry.leaf.facts.get(name).map(ToString::to_string);
        let id = entry.leaf.id.to_string();
        Self {
            what,
            at: entry.leaf.at,
            actor: entry.leaf.actor.clone(),
            rule: text("rule"),
            category: text("category"),
            index: entry.index,
            check: format!("vouchsafe ledger receipt {id} --out receipt.json"),
            entry: id,
        }
    }
}

/// When a thing was made: the first 48 bits of its id are milliseconds (RFC 9562).
pub(super) fn born(id: ItemId) -> Timestamp {
    let bytes = match id {
        ItemId::Object(id) => *id.as_bytes(),
        ItemId::Record(id) => *id.as_bytes(),
    };
    let millis = bytes.iter().take(6).fold(0_i64, |all, byte| (all << 8) | i64::from(*byte));
    Timestamp::from_micros(millis.saturating_mul(1000))
}

/// What happened to a thing, the oldest first. `here`: it is still there, so nobody looks for its end.
pub(super) async fn events(
    app: &App,
    tenant: &TenantId,
    id: ItemId,
    here: bool,
) -> anyhow::Result<Vec<Event>> {
    let mut all = Vec::new();
    let mut whose = None;
    if let ItemId::Object(_) = id {
        let before = place_of(app, tenant, &EntryKind::OBJECT_STORED, born(id).plus(SLACK)).await?;
        if let Some(entry) = newest(app, tenant, EntryKind::OBJECT_STORED, id, before).await? {
            whose.clone_from(&entry.leaf.subject);
            all.push(Event::of("stored", &entry));
        }
    }
    if here {
        return Ok(all);
    }
    if let Some(entry) = newest(app, tenant, EntryKind::OBJECT_ERASED, id, None).await? {
        all.push(Event::of("erased", &entry));
    } else if let Some(subject) = whose {
        all.extend(with_its_person(app, tenant, subject).await?);
    }
    Ok(all)
}

/// The newest entry of a kind that names the thing; nothing older than the thing itself is read.
async fn newest(
    app: &App,
    tenant: &TenantId,
    kind: EntryKind,
    id: ItemId,
    mut before: Option<String>,
) -> anyhow::Result<Option<Logged>> {
    let (filter, name) = (Filter { kind: Some(kind), subject: None }, Fact::from(id.to_string()));
    let oldest = born(id).plus(-SLACK);
    loop {
        let size = PageSize::new(200).unwrap_or_default();
        let page = app.ledger.list(tenant, &filter, size, before.as_deref()).await?;
        let past = page.items.last().is_none_or(|entry| entry.leaf.at < oldest);
        let found = page.items.into_iter().find(|entry| entry.leaf.facts.get("object") == Some(&name));
        before = page.next;
        if found.is_some() || past || before.is_none() {
            return Ok(found);
        }
    }
}

/// A place in the ledger before which every entry of a kind is older than a moment, or hardly younger; found by halving.
async fn place_of(
    app: &App,
    tenant: &TenantId,
    kind: &EntryKind,
    moment: Timestamp,
) -> anyhow::Result<Option<String>> {
    let filter = Filter { kind: Some(kind.clone()), subject: None };
    let size = PageSize::new(1).unwrap_or_default();
    let (mut low, mut high) = (0, app.ledger.checkpoint().await?.size());
    while low < high {
        let middle = low + (high - low) / 2;
        let page = app.ledger.list(tenant, &filter, size, Some(&middle.to_string())).await?;
        if page.items.first().is_some_and(|entry| entry.leaf.at > moment) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Some(low.to_string()))
}

/// The erasure of the person whose the thing was.
async fn with_its_person(app: &App, tenant: &TenantId, subject: SubjectRef) -> anyhow::Result<Option<Event>> {
    for kind in [EntryKind::ERASURE_COMPLETED, EntryKind::ERASURE_REQUESTED] {
        let filter = Filter { kind: Some(kind), subject: Some(subject.clone()) };
        let page = app.ledger.list(tenant, &filter, PageSize::new(1).unwrap_or_default(), None).await?;
        if let Some(entry) = page.items.first() {
            return Ok(Some(Event::of("erased with everything of its person", entry)));
        }
    }
    Ok(None)
}
