//! Who else has data, and what left the house.

use axum::http::Uri;

use super::found::Found;
use super::handovers;
use super::recipients::with_its_clock;
use super::roles::DECIDE;
use super::seat::{Fields, Seat};
use super::shell::{Answer, count, desk, page};
use crate::base::Timestamp;
use crate::disclosure::Disclosed;
use crate::policy::{Life, Processor, Sees};
use crate::web::view::{Count, DisclosureRow, Mistakes, ProcessorRow, Processors, State, span};

/// Rows of the register that are read, and that are shown.
const READ: i64 = 5_000;
const SHOWN: usize = 100;
const SHOWN_HANDED: i64 = 100;

/// `GET /desk/processors`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    render(&seat, &uri, None, Mistakes::default()).await
}

/// The page, with what was typed into its form.
pub(super) async fn render(seat: &Seat, uri: &Uri, typed: Option<&Fields>, mistakes: Mistakes) -> Answer {
    let found = Found::at_seat(seat).await?;
    let overdue = seat.edge.app.disclosures.overdue(&seat.tenant, found.at).await?;
    let register = seat.edge.app.disclosures.register(&seat.tenant, READ).await?;
    let handed = seat.edge.app.disclosures.handovers(&seat.tenant, SHOWN_HANDED).await?;
    let root = seat.root();
    let proofs = format!("{root}/desk/ledger?kind=disclosure.made");
    let tasks = seat.edge.app.elsewhere.not_done(&seat.tenant).await?;
    let recipients = found.policy.processors().filter(|p| p.is_recipient());
    let disclosure = |sent: &Disclosed| row(sent, &found, &proofs);
    page(&Processors {
        processors: recipients.map(|p| processor(p, (&register, &overdue), &found)).collect(),
        tasks: tasks.iter().map(|task| with_its_clock(&found.policy, task)).collect(),
        disclosures: register.iter().take(SHOWN).map(disclosure).collect(),
        handed: handed.iter().map(|one| handovers::row(one, &root)).collect(),
        form: handovers::form(&found.policy, typed, DECIDE.contains(&seat.role())),
        mistakes,
        desk: desk(seat, &found, uri).await?,
    })
}

fn processor(
    rule: &Processor,
    (register, overdue): (&[Disclosed], &[(String, i64)]),
    found: &Found,
) -> ProcessorRow {
    let live = register.iter().filter(|d| d.processor == rule.id && d.deleted_at.is_none()).count();
    let pending = overdue.iter().filter(|(id, _)| *id == rule.id).map(|(_, n)| n).sum();
    let standing = found.promises.rule(&format!("processor.{}", rule.id));
    let proof: Vec<String> = rule.deletion_proof.iter().map(|p| p.as_str().replace('-', " ")).collect();
    ProcessorRow {
        name: rule.name.clone(),
        id: rule.id.clone(),
        place: rule.countries.join(", "),
        purpose: rule.does.clone(),
        categories: rule.receives.clone(),
        at_most: match rule.longest_life {
            Life::AsOurs => "as long as here".to_owned(),
            Life::AtMost(period) => period.to_string(),
        },
        proof: format!("shown by: {}", proof.join(", ")),
        contract: contract(rule),
        live: Count(live as u64),
        pending: count(pending),
        state: standing.map_or(State::Waiting, |s| s.state.into()),
    }
}

fn contract(rule: &Processor) -> String {
    let mut parts = Vec::new();
    if rule.sees == Sees::Ciphertext {
        parts.push("cannot read what it gets".to_owned());
    }
    parts.extend(rule.transfer.map(|t| t.as_str().replace('-', " ")));
    parts.extend(rule.agreement.clone());
    parts.join("; ")
}

fn row(sent: &Disclosed, found: &Found, proof_href: &str) -> DisclosureRow {
    let to = found.policy.processor(&sent.processor).map_or(sent.processor.clone(), |p| p.name.clone());
    let (state, standing) = standing(sent, found.at);
    DisclosureRow {
        at: sent.sent_at.into(),
        to,
        what: sent.categories.replace(' ', ", "),
        ground: sent.purpose.clone(),
        state,
        standing,
        proof_href: proof_href.to_owned(),
    }
}

/// How the copy there stands.
fn standing(sent: &Disclosed, now: Timestamp) -> (State, String) {
    match (sent.deleted_at, sent.delete_due) {
        (Some(_), _) => {
            let how = sent.proof.as_deref().unwrap_or("no proof kept").replace('-', " ");
            (State::Kept, format!("gone: {how}"))
        }
        (None, Some(due)) if due < now => (State::Broken, format!("late by {}", span(now.since(due)))),
        (None, Some(due)) => (State::Waiting, format!("{} left", span(due.since(now)))),
        (None, None) => (State::Waiting, "as long as here".to_owned()),
    }
}
