//! What needs a human today.

use axum::extract::Path;
use axum::http::Uri;

use super::found::Found;
use super::queue::row;
use super::roles::Page;
use super::seat::{Seat, Sent};
use super::shell::{Answer, desk, page, see_other};
use super::{promises, retention};
use crate::audit::{self, Check};
use crate::base::{JobId, Kind};
use crate::edge::Fault;
use crate::ledger::Checkpoint;
use crate::requests::Request;
use crate::retention::{BoardRow, Hold};
use crate::store::jobs::{self, Troubled};
use crate::web::evidence::{ledger_check, tally};
use crate::web::view::{Count, FailedJob, Figure, Moment, Overview, State};

/// How many rows a list of the overview has.
const FEW: usize = 8;

/// `GET /desk`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let app = &seat.edge.app;
    let board = app.retention.board(&seat.tenant).await?;
    let ledger = (app.ledger.checkpoint().await?, ledger_check(app, &seat.tenant).await?);
    let due = soonest(&seat).await?;
    let holds = app.retention.holds(&seat.tenant).await?;
    let mut promises = promises::rows(&seat, &found, |rule| rule.state < audit::State::Waiting);
    promises.truncate(FEW);
    let factor = app.subjects.factor(&seat.staff.staff).await?;
    page(&Overview {
        figures: figures(&seat, &found, (&board, &holds), &ledger),
        due: due.iter().map(|request| row(request, found.at)).collect(),
        promises,
        jobs: found.jobs.iter().map(job).collect(),
        codes_left: if seat.edge.second_factor() {
            factor.enrolled.then_some(factor.codes_left)
        } else {
            None
        },
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// `POST /desk/jobs/{id}/retry`
pub(super) async fn release(Path((_, id)): Path<(String, String)>, sent: Sent) -> Answer {
    let seat = sent.seat;
    let id: JobId = id.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let found = Found::at_seat(&seat).await?;
    if !found.jobs.iter().any(|job| job.id == id && job.quarantined) {
        return Err(Fault::new(Kind::NotFound));
    }
    let app = &seat.edge.app;
    let mut tx = app.db.begin().await?;
    jobs::release(&mut tx, &app.clock, id).await?;
    tx.commit().await?;
    Ok(see_other(&seat, "", "released"))
}

async fn soonest(seat: &Seat) -> Result<Vec<Request>, Fault> {
    let size = crate::base::PageSize::new(u32::try_from(FEW).unwrap_or(1)).unwrap_or_default();
    let filter = crate::requests::QueueFilter::Open;
    Ok(seat.edge.app.requests.queue(&seat.tenant, filter, None, size).await?.items)
}

fn figures(
    seat: &Seat,
    found: &Found,
    (board, holds): (&[BoardRow], &[Hold]),
    whole: &(Checkpoint, Option<Check>),
) -> Vec<Figure> {
    let root = seat.root();
    let figure = |page: Page, name: &str, value: String, note: String, state: State| {
        let path = format!("{root}/desk/{}", page.path());
        let href = path.trim_end_matches('/').to_owned();
        (page, Figure { name: name.to_owned(), value, note, state, href })
    };
    let all = [
        requests(found, &figure),
        overdue(board, &figure),
        kept(found, &figure),
        held(found, holds, &figure),
        stopped(found, &figure),
        ledger(found, whole, &figure),
    ];
    let unheard = (found.unheard > 0).then(|| unheard(found, &figure));
    let shown = |page: Page| {
        page.lets(seat.role()) || page == Page::Jobs && seat.role() != crate::policy::Role::Support
    };
    all.into_iter().chain(unheard).filter(|(page, _)| shown(*page)).map(|(_, figure)| figure).collect()
}

type Drawn<'a> = &'a dyn Fn(Page, &str, String, String, State) -> (Page, Figure);

fn requests(found: &Found, draw: Drawn<'_>) -> (Page, Figure) {
    let (late, near) = (found.late.len() as u64, found.near.len() as u64);
    let (state, note) = match (late, near) {
        (0, 0) => (State::Kept, "none near its date".to_owned()),
        (0, near) => (State::AtRisk, format!("{} due within 18 hours", Count(near))),
        (late, _) => (State::Broken, format!("{} past our promise", Count(late))),
    };
    draw(Page::Requests, "Requests open", Count(found.open()).to_string(), note, state)
}

fn overdue(board: &[BoardRow], draw: Drawn<'_>) -> (Page, Figure) {
    let (live, overdue) = retention::totals(board);
    let state = if overdue.none() { State::Kept } else { State::Broken };
    let note = format!("of {live} under a rule");
    draw(Page::Retention, "Overdue for erasure", overdue.to_string(), note, state)
}

fn kept(found: &Found, draw: Drawn<'_>) -> (Page, Figure) {
    let (board, all) = (&found.promises, found.promises.rules().len());
    let good = board.count(audit::State::Kept) + board.count(audit::State::Attested);
    let tally = tally(board);
    let worst = tally.first().map_or(State::Waiting, |part| part.state);
    let rest = tally.iter().filter(|part| !matches!(part.state, State::Kept | State::Attested));
    let rest: Vec<String> =
        rest.map(|part| format!("{} {}", part.count, part.state.word().to_lowercase())).collect();
    let note = if rest.is_empty() { "all of them".to_owned() } else { rest.join(", ") };
    let value = format!("{} of {}", Count(good as u64), Count(all as u64));
    draw(Page::Promises, "Promises kept", value, note, worst)
}

/// Holds in force; one that waits for a second person is at risk, one whose review is overdue is broken.
fn held(found: &Found, holds: &[Hold], draw: Drawn<'_>) -> (Page, Figure) {
    let live = holds.iter().filter(|h| h.released_at.is_none()).count() as u64;
    let wants = |what: &str| holds.iter().filter(|h| h.wants(found.at) == Some(what)).count() as u64;
    let overdue = holds.iter().filter(|h| h.released_at.is_none() && h.review_at <= found.at).count() as u64;
    let (state, note) = match (overdue, wants("a second person")) {
        (0, 0) if live == 0 => (State::Kept, "every rule runs as written".to_owned()),
        (0, 0) => (State::Kept, "each answered for and looked at in time".to_owned()),
        (0, waits) => (State::AtRisk, format!("{} waiting for a second person", Count(waits))),
        (overdue, _) => (State::Broken, format!("{} past the day of review", Count(overdue))),
    };
    draw(Page::Holds, "Legal holds", Count(live).to_string(), note, state)
}

fn stopped(found: &Found, draw: Drawn<'_>) -> (Page, Figure) {
    let stopped = found.jobs.iter().filter(|job| job.quarantined).count() as u64;
    let (state, note) = match (stopped, found.jobs.len() as u64 - stopped) {
        (0, 0) => (State::Kept, "everything runs".to_owned()),
        (0, again) => (State::AtRisk, format!("{} being tried again", Count(again))),
        (1, _) => (State::Broken, "waits for a hand".to_owned()),
        _ => (State::Broken, "wait for a hand".to_owned()),
    };
    let (page, mut figure) = draw(Page::Jobs, "Failed jobs", Count(stopped).to_string(), note, state);
    figure.href = figure.href.replace("/jobs", "#jobs-title");
    (page, figure)
}

/// Webhooks that were stopped: the app no longer hears of edits and erasures until somebody there looks.
fn unheard(found: &Found, draw: Drawn<'_>) -> (Page, Figure) {
    let note = "the app is told of nothing; ask whoever runs it".to_owned();
    let value = Count(found.unheard).to_string();
    let (page, mut figure) = draw(Page::Jobs, "Webhooks stopped", value, note, State::Broken);
    figure.href = figure.href.replace("/jobs", "#jobs-title");
    (page, figure)
}

fn ledger(found: &Found, (head, check): &(Checkpoint, Option<Check>), draw: Drawn<'_>) -> (Page, Figure) {
    let state = check.as_ref().map_or(State::Waiting, |c| c.outcome.verdict.into());
    let note = match check {
        None => "not recomputed yet".to_owned(),
        Some(_) if state == State::Broken => "does not verify".to_owned(),
        Some(check) => {
            format!("recomputed {}", Moment::from(check.at).relative_words(Moment::from(found.at)))
        }
    };
    draw(Page::Ledger, "Ledger entries", Count(head.size()).to_string(), note, state)
}

fn job(job: &Troubled) -> FailedJob {
    FailedJob {
        id: job.id.to_string(),
        kind: job.kind.clone(),
        tries: super::shell::count(job.claims),
        cause: job
            .last_error
            .clone()
            .unwrap_or_else(|| "It stopped without a word: its process died.".to_owned()),
        next: (!job.quarantined).then(|| job.run_at.into()),
    }
}
