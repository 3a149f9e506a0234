//! Who read what, and who was refused: the reads by staff and every refusal, from the ledger.

use axum::http::{HeaderValue, Uri, header};
use axum::response::IntoResponse as _;
use chrono::TimeDelta;

use super::found::Found;
use super::seat::Seat;
use super::shell::{Answer, day, desk, page, query};
use super::words;
use crate::archive::table_csv;
use crate::base::{PageSize, Timestamp};
use crate::edge::Fault;
use crate::ledger::{EntryKind, Filter, Logged};
use crate::web::view::{AccessReview, Count, ReadRow};

/// Rows of a page; more are in the CSV.
const SHOWN: usize = 200;
/// Most entries of each kind that are read for a page or a file.
const MOST: usize = 100_000;
/// The columns of the CSV.
const COLUMNS: [&str; 9] =
    ["entry", "time", "outcome", "role", "staff", "subject", "category", "purpose", "reason"];

/// What the list is narrowed to.
#[derive(Debug, Clone, Default)]
struct Narrow {
    role: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    refused: bool,
    from_text: String,
    to_text: String,
}

impl Narrow {
    fn of(uri: &Uri) -> Self {
        let text = |name: &str| query(uri, name).unwrap_or_default();
        let (from_text, to_text) = (text("from"), text("to"));
        Self {
            role: text("role"),
            from: day(&from_text),
            until: day(&to_text).map(|d| d.plus(TimeDelta::days(1))),
            refused: text("refused") == "yes",
            from_text,
            to_text,
        }
    }

    fn takes(&self, entry: &Logged) -> bool {
        let at = entry.leaf.at;
        (self.role.is_empty() || entry.leaf.actor == self.role)
            && self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
    }

    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let refused = if self.refused { "yes" } else { "" };
        let all =
            [("role", &*self.role), ("from", &*self.from_text), ("to", &*self.to_text), ("refused", refused)];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        query.finish()
    }
}

/// `GET /desk/reads?role=&from=&to=&refused=`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let narrow = Narrow::of(&uri);
    let reads = reads(&seat, &narrow).await?;
    let roles = ["support", "compliance", "admin", "app", "service", "subject"].map(|r| (r, r));
    page(&AccessReview {
        roles: words::choices("All roles", roles, &narrow.role),
        from: narrow.from_text.clone(),
        to: narrow.to_text.clone(),
        refused_only: narrow.refused,
        count: Count(reads.len() as u64),
        refused: Count(reads.iter().filter(|r| refused(r)).count() as u64),
        rows: reads.iter().take(SHOWN).map(|r| row(&seat, r)).collect(),
        csv_href: format!("{}/desk/reads.csv?{}", seat.root(), narrow.query()),
        next_href: None,
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// `GET /desk/reads.csv`: the whole list under the same filter, harmless to spreadsheets.
pub(super) async fn csv(seat: Seat, uri: Uri) -> Answer {
    let reads = reads(&seat, &Narrow::of(&uri)).await?;
    let table = table_csv(&COLUMNS, reads.iter().map(cells));
    let name = format!("attachment; filename=\"access-review-{}.csv\"", seat.tenant);
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], table).into_response())
}

/// Reads and refusals under a filter, newest first.
async fn reads(seat: &Seat, narrow: &Narrow) -> Result<Vec<Logged>, Fault> {
    let mut all = of_kind(seat, EntryKind::READ_REFUSED, narrow).await?;
    if !narrow.refused {
        all.extend(of_kind(seat, EntryKind::READ_STAFF, narrow).await?);
    }
    all.sort_by_key(|entry| std::cmp::Reverse(entry.index));
    Ok(all)
}

async fn of_kind(seat: &Seat, kind: EntryKind, narrow: &Narrow) -> Result<Vec<Logged>, Fault> {
    let filter = Filter { kind: Some(kind), subject: None };
    let size = PageSize::new(200).unwrap_or_default();
    let mut rows: Vec<Logged> = Vec::new();
    let mut after = None;
    loop {
        let found = seat.edge.app.ledger.list(&seat.tenant, &filter, size, after.as_deref()).await?;
        // Entries stand in the order of their transactions, so a day's slack covers those that came a little late.
        let past = |e: &Logged| narrow.from.is_some_and(|from| e.leaf.at < from.plus(-TimeDelta::days(1)));
        let over = found.items.last().is_none_or(past);
        rows.extend(found.items.into_iter().filter(|entry| narrow.takes(entry)));
        after = found.next;
        if over || after.is_none() || rows.len() >= MOST {
            return Ok(rows);
        }
    }
}

fn refused(entry: &Logged) -> bool {
    entry.leaf.kind == EntryKind::READ_REFUSED
}

fn fact(entry: &Logged, name: &str) -> String {
    entry.leaf.facts.get(name).map(ToString::to_string).unwrap_or_default()
}

fn subject(entry: &Logged) -> String {
    entry.leaf.subject.as_ref().map(|s| s.as_str().to_owned()).unwrap_or_default()
}

fn row(seat: &Seat, entry: &Logged) -> ReadRow {
    let staff = fact(entry, "staff");
    let who = match (staff.is_empty(), entry.leaf.actor.as_str()) {
        (false, _) => staff,
        (true, "service") => "the program".to_owned(),
        (true, "subject") => "another person".to_owned(),
        (true, other) => other.to_owned(),
    };
    ReadRow {
        at: entry.leaf.at.into(),
        who,
        role: entry.leaf.actor.clone(),
        subject: subject(entry),
        category: fact(entry, "category"),
        purpose: fact(entry, "purpose"),
        reference: String::new(),
        refused: refused(entry).then(|| why(&fact(entry, "reason")).to_owned()),
        proof_href: Some(format!("{}/ledger/{}", seat.root(), entry.index)),
    }
}

fn why(reason: &str) -> &'static str {
    match reason {
        "consent" => "the person has not agreed to this purpose",
        "restriction" => "processing of this person’s data is restricted",
        _ => "the document does not let this role read it for this",
    }
}

fn cells(entry: &Logged) -> [String; 9] {
    [
        entry.index.to_string(),
        entry.leaf.at.rfc3339(),
        if refused(entry) { "refused" } else { "allowed" }.to_owned(),
        entry.leaf.actor.clone(),
        fact(entry, "staff"),
        subject(entry),
        fact(entry, "category"),
        fact(entry, "purpose"),
        fact(entry, "reason"),
    ]
}
