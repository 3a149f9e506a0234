//! How each promise of the document stands now.

use axum::http::Uri;
use chrono::NaiveTime;

use super::found::Found;
use super::seat::{Seat, Sent};
use super::shell::{Answer, desk, moment, page, query, see_other};
use super::words;
use crate::base::{Kind, Timestamp};
use crate::edge::Fault;
use crate::ledger::Entry;
use crate::policy::Policy;
use crate::web::promise::{self, Attested, Standing};
use crate::web::view::{PromiseBoard, PromiseRow, State, Vouch};

/// `GET /desk/promises?state=`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let wanted = query(&uri, "state").unwrap_or_default();
    let chosen = promise::WORST_FIRST.into_iter().find(|state| state.class() == wanted);
    let states = promise::WORST_FIRST.map(|state| (state.class(), state.word()));
    let policy = &found.policy;
    let effective = Timestamp::from_utc(policy.effective().and_time(NaiveTime::MIN).and_utc());
    page(&PromiseBoard {
        version: policy.version().to_owned(),
        effective: effective.into(),
        tally: promise::tally(&found.standings),
        states: words::choices("All", states, chosen.map_or("", State::class)),
        rows: rows(&found, |s| chosen.is_none_or(|state| state == s.state)),
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// `POST /desk/promises/attest` (`attestation`): somebody vouches for what only people can do.
pub(super) async fn attest(sent: Sent) -> Answer {
    let seat = sent.seat;
    let app = &seat.edge.app;
    let policy = app.vault.policy(&seat.tenant)?;
    let rule =
        policy.attestation(sent.fields.one("attestation")).ok_or_else(|| Fault::new(Kind::NotFound))?;
    let entry = Entry::new(Attested::KIND.parse()?, app.clock.now(), &seat.tenant, seat.role().as_str())
        .fact("attestation", rule.id.as_str())
        .fact("staff", seat.staff.staff.id.to_string().as_str())
        .fact("version", policy.version());
    let mut tx = app.db.begin().await?;
    app.ledger.append(&mut tx, entry).await?;
    tx.commit().await?;
    app.ledger.sequence().await?;
    Ok(see_other(&seat, "/promises", "attested"))
}

/// The promises that `which` picks, worst first.
pub(super) fn rows(found: &Found, which: impl Fn(&Standing) -> bool) -> Vec<PromiseRow> {
    let mut picked: Vec<&Standing> = found.standings.iter().filter(|s| which(s)).collect();
    picked.sort_by_key(|s| promise::rank(s.state));
    picked.into_iter().map(|s| row(&found.policy, s)).collect()
}

fn row(policy: &Policy, standing: &Standing) -> PromiseRow {
    let clause = policy.clause(&standing.clause);
    PromiseRow {
        number: number(policy, &standing.clause),
        clause: clause.map(|c| c.title.clone()).unwrap_or_default(),
        clause_id: standing.clause.clone(),
        promise: standing.promise.clone(),
        kind: standing.kind.to_string(),
        rule: standing.rule.clone(),
        state: standing.state,
        figure: standing.figure.clone(),
        checked: moment(standing.checked),
        since: None,
        proof_href: standing.proof.map(|index| format!("/{}/ledger/{index}", policy.tenant())),
        vouch: standing.rule.strip_prefix("attestation.").and_then(|name| vouch(policy, name)),
    }
}

fn vouch(policy: &Policy, name: &str) -> Option<Vouch> {
    let rule = policy.attestation(name)?;
    Some(Vouch { attestation: rule.id.clone(), evidence: rule.evidence.clone() })
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
