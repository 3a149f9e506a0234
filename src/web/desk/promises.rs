//! How each promise of the document stands now, and one promise with all that is known of it.

use axum::extract::Path;
use axum::http::Uri;
use chrono::NaiveTime;

use super::found::Found;
use super::seat::{Seat, Sent};
use super::shell::{Answer, desk, moment, page, query, see_other};
use super::{vouching, words};
use crate::audit::{Board, Check, Evidence, Part, RuleState};
use crate::base::{Kind, Timestamp};
use crate::edge::{Fault, proof_path};
use crate::policy::{Policy, RuleKind};
use crate::web::evidence::{link, tally};
use crate::web::view::{
    CheckFound, Count, Mistakes, PartRow, PromiseBoard, PromisePage, PromiseRow, RunRow, State, Typed,
};

/// Runs that are shown of a check.
const RUNS: u16 = 60;
/// States in the order in which they are offered, worst first.
const STATES: [State; 6] =
    [State::Broken, State::Overdue, State::AtRisk, State::Waiting, State::Attested, State::Kept];

/// `GET /desk/promises?state=&kind=`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let text = |name: &str| query(&uri, name).unwrap_or_default();
    let state = STATES.into_iter().find(|state| state.class() == text("state"));
    let kind: Option<RuleKind> = text("kind").parse().ok();
    let policy = &found.policy;
    let effective = Timestamp::from_utc(policy.effective().and_time(NaiveTime::MIN).and_utc());
    let wanted = |rule: &RuleState| {
        state.is_none_or(|s| s == State::from(rule.state)) && kind.is_none_or(|k| k == rule.kind)
    };
    let states = STATES.map(|state| (state.class(), state.word()));
    let kinds = RuleKind::ALL.iter().map(|kind| (kind.as_str(), kind.as_str()));
    page(&PromiseBoard {
        version: policy.version().to_owned(),
        effective: effective.into(),
        checked: moment(found.promises.checked),
        tally: tally(&found.promises),
        states: words::choices("All", states, state.map_or("", State::class)),
        kinds: words::choices("All", kinds, kind.map_or("", RuleKind::as_str)),
        rows: rows(&seat, &found, wanted),
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// The promises that `which` picks, worst first.
pub(super) fn rows(seat: &Seat, found: &Found, which: impl Fn(&RuleState) -> bool) -> Vec<PromiseRow> {
    let picked = found.promises.rules().into_iter().filter(|rule| which(rule));
    picked.map(|rule| row(seat, &found.policy, rule)).collect()
}

fn row(seat: &Seat, policy: &Policy, rule: &RuleState) -> PromiseRow {
    let clause = policy.clause(&rule.clause);
    PromiseRow {
        number: number(policy, &rule.clause),
        clause: clause.map(|c| c.title.clone()).unwrap_or_default(),
        clause_id: rule.clause.clone(),
        promise: rule.promise.clone(),
        kind: rule.kind.to_string(),
        href: href(seat, &rule.rule),
        rule: rule.rule.clone(),
        state: rule.state.into(),
        figure: rule.figure.clone(),
        checked: moment(rule.checked),
        proof_href: rule.place.map(|place| proof_path(&seat.tenant, place)),
    }
}

fn href(seat: &Seat, rule: &str) -> String {
    format!("{}/desk/promises/{rule}", seat.root())
}

/// A clause's number: chapters are counted, and what stands below a chapter within it.
fn number(policy: &Policy, id: &str) -> String {
    let (mut chapter, mut below) = (0_u32, 0_u32);
    for clause in policy.clauses() {
        match clause.level {
            0..=1 => {}
            2 => (chapter, below) = (chapter + 1, 0),
            _ => below += 1,
        }
        if clause.id == id {
            break;
        }
    }
    if below == 0 { chapter.to_string() } else { format!("{chapter}.{below}") }
}

/// `GET /desk/promises/{rule}`
pub(super) async fn one(Path((_, rule)): Path<(String, String)>, seat: Seat, uri: Uri) -> Answer {
    page(&promise(&seat, &rule, &uri, (Typed::default(), Mistakes::default())).await?)
}

/// `POST /desk/promises/{rule}/check`: makes the check that the rule stands on, now.
pub(super) async fn check(Path((_, rule)): Path<(String, String)>, sent: Sent) -> Answer {
    let seat = sent.seat;
    let app = &seat.edge.app;
    let board = app.audit.promises(&seat.tenant).await?;
    let probe = board.rule(&rule).and_then(|r| r.probe.clone()).ok_or_else(|| Fault::new(Kind::NotFound))?;
    app.audit.ask(&seat.tenant, &probe, seat.staff.staff.id).await?;
    app.ledger.sequence().await?;
    Ok(see_other(&seat, &format!("/promises/{rule}"), "checked"))
}

/// One promise with all that is known of it.
pub(super) async fn promise(
    seat: &Seat,
    name: &str,
    uri: &Uri,
    (typed, mistakes): (Typed, Mistakes),
) -> Result<PromisePage, Fault> {
    let found = Found::at_seat(seat).await?;
    let rule = found.promises.rule(name).ok_or_else(|| Fault::new(Kind::NotFound))?;
    let check = match &rule.probe {
        Some(probe) => Some(looked(seat, &found.promises, rule, probe).await?),
        None => None,
    };
    let vouching = match rule.kind {
        RuleKind::Attestation => Some(vouching::of(seat, rule, typed).await?),
        _ => None,
    };
    Ok(PromisePage {
        row: row(seat, &found.policy, rule),
        proof: rule.place.map(|place| link(&seat.tenant, place)),
        check,
        vouching,
        mistakes,
        desk: desk(seat, &found, uri).await?,
    })
}

/// What the check behind a rule looks at, what it found, and how it ended before.
async fn looked(seat: &Seat, board: &Board, rule: &RuleState, probe: &str) -> Result<CheckFound, Fault> {
    let audit = &seat.edge.app.audit;
    let watch = audit.watches(&seat.tenant)?.into_iter().find(|w| w.probe == probe);
    let last = audit.latest(&seat.tenant).await?.into_iter().find(|c| c.probe == probe);
    let runs = audit.history(&seat.tenant, probe, RUNS).await?;
    Ok(CheckFound {
        probe: probe.to_owned(),
        looks_at: watch.map(|w| w.looks_at.to_owned()).unwrap_or_default(),
        every: watch.map(|w| w.every.to_string()).unwrap_or_default(),
        verdict: last.as_ref().map_or(State::Waiting, |c| c.outcome.verdict.into()),
        figure: last.as_ref().map(|c| c.outcome.figure.clone()).unwrap_or_default(),
        checked: Count(last.as_ref().map_or(0, |c| c.outcome.checked)),
        found: Count(last.as_ref().map_or(0, |c| c.outcome.found)),
        at: moment(last.as_ref().map(|c| c.at)),
        since: moment(last.as_ref().map(|c| c.since)),
        parts: last
            .iter()
            .flat_map(|c: &Check| &c.outcome.parts)
            .map(|p| part(seat, board, rule, p))
            .collect(),
        runs: runs.iter().map(|run| ran(seat, run)).collect(),
    })
}

fn part(seat: &Seat, board: &Board, rule: &RuleState, part: &Part) -> PartRow {
    PartRow {
        rule: part.rule.clone(),
        // Of a rule that has left the document since the check there is no page.
        href: board.rule(&part.rule).map(|_| href(seat, &part.rule)),
        here: part.rule == rule.rule,
        state: part.state.into(),
        figure: part.figure.clone(),
    }
}

fn ran(seat: &Seat, run: &Evidence) -> RunRow {
    RunRow {
        at: run.at.into(),
        verdict: run.verdict.into(),
        figure: run.figure.clone(),
        checked: Count(run.checked),
        found: Count(run.found),
        proof: run.place.map(|place| link(&seat.tenant, place)),
    }
}
