//! Versions of the document: the one that is announced, and what one had in force when.

use axum::extract::Path;

use crate::edge::Fault;
use crate::publication::Era;
use crate::web::form::Filled;
use crate::web::page::{Answer, Done, Person, Visit, html, purpose_title, see_done};
use crate::web::shape::document::changes;
use crate::web::view::{Moment, OwnVersion, OwnVersions, PolicyNews, Upcoming};

/// The version that is announced, if there is one.
pub(super) fn upcoming(visit: &Visit) -> Option<Upcoming> {
    let next = visit.edge.app.library.next(&visit.tenant, visit.now)?;
    Some(Upcoming {
        version: next.version().to_owned(),
        effective: next.starts().into(),
        changes: changes(Some(&visit.policy), &next),
        href: format!("{}/policy/{}", visit.root(), next.version()),
    })
}

/// What the person was told of and has not acknowledged.
pub(super) async fn news(person: &Person) -> Result<Vec<PolicyNews>, Fault> {
    let unread = person.edge.app.publications.unread(&person.owner).await?;
    let news = unread.into_iter().map(|news| PolicyNews {
        href: format!("{}/policy/{}", person.root(), news.version),
        asks_again: news.asks_again(),
        effective: news.effective.into(),
        changes: news.changes.into_iter().map(|change| change.says).collect(),
        version: news.version,
    });
    Ok(news.collect())
}

/// `GET /privacy/policies`
pub(crate) async fn own(person: Person) -> Answer {
    let eras = person.edge.app.publications.timeline(&person.owner).await?;
    html(&OwnVersions {
        shell: person.shell().await?,
        versions: eras.into_iter().rev().map(|era| version(&person, era)).collect(),
    })
}

/// `POST /privacy/policies/{version}/acknowledge`
pub(crate) async fn acknowledge(
    person: Person,
    Path((_, version)): Path<(String, String)>,
    _form: Filled,
) -> Answer {
    person.edge.app.publications.acknowledge(&person.owner, &version).await?;
    Ok(see_done(&format!("{}/privacy", person.root()), Done::Acknowledged))
}

fn version(person: &Person, era: Era) -> OwnVersion {
    let told = [
        ("The notice stands in your privacy centre since", era.posted_at),
        ("We wrote to you on", era.mailed_at),
        ("You said that you had read it on", era.acknowledged_at),
    ];
    let say = |(says, at): (&str, Option<crate::base::Timestamp>)| {
        at.map(|at| format!("{says} {}.", at.in_words()))
    };
    let words = era.words.iter().map(|(purpose, word)| {
        let title = purpose_title(&person.policy, purpose);
        format!("{}: {} on {}.", title, word.state.as_str(), word.at.in_words())
    });
    OwnVersion {
        now: era.version == person.policy.version(),
        from: era.from.into(),
        until: era.until.map(Moment::from),
        told: told.into_iter().filter_map(say).collect(),
        words: words.collect(),
        href: format!("{}/policy/{}", person.root(), era.version),
        version: era.version,
        hash: era.sha256,
    }
}
