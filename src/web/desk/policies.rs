//! Versions of the document: what is published and told of, and what waits for a second person.

use axum::extract::Path;
use axum::http::Uri;

use super::found::Found;
use super::seat::{Seat, Sent};
use super::shell::{Answer, desk, page, see_other};
use crate::base::{Kind, ProposalId, StaffId};
use crate::edge::Fault;
use crate::policy::plan::Plan;
use crate::policy::{Medium, Policy};
use crate::publication::{Error, Outcome, Outlook, Proposal};
use crate::speech::Tongue;
use crate::web::shape::document::changes;
use crate::web::view::{
    Count, DeskPolicies, DeskProposal, GoingRow, Mistake, Mistakes, ProposalRow, State, VersionRow,
};

/// `GET /desk/policies`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let app = &seat.edge.app;
    let mut versions = Vec::new();
    for policy in app.library.versions(&seat.tenant).iter().rev() {
        versions.push(version(&seat, policy, &found.policy).await?);
    }
    let all = app.publications.proposals(&seat.tenant).await?;
    let (waiting, decided): (Vec<_>, Vec<_>) = all.iter().partition(|p| p.state == "open");
    let unpublished = app.unpublished.get().map(Vec::as_slice).unwrap_or_default();
    let still = |u: &&crate::app::Unpublished| {
        u.tenant == seat.tenant && app.library.version(&u.tenant, &u.version).is_none()
    };
    page(&DeskPolicies {
        waiting: waiting.into_iter().map(|p| row(&seat, p)).collect(),
        decided: decided.into_iter().map(|p| row(&seat, p)).collect(),
        unpublished: unpublished.iter().filter(still).map(|u| u.version.clone()).collect(),
        versions,
        desk: desk(&seat, &found, &uri).await?,
    })
}

async fn version(seat: &Seat, policy: &Policy, in_force: &Policy) -> Result<VersionRow, Fault> {
    let publications = &seat.edge.app.publications;
    let tally = publications.tally(&seat.tenant, policy.version()).await?;
    let (published, announced) = publications.dates(&seat.tenant, policy.version()).await?;
    let (state, standing) = if policy.version() == in_force.version() {
        (State::Kept, "in force")
    } else if policy.starts() > in_force.starts() {
        (State::Waiting, "announced")
    } else {
        (State::Attested, "was in force")
    };
    Ok(VersionRow {
        version: policy.version().to_owned(),
        effective: policy.starts().into(),
        published: published.map(Into::into),
        state,
        standing: standing.to_owned(),
        people: Count(tally.people),
        sent: Count(tally.sent),
        owed: Count(tally.owed),
        lost: Count(tally.unsure + tally.failed),
        announced: announced.map(Into::into),
        href: format!("{}/policy/{}", seat.root(), policy.version()),
    })
}

fn row(seat: &Seat, proposal: &Proposal) -> ProposalRow {
    ProposalRow {
        version: proposal.version.clone(),
        by: proposal.proposed_by.to_string(),
        at: proposal.proposed_at.into(),
        became: became(proposal),
        href: format!("{}/desk/policies/{}", seat.root(), proposal.id),
    }
}

fn became(proposal: &Proposal) -> String {
    let by = proposal.decided_by.as_ref().map(StaffId::to_string).unwrap_or_default();
    match proposal.state.as_str() {
        "confirmed" => format!("{by} agreed, and it was published."),
        "refused" => {
            format!("{by} turned it down: {}", proposal.reason.as_deref().unwrap_or_default())
        }
        _ => "It waits.".to_owned(),
    }
}

fn id(text: &str) -> Result<ProposalId, Fault> {
    text.parse().map_err(|_| Fault::new(Kind::NotFound))
}

/// `GET /desk/policies/{id}`
pub(super) async fn one(seat: Seat, uri: Uri, Path((_, proposal)): Path<(String, String)>) -> Answer {
    render(&seat, &uri, id(&proposal)?, "", Mistakes::default()).await
}

