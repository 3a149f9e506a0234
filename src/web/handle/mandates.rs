//! Agents and mandates: an agent's form, the person's answer, and the end of a mandate.

use axum::extract::Path;
use axum::http::{StatusCode, Uri};

use super::letters::nothing;
use crate::intake::Error as Refused;
use crate::web::form::Filled;
use crate::web::page::{Answer, Done, Person, Visit, again, html, html_as, id, see_done};
use crate::web::shape::account::mistake;
use crate::web::shape::mandates::{asked, form as agent_form, given, proposal, question, refused};
use crate::web::view::Mistakes;

/// `GET /agents`
pub(crate) async fn form(visit: Visit) -> Answer {
    html(&agent_form(visit.shell().await?, &visit.policy, &Filled::default(), Mistakes::default()))
}

/// `POST /agents` (`agent`, `contact`, `person`, `rights`*, `until`, `choice`, `text`): the same answer for everybody.
pub(crate) async fn propose(visit: Visit, form: Filled) -> Answer {
    let wrong = match proposal(visit.tongue(), &visit.policy, &form) {
        Ok(proposal) => match visit.edge.app.intake.propose(&visit.tenant, None, proposal).await {
            Ok(_) => return html_as(StatusCode::ACCEPTED, &asked(visit.shell().await?)),
            Err(Refused::Invalid(why)) => {
                let says = visit.tongue().put("This cannot be asked: {why}.");
                mistake("until", says.with("why", visit.tongue().tell(why)).text())
            }
            Err(e) => return Err(e.into()),
        },
        Err(mistakes) => mistakes,
    };
    again(&agent_form(visit.shell().await?, &visit.policy, &form, wrong))
}

/// `GET /mandates/confirm?token=`: a page with two buttons.
pub(crate) async fn confirm(visit: Visit, uri: Uri) -> Answer {
    let link = Filled::of_query(&uri);
    let token = link.one("token");
    match visit.edge.app.intake.mandate_opened(&visit.tenant, token).await {
        Ok(opened) => html(&question(visit.shell().await?, &visit.policy, opened, token)),
        Err(Refused::BadLink) => nothing(&visit).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /mandates/confirm` (`token`, `tells`): yes.
pub(crate) async fn enter(visit: Visit, form: Filled) -> Answer {
    let tells = form.one("tells") == "yes";
    match visit.edge.app.intake.mandate_confirmed(&visit.tenant, form.one("token"), tells).await {
        Ok(request) => html(&given(visit.shell().await?, &request)),
        Err(Refused::BadLink) => nothing(&visit).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /mandates/decline` (`token`): no.
pub(crate) async fn decline(visit: Visit, form: Filled) -> Answer {
    match visit.edge.app.intake.mandate_declined(&visit.tenant, form.one("token")).await {
        Ok(()) => html(&refused(visit.shell().await?)),
        Err(Refused::BadLink) => nothing(&visit).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /privacy/mandates/{id}/end`
pub(crate) async fn end(person: Person, Path((_, mandate)): Path<(String, String)>, _form: Filled) -> Answer {
    person.edge.app.intake.end_mandate(&person.owner, id(&mandate)?).await?;
    Ok(see_done(&format!("{}/privacy#mandates", person.root()), Done::MandateEnded))
}
