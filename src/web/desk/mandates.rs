//! Who acts for whom: the mandates that people gave, and the agents of the Data Rights Protocol. What an agent calls itself
//! lies sealed with the person's data and is not shown here.
//!
//! To end a mandate takes one person with a fresh proof, as to lift a hold does, and no second: it stops an agent, it
//! releases and erases nothing, the person is told why, and can give it anew.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::Uri;

use super::found::Found;
use super::holds::mistake;
use super::roles::DECIDE;
use super::seat::{Seat, Sent};
use super::shell::{Answer, desk, moment, page, see_other};
use crate::base::{Kind, MandateId};
use crate::edge::Fault;
use crate::intake::{DeskMandate, Error, MOST_MANDATES};
use crate::web::view::{Count, DeskAgentRow, DeskMandateRow, DeskMandates, Mistakes};

/// `GET /desk/mandates`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    render(&seat, &uri, Mistakes::default()).await
}

/// `POST /desk/mandates/{id}/end` (`why`)
pub(super) async fn end(Path((_, id)): Path<(String, String)>, uri: Uri, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    if !DECIDE.contains(&seat.role()) {
        return Err(Fault::new(Kind::Forbidden));
    }
    let id: MandateId = id.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let staff = (seat.staff.staff.id, seat.role());
    match seat.edge.app.intake.stop_mandate(&seat.tenant, id, staff, fields.one("why")).await {
        Ok(()) => Ok(see_other(&seat, "/mandates", "mandate-ended")),
        Err(Error::Invalid(says)) => {
            let mistakes = Mistakes(vec![mistake(&format!("why-{id}"), says)]);
            render(&seat, &uri, mistakes).await
        }
        Err(e) => Err(e.into()),
    }
}

async fn render(seat: &Seat, uri: &Uri, mistakes: Mistakes) -> Answer {
    let (app, found) = (&seat.edge.app, Found::at_seat(seat).await?);
    let keys = app.subjects.api_keys(&seat.tenant).await?;
    let keys: BTreeMap<String, String> = keys.into_iter().map(|key| (key.id, key.label)).collect();
    let all = app.intake.mandates_of_tenant(&seat.tenant).await?;
    let is_cut = i64::try_from(all.len()).is_ok_and(|n| n >= MOST_MANDATES);
    let (open, ended): (Vec<_>, Vec<_>) = all.into_iter().partition(|mandate| mandate.holds);
    let rows = |some: Vec<DeskMandate>| some.into_iter().map(|mandate| row(mandate, &keys)).collect();
    let agents = app.drp.agents(&seat.tenant).await?.into_iter().map(|agent| DeskAgentRow {
        name: agent.name,
        id: agent.id,
        site: agent.site,
        entered: agent.added_at.into(),
        paired: moment(agent.paired_at),
    });
    page(&DeskMandates {
        open: rows(open),
        ended: rows(ended),
        is_cut,
        agents: agents.collect(),
        may_end: DECIDE.contains(&seat.role()),
        mistakes,
        desk: desk(seat, &found, uri).await?,
    })
}

fn row(mandate: DeskMandate, keys: &BTreeMap<String, String>) -> DeskMandateRow {
    let asked_with = match mandate.key {
        None => "the form for agents".to_owned(),
        Some(id) => match keys.get(&id) {
            Some(label) => format!("the key “{label}”"),
            None => format!("the key {id}, which holds no more"),
        },
    };
    let rights: Vec<&str> = mandate.rights.iter().map(|right| right.as_str()).collect();
    DeskMandateRow {
        id: mandate.id.to_string(),
        person: mandate.subject.to_string(),
        asked_with,
        rights: rights.join(", "),
        requests: Count(mandate.requests as u64),
        tells: mandate.tells,
        given: mandate.given_at.into(),
        until: mandate.until.into(),
        ended: moment(mandate.ended_at),
    }
}