/// `POST /desk/policies/{id}/confirm`
pub(super) async fn confirm(uri: Uri, Path((_, proposal)): Path<(String, String)>, sent: Sent) -> Answer {
    let (seat, id) = (sent.seat, id(&proposal)?);
    match seat.edge.app.publications.confirm(&seat.tenant, id, &seat.staff.staff).await? {
        Outcome::Published(..) | Outcome::Known(_) => Ok(see_other(&seat, "/policies", "published")),
        // What stands in the way is on the page.
        Outcome::Refused(_) | Outcome::Proposed(..) => render(&seat, &uri, id, "", Mistakes::default()).await,
    }
}

/// `POST /desk/policies/{id}/refuse` (`reason`)
pub(super) async fn refuse(uri: Uri, Path((_, proposal)): Path<(String, String)>, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let (id, reason) = (id(&proposal)?, fields.one("reason"));
    match seat.edge.app.publications.reject(&seat.tenant, id, &seat.staff.staff, reason).await {
        Ok(()) => Ok(see_other(&seat, "/policies", "turned-down")),
        Err(Error::Missing(_)) => {
            let says = "Say why, in at most 500 characters.".to_owned();
            let wrong = Mistakes(vec![Mistake { field: "reason".to_owned(), says }]);
            render(&seat, &uri, id, reason, wrong).await
        }
        Err(e) => Err(e.into()),
    }
}

async fn render(seat: &Seat, uri: &Uri, id: ProposalId, reason: &str, mistakes: Mistakes) -> Answer {
    let publications = &seat.edge.app.publications;
    let proposal = publications.proposal(&seat.tenant, id).await?;
    let (policy, outlook) = publications.proposed(&proposal).await?;
    let found = Found::at_seat(seat).await?;
    let all = seat.edge.app.library.versions(&seat.tenant);
    let older = all.iter().rfind(|p| p.effective() < policy.effective());
    let open = proposal.state == "open";
    // What is decided was decided by what was foreseen then.
    let plan = if open { Some(outlook.plan.clone()) } else { foreseen(&proposal) };
    page(&DeskProposal {
        id: id.to_string(),
        version: proposal.version.clone(),
        effective: policy.starts().into(),
        by: proposal.proposed_by.to_string(),
        at: proposal.proposed_at.into(),
        hash: hex::encode(&proposal.hash),
        open,
        own: proposal.proposed_by == seat.staff.staff.id,
        became: became(&proposal),
        changes: changes(Tongue::English, older.map(AsRef::as_ref), &policy),
        told: told(&outlook),
        going: Count(plan.as_ref().map_or(0, |plan| plan.going)),
        total: Count(plan.as_ref().map_or(0, |plan| plan.total)),
        rows: plan.as_ref().map(going).unwrap_or_default(),
        obstacles: outlook.obstacles.iter().filter(|_| open).map(ToString::to_string).collect(),
        mistakes,
        reason: reason.to_owned(),
        desk: desk(seat, &found, uri).await?,
    })
}

/// The plan of the report that was made when the document was proposed.
fn foreseen(proposal: &Proposal) -> Option<Plan> {
    let report: serde_json::Value = serde_json::from_str(&proposal.report).ok()?;
    serde_json::from_value(report.get("plan")?.clone()).ok()
}

fn going(plan: &Plan) -> Vec<GoingRow> {
    let gone = |category: &String| plan.undeclared.contains_key(category);
    let rows = plan.rows.iter().filter(|row| row.due > 0 || gone(&row.category));
    rows.map(|row| GoingRow {
        category: row.category.clone(),
        rule: row.rule.clone(),
        because: row.because.clone(),
        count: Count(if gone(&row.category) { row.waiting } else { row.due }),
        held: Count(row.held),
    })
    .collect()
}

fn told(outlook: &Outlook) -> String {
    let people = Count(outlook.people).of("person has", "people have");
    let mail = if outlook.told.by.contains(&Medium::Email) { " by e-mail" } else { "" };
    let ahead = outlook.told.ahead.map(|p| format!(", {p} before it counts")).unwrap_or_default();
    format!("{people} an account here and must be told{mail}{ahead}.")
}
