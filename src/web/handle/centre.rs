//! The privacy centre: what is held, what is allowed, the person's own details.

use axum::extract::Path;
use axum::http::HeaderMap;

use super::requests::prove;
use crate::base::{Kind, PageSize};
use crate::consent::Error as Refused;
use crate::edge::Fault;
use crate::policy::{Policy, Right};
use crate::requests::{Ask, Request, State};
use crate::retention::Hold;
use crate::speech::{Case, Tongue, key};
use crate::subjects::Profile;
use crate::web::form::Filled;
use crate::web::page::{Answer, Done, Person, again, html, not_found, see, see_done};
use crate::web::shape::ask::{details, filing};
use crate::web::shape::mandates::row as mandate;
use crate::web::shape::privacy::{consents, holdings, images, nothing_of};
use crate::web::shape::requests::row;
use crate::web::view::{Centre, Correction, Count, DetailField, Details, Mistakes};

/// `GET /privacy`
pub(crate) async fn centre(person: Person, headers: HeaderMap) -> Answer {
    let (app, owner) = (&person.edge.app, &person.owner);
    let (tongue, root, policy) = (person.tongue(), person.root(), &person.policy);
    let found = app.requests.holdings(owner).await?;
    let subject = app.subjects.get(owner).await?;
    let requests = app.requests.list(owner, None, PageSize::default()).await?;
    let choices = app.consents.choices(owner).await?;
    let history = app.consents.history(owner).await?;
    let promised = policy.right(Right::Access);
    html(&Centre {
        shell: person.shell().await?,
        news: super::versions::news(&person).await?,
        holdings: holdings(tongue, &root, policy, &found, person.now),
        nothing_of: nothing_of(policy, &found),
        consents: consents(tongue, &root, choices, &history, subject.restricted_at.is_some()),
        requests: requests.items.iter().map(|r| row(tongue, policy, r)).collect(),
        mandates: app
            .intake
            .mandates(owner, &person.actor())
            .await?
            .into_iter()
            .map(|m| mandate(tongue, m))
            .collect(),
        restricted_since: subject.restricted_at.map(Into::into),
        closed_since: subject.closed_at.map(Into::into),
        on_hold: app.retention.holds_of(owner).await?.iter().map(|h| on_hold(tongue, policy, h)).collect(),
        staff_reads: Count(super::readers::staff(&person, None).await?.items.len() as u64),
        images: images(&found),
        gpc: headers.get("sec-gpc").is_some_and(|v| v == "1"),
        promised: promised.map(|r| tongue.period(r.answer_within, Case::After)).unwrap_or_default(),
    })
}

fn on_hold(tongue: Tongue, policy: &Policy, hold: &Hold) -> String {
    let category = hold.category.as_deref().and_then(|id| policy.category(id));
    let what = category.map_or_else(|| tongue.say("everything we hold about you"), |c| c.title.as_str());
    let said = tongue.put("What: {what}. Why: {reason} ({matter}). We look at it again by {review}.");
    let said = said.with("what", what).with("reason", &hold.reason).with("matter", &hold.matter);
    said.with("review", tongue.time(hold.review_at)).text()
}

/// `POST /privacy/consents/{purpose}`
pub(crate) async fn switch(
    person: Person,
    Path((_, purpose)): Path<(String, String)>,
    form: Filled,
) -> Answer {
    let on = match form.one("allow") {
        "yes" => true,
        "no" => false,
        _ => return Err(Fault::new(Kind::Malformed)),
    };
    match person.edge.app.consents.set(&person.owner, &purpose, on, "privacy-centre").await {
        Err(Refused::NoSuchPurpose) => Err(not_found()),
        Err(e) => Err(e.into()),
        Ok(_) => {
            let there = format!("{}/privacy#consents", person.root());
            Ok(see_done(&there, if on { Done::SwitchedOn } else { Done::SwitchedOff }))
        }
    }
}

