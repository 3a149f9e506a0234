//! Versions of the documents: how they are published, who is told, and what they do to what is held.

mod notices;
mod publish;
mod second;
mod strict;

use chrono::NaiveDate;
use vouchsafe::base::Timestamp;
use vouchsafe::policy::Policy;
use vouchsafe::publication::{Obstacle, Outcome};

use crate::support::house::{House, document};

/// The tenant's document as another version, with these words put for others.
fn version(day: &str, changes: &[(&str, &str)]) -> Policy {
    let mut text = document().replace("version = \"2026-11-01\"", &format!("version = \"{day}\""));
    text = text.replace("effective = 2026-11-01", &format!("effective = {day}"));
    for (old, new) in changes {
        assert!(text.contains(old), "the document does not say {old}");
        text = text.replace(old, new);
    }
    Policy::compile(&text).unwrap_or_else(|found| panic!("{found:?}"))
}

/// The first moment of a day.
fn day(text: &str) -> Timestamp {
    let day: NaiveDate = text.parse().unwrap();
    Timestamp::from_utc(day.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// Moves the clock to a moment.
fn go_to(house: &House, at: Timestamp) {
    house.advance(at.since(house.now()));
}

async fn publish(house: &House, policy: &Policy) -> Outcome {
    house.app.publications.publish(policy, None).await.unwrap()
}

/// Publishes what must be publishable.
async fn published(house: &House, policy: &Policy) {
    let outcome = publish(house, policy).await;
    assert!(matches!(outcome, Outcome::Published(..)), "{outcome:?}");
}

/// What stood in the way.
fn obstacles(outcome: Outcome) -> Vec<Obstacle> {
    let Outcome::Refused(outlook) = outcome else { panic!("not refused: {outcome:?}") };
    outlook.obstacles
}
