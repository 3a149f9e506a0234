//! What an agent asked in somebody's name: nothing is done before that person says, here, that they want it.

use axum::extract::Path;
use axum::http::{HeaderMap, Uri};

use super::requests::prove;
use crate::edge::Fault;
use crate::egress::Url;
use crate::web::form::Filled;
use crate::web::page::{Answer, Person, html, not_found, see};
use crate::web::view::AgentAsks;

/// `GET /privacy/agents/{id}`
pub(crate) async fn ask(person: Person, uri: Uri, Path((_, id)): Path<(String, String)>) -> Answer {
    let query = Filled::of_query(&uri);
    // An agent that sends people to another request than it says is not believed.
    if !matches!(query.one("request_id"), "" | "none") && query.one("request_id") != id {
        return Err(not_found());
    }
    html(&page(&person, &id, query.one("redirect_to")).await?)
}

async fn page(person: &Person, id: &str, back: &str) -> Result<AgentAsks, Fault> {
    let asked = person.edge.app.drp.to_confirm(&person.owner, id).await?;
    Ok(AgentAsks {
        shell: person.shell().await?,
        id: id.to_owned(),
        step_up: !person.proved_lately(),
        agent: asked.agent,
        site: asked.site,
        erases: asked.erases,
        waits: asked.waits,
        until: asked.until.into(),
        reference: asked.reference,
        back: back.to_owned(),
    })
}

/// `POST /privacy/agents/{id}` (`sure=yes|no`)
pub(crate) async fn answer(
    person: Person,
    headers: HeaderMap,
    Path((_, id)): Path<(String, String)>,
    form: Filled,
) -> Answer {
    let app = &person.edge.app;
    let asked = app.drp.to_confirm(&person.owner, &id).await?;
    let there = |reference: &str| format!("{}/privacy/requests/{reference}", person.root());
    let reference = match (asked.waits, form.one("sure")) {
        (false, _) => return Ok(see(&there(&asked.reference))),
        (true, "yes") if !person.proved_lately() => {
            return prove(&person, &headers, &format!("/privacy/agents/{id}")).await;
        }
        (true, "yes") => Box::pin(app.drp.confirmed(&person.owner, &id)).await?,
        (true, "no") => {
            app.drp.declined(&person.owner, &id).await?;
            asked.reference
        }
        _ => return html_again(&person, &id, form.one("redirect_to")).await,
    };
    Ok(see(&way_back(&asked.site, form.one("redirect_to")).unwrap_or(there(&reference))))
}

async fn html_again(person: &Person, id: &str, back: &str) -> Answer {
    html(&page(person, id, back).await?)
}

/// Where the agent wants its people back, if that is on the site that it was entered with.
fn way_back(site: &str, to: &str) -> Option<String> {
    let url = Url::parse(to).ok()?;
    (url.origin().ascii_serialization() == site).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::way_back;

    #[test]
    fn the_way_back_leads_to_the_agents_own_site_alone() {
        let back = |to| way_back("https://agent.example", to);
        assert!(back("https://agent.example/done?x=1").is_some());
        for to in [
            "",
            "/done",
            "https://agent.example.evil/",
            "http://agent.example/",
            "https://agent.example:8443/",
            "https://agent.example@evil.example/",
            "javascript:alert(1)",
        ] {
            assert_eq!(back(to), None, "{to}");
        }
    }
}