/// `POST /privacy/restriction/lift`
pub(crate) async fn lift(person: Person, _form: Filled) -> Answer {
    let filing = filing(Ask::Restriction { on: false }, person.actor(), "");
    person.edge.app.requests.file(&person.owner, filing).await?;
    Ok(see_done(&format!("{}/privacy", person.root()), Done::PauseLifted))
}

/// `GET /privacy/details`
pub(crate) async fn own_details(person: Person) -> Answer {
    let profile = person.profile().await?;
    html(&details_page(&person, &profile, Mistakes::default()).await?)
}

async fn details_page(person: &Person, profile: &Profile, mistakes: Mistakes) -> Result<Details, Fault> {
    let tongue = person.tongue();
    let field =
        |id: &str, label: &'static str, hint: &'static str, value: &str, kind: &str, autocomplete: &str| {
            DetailField {
                id: id.to_owned(),
                label: tongue.say(label).to_owned(),
                hint: tongue.say(hint).to_owned(),
                value: value.to_owned(),
                kind: kind.to_owned(),
                autocomplete: autocomplete.to_owned(),
            }
        };
    Ok(Details {
        shell: person.shell().await?,
        fields: vec![
            field(
                "name",
                key("Your name"),
                key("What we call you in letters and here."),
                &profile.name,
                "text",
                "name",
            ),
            field(
                "username",
                key("User name"),
                key("What the app shows."),
                &profile.username,
                "text",
                "username",
            ),
            field(
                "email",
                key("E-mail address"),
                key(
                    "Links to sign in go here. Another one counts once you have opened the link in our letter to it. For three days after that no archive leaves and nothing is erased at once.",
                ),
                &profile.email,
                "email",
                "email",
            ),
        ],
        history: corrections(person).await?,
        mistakes,
    })
}

async fn corrections(person: &Person) -> Result<Vec<Correction>, Fault> {
    let app = &person.edge.app;
    let requests = app.requests.list(&person.owner, None, PageSize::default()).await?;
    let sent = app.disclosures.of(&person.owner).await?;
    let told = sent.iter().any(|d| d.categories.split(' ').any(|c| c == "account"));
    let is_done = |r: &&Request| r.right == Right::Rectification && r.state == State::Closed;
    let tongue = person.tongue();
    let told = tongue.say(if told {
        key("whoever had received the old one")
    } else {
        key("nobody, because nobody had received the old one")
    });
    Ok(requests
        .items
        .iter()
        .filter(is_done)
        .map(|r| Correction {
            at: r.answered_at.unwrap_or(r.received_at).into(),
            says: tongue
                .put("You corrected your details, request {reference}.")
                .with("reference", &r.reference)
                .text(),
            told: told.to_owned(),
        })
        .collect())
}

/// `POST /privacy/details`: a correction is a request like any other, carried out at once.
pub(crate) async fn correct(person: Person, headers: HeaderMap, form: Filled) -> Answer {
    let old = person.profile().await?;
    let typed = |name: &str| form.one(name).to_owned();
    let shown = Profile { email: typed("email"), name: typed("name"), username: typed("username") };
    let new = match details(person.tongue(), &form) {
        Ok(new) => new,
        Err(mistakes) => return again(&details_page(&person, &shown, mistakes).await?),
    };
    if new == old {
        return Ok(see(&format!("{}/privacy/details", person.root())));
    }
    if new.email != old.email && !person.proved_lately() {
        return prove(&person, &headers, "/privacy/details").await;
    }
    let moves = new.email != old.email;
    let filing = filing(Ask::Rectification(Some(new)), person.actor(), "");
    let filed = person.edge.app.requests.file(&person.owner, filing).await?.request;
    let root = person.root();
    // The same whether the address can be had or not: only its mailbox learns that.
    if moves && filed.problem.is_none() {
        return Ok(see_done(&format!("{root}/privacy/details"), Done::AddressAsked));
    }
    if filed.answered_at.is_none() {
        return Ok(see(&format!("{root}/privacy/requests/{}", filed.reference)));
    }
    Ok(see_done(&format!("{root}/privacy/details"), Done::Corrected))
}
