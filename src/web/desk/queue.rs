//! The queue of requests, narrowed by what stands in the address.

use axum::http::Uri;

use super::found::{Found, sum, waits_for_people};
use super::seat::Seat;
use super::shell::{Answer, desk, page, query};
use super::words;
use crate::base::{PageSize, Timestamp};
use crate::edge::Fault;
use crate::intake::Waiting;
use crate::policy::Right;
use crate::requests::{Alarm, Counted, QueueFilter, Request};
use crate::web::view::{Choice, Clock, Count, LetterRow, Queue, QueueRow};

/// Rows of one page.
const ROWS: usize = 50;
/// Pages of the room read for one page here, when a right is rare.
const MOST_READS: usize = 25;

/// Which requests, by the word in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Open,
    Near,
    Late,
    People,
    Over,
    All,
}

impl Which {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Open, "", "All open"),
        (Self::Late, "late", "Past our promise"),
        (Self::Near, "near", "Due within 18 hours"),
        (Self::People, "people", "Waiting for people"),
        (Self::Over, "closed", "Answered or closed"),
        (Self::All, "all", "All"),
    ];

    fn of(word: &str) -> Self {
        Self::ALL.iter().find(|(_, w, _)| *w == word).map_or(Self::Open, |(which, ..)| *which)
    }

    fn filter(self) -> QueueFilter {
        match self {
            Self::Open | Self::Near | Self::People => QueueFilter::Open,
            Self::Late => QueueFilter::Overdue,
            Self::Over | Self::All => QueueFilter::All,
        }
    }

    fn takes(self, request: &Request, now: Timestamp) -> bool {
        match self {
            Self::Open | Self::Late | Self::All => true,
            Self::Near => request.alarm_at(now) == Alarm::PromiseNear,
            Self::People => waits_for_people(request),
            Self::Over => !request.state.is_open(),
        }
    }

    fn count(self, found: &Found, right: Option<Right>) -> u64 {
        let mine = |r: Right| right.is_none_or(|wanted| wanted == r);
        let listed = |rows: &[Request]| rows.iter().filter(|r| mine(r.right)).count() as u64;
        let counted = |which: &dyn Fn(&Counted) -> bool| sum(&found.counts, |c| mine(c.right) && which(c));
        match self {
            Self::Open => counted(&|c| c.state.is_open()),
            Self::Near => listed(&found.near),
            Self::Late => listed(&found.late),
            Self::People => listed(&found.by_hand),
            Self::Over => counted(&|c| !c.state.is_open()),
            Self::All => counted(&|_| true),
        }
    }
}

/// `GET /desk/requests?right=&state=&after=`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let right: Option<Right> = query(&uri, "right").and_then(|w| w.parse().ok());
    let word = query(&uri, "state").unwrap_or_default();
    let which = Which::of(&word);
    let (rows, next) = rows(&seat, which, right, query(&uri, "after")).await?;
    let letters = letters(&seat, query(&uri, "after").is_none()).await?;
    let next_href = next.map(|after| next_href(&seat, right, &word, &after));
    page(&Queue {
        rights: rights(&found, right),
        states: states(which),
        count: Count(which.count(&found, right)),
        rows: rows.iter().map(|request| row(request, found.at)).collect(),
        letters,
        next_href,
        desk: desk(&seat, &found, &uri).await?,
    })
}

async fn letters(seat: &Seat, first: bool) -> Result<Vec<LetterRow>, Fault> {
    if !first {
        return Ok(Vec::new());
    }
    let waiting = seat.edge.app.intake.waiting(&seat.tenant).await?;
    let row = |letter: Waiting| LetterRow {
        received: letter.received_at.into(),
        right: letter.right.map(|r| words::right(r).to_owned()).unwrap_or_default(),
        proof: letter.proof.in_words(),
        until: letter.expires_at.into(),
        again: Count(u64::try_from(letter.again).unwrap_or(0)),
    };
    Ok(waiting.into_iter().map(row).collect())
}

async fn rows(
    seat: &Seat,
    which: Which,
    right: Option<Right>,
    after: Option<String>,
) -> Result<(Vec<Request>, Option<String>), Fault> {
    let app = &seat.edge.app;
    let now = app.clock.now();
    let mut rows = Vec::new();
    let mut after = after;
    for _ in 0..MOST_READS {
        let size = PageSize::default();
        let found = app.requests.queue(&seat.tenant, which.filter(), after.as_deref(), size).await?;
        let wanted = |r: &Request| right.is_none_or(|right| right == r.right) && which.takes(r, now);
        rows.extend(found.items.into_iter().filter(wanted));
        after = found.next;
        if after.is_none() || rows.len() >= ROWS {
            break;
        }
    }
    Ok((rows, after))
}

fn next_href(seat: &Seat, right: Option<Right>, state: &str, after: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(right) = right {
        query.append_pair("right", right.as_str());
    }
    if !state.is_empty() {
        query.append_pair("state", state);
    }
    query.append_pair("after", after);
    format!("{}/desk/requests?{}", seat.root(), query.finish())
}

fn rights(found: &Found, chosen: Option<Right>) -> Vec<Choice> {
    let offered = found.policy.rights().map(|rule| (rule.right.as_str(), words::right(rule.right)));
    words::choices("All rights", offered, chosen.map_or("", Right::as_str))
}

fn states(chosen: Which) -> Vec<Choice> {
    let choice = |&(which, value, says): &(Which, &str, &str)| Choice {
        value: value.to_owned(),
        says: says.to_owned(),
        chosen: which == chosen,
    };
    Which::ALL.iter().map(choice).collect()
}

/// A request as the queue shows it.
pub(super) fn row(request: &Request, now: Timestamp) -> QueueRow {
    let met = request.answered_at.or(request.closed_at).map(Into::into);
    QueueRow {
        reference: request.reference.clone(),
        right: words::right(request.right).to_owned(),
        status: if request.lapsed().is_some() { "Not confirmed" } else { words::state(request.state) }
            .to_owned(),
        channel: words::channel(request.channel).to_owned(),
        received: request.received_at.into(),
        promise: Clock { due: request.due.promise.into(), met },
        law: Clock { due: request.legal_due().into(), met },
        holder: if waits_for_people(request) { "staff".to_owned() } else { String::new() },
        stuck: request.problem.as_deref().map(|why| stuck(why, request, now)),
    }
}

fn stuck(why: &str, request: &Request, now: Timestamp) -> String {
    let why = why.trim_end_matches('.');
    let Some(next) = request.next_at else { return format!("{why}.") };
    let when = crate::web::view::Moment::from(next).relative_words(crate::web::view::Moment::from(now));
    format!("{why}. Next try {when}.")
}
