//! Versions of the document: the one that is announced, and what one had in force when.

use axum::extract::Path;

use crate::base::Timestamp;
use crate::consent::State as Said;
use crate::edge::Fault;
use crate::publication::Era;
use crate::speech::key;
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
        changes: changes(visit.tongue(), Some(&visit.policy), &next),
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
    let tongue = person.tongue();
    let told = [
        (key("The notice stands in your privacy centre since {time}."), era.posted_at),
        (key("We wrote to you on {time}."), era.mailed_at),
        (key("You said that you had read it on {time}."), era.acknowledged_at),
    ];
    let say = |(says, at): (&'static str, Option<Timestamp>)| {
        at.map(|at| tongue.put(says).with("time", tongue.time(at)).text())
    };
    let words = era.words.iter().map(|(purpose, word)| {
        let said = tongue.put(match word.state {
            Said::Given => key("{purpose}: given on {time}."),
            Said::Refused => key("{purpose}: refused on {time}."),
            Said::Withdrawn => key("{purpose}: withdrawn on {time}."),
            Said::Objected => key("{purpose}: objected on {time}."),
        });
        let said = said.with("purpose", purpose_title(&person.policy, purpose));
        said.with("time", tongue.time(word.at)).text()
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
