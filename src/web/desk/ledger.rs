//! The ledger, for staff: its entries, its signed head, and recomputing it whole.

use axum::http::Uri;
use chrono::TimeDelta;

use super::found::Found;
use super::seat::{Seat, Sent};
use super::shell::{Answer, day, desk, page, query, see_other};
use super::words;
use crate::base::{Page, PageSize, Timestamp};
use crate::edge::Fault;
use crate::ledger::{Checkpoint, EntryKind, Filter, Leaf, Logged, leaf_hash};
use crate::web::evidence::{WHOLE_LEDGER, ledger_check};
use crate::web::view::{Choice, Count, DeskLedger, LedgerRow, State};

/// Pages read for one page here, when a day lies far back.
const MOST_READS: usize = 50;
/// Kinds that the desk itself writes.
const OWN_KINDS: [&str; 3] = ["people.searched", "request.extended", "staff.hired"];

/// `GET /desk/ledger?kind=&from=&to=&after=`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let app = &seat.edge.app;
    let (head, check) = (app.ledger.checkpoint().await?, ledger_check(app, &seat.tenant).await?);
    let text = |name: &str| query(&uri, name).unwrap_or_default();
    let (from, to) = (text("from"), text("to"));
    let kind: Option<EntryKind> = query(&uri, "kind").and_then(|k| k.parse().ok());
    let entries = entries(&seat, kind.clone(), (day(&from), day(&to)), query(&uri, "after")).await?;
    let next_href = entries.next.as_ref().map(|after| next_href(&seat, kind.as_ref(), (&from, &to), after));
    page(&DeskLedger {
        size: Count(head.size()),
        unsigned: Count(app.ledger.pending().await?),
        root: head.root().to_string(),
        signed_at: signed_at(&seat, &head).await?,
        checkpoint: head.note().to_owned(),
        verified: check.as_ref().map_or(State::Waiting, |c| c.outcome.verdict.into()),
        finding: check.as_ref().map(|c| format!("{}.", c.outcome.figure)).unwrap_or_default(),
        verified_at: check.map(|c| c.at.into()),
        kinds: kinds(kind.as_ref()),
        rows: entries.items.iter().map(|entry| row(&seat, entry)).collect(),
        next_href,
        from,
        to,
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// `POST /desk/ledger/verify`: recomputes the whole ledger, and writes down how that ended.
pub(super) async fn verify(sent: Sent) -> Answer {
    let seat = sent.seat;
    let app = &seat.edge.app;
    app.audit.ask(&seat.tenant, WHOLE_LEDGER, seat.staff.staff.id).await?;
    app.ledger.sequence().await?;
    Ok(see_other(&seat, "/ledger", "verified"))
}

/// A page of entries between two days.
async fn entries(
    seat: &Seat,
    kind: Option<EntryKind>,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    after: Option<String>,
) -> Result<Page<Logged>, Fault> {
    let filter = Filter { kind, subject: None };
    let size = PageSize::default();
    let until = to.map(|day| day.plus(TimeDelta::days(1)));
    let wanted = |leaf: &Leaf| from.is_none_or(|f| leaf.at >= f) && until.is_none_or(|u| leaf.at < u);
    let mut items = Vec::new();
    let mut next = after;
    for _ in 0..MOST_READS {
        let found = seat.edge.app.ledger.list(&seat.tenant, &filter, size, next.as_deref()).await?;
        let over = found.items.last().is_none_or(|e| from.is_some_and(|f| e.leaf.at < f));
        items.extend(found.items.into_iter().filter(|entry| wanted(&entry.leaf)));
        next = if over { None } else { found.next };
        if next.is_none() || items.len() >= size.get() {
            break;
        }
    }
    Ok(Page { items, next })
}

/// When the newest signed tree was signed, as near as its last entry tells.
async fn signed_at(seat: &Seat, head: &Checkpoint) -> Result<Option<crate::web::view::Moment>, Fault> {
    let size = PageSize::new(1).unwrap_or_default();
    let after = head.size().to_string();
    let newest = seat.edge.app.ledger.tail(size, Some(&after)).await?;
    Ok(newest.items.first().map(|entry| entry.leaf.at.into()))
}

fn next_href(seat: &Seat, kind: Option<&EntryKind>, (from, to): (&str, &str), after: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let kind = kind.map_or("", EntryKind::as_str);
    let all = [("kind", kind), ("from", from), ("to", to), ("after", after)];
    for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    format!("{}/desk/ledger?{}", seat.root(), query.finish())
}

fn kinds(chosen: Option<&EntryKind>) -> Vec<Choice> {
    let mut all: Vec<&str> = EntryKind::KNOWN.iter().map(EntryKind::as_str).chain(OWN_KINDS).collect();
    all.sort_unstable();
    words::choices("All kinds", all.into_iter().map(|k| (k, k)), chosen.map_or("", EntryKind::as_str))
}

fn row(seat: &Seat, entry: &Logged) -> LedgerRow {
    LedgerRow {
        index: Count(entry.index),
        at: entry.leaf.at.into(),
        what: what(&entry.leaf),
        kind: entry.leaf.kind.to_string(),
        why: why(&entry.leaf),
        leaf: leaf_hash(&entry.bytes).to_string().chars().take(10).collect(),
        href: format!("{}/ledger/{}", seat.root(), entry.index),
    }
}

/// An entry's own facts, as it has them.
fn what(leaf: &Leaf) -> String {
    let facts: Vec<String> = leaf
        .facts
        .iter()
        .filter(|(name, _)| !["rule", "right", "purpose"].contains(&name.as_str()))
        .map(|(name, fact)| format!("{name} {fact}"))
        .collect();
    if facts.is_empty() {
        words::role(&leaf.actor)
    } else {
        format!("{}; {}", facts.join(", "), words::role(&leaf.actor))
    }
}

/// The rule, right or purpose that it was done for.
fn why(leaf: &Leaf) -> String {
    let fact = |name: &str| leaf.facts.get(name).map(|fact| format!("{name}.{fact}"));
    let rule = leaf.facts.get("rule").map(|fact| format!("retention.{fact}"));
    rule.or_else(|| fact("right")).or_else(|| fact("purpose")).unwrap_or_default()
}
