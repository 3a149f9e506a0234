use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::Error;
use crate::base::{DeliveryId, Entropy, MessageId, SubjectId, TenantId, Timestamp, WebhookId};

/// What an app can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// An edit has its result.
    EditSucceeded,
    /// An edit ended without one.
    EditFailed,
    /// An edit was stopped by its owner.
    EditCancelled,
    /// A rights request was answered.
    RequestAnswered,
    /// A person is erased, and it was seen that nothing is left.
    AccountErased,
    /// Nothing happened: somebody tries the webhook.
    Test,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::EditSucceeded,
        Self::EditFailed,
        Self::EditCancelled,
        Self::RequestAnswered,
        Self::AccountErased,
        Self::Test,
    ];

    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EditSucceeded => "edit.succeeded",
            Self::EditFailed => "edit.failed",
            Self::EditCancelled => "edit.cancelled",
            Self::RequestAnswered => "request.answered",
            Self::AccountErased => "account.erased",
            Self::Test => "webhook.test",
        }
    }

    /// Under which name the id of what it is about is told.
    fn names(self) -> &'static str {
        match self {
            Self::EditSucceeded | Self::EditFailed | Self::EditCancelled => "edit",
            Self::RequestAnswered | Self::AccountErased => "request",
            Self::Test => "webhook",
        }
    }
}

impl FromStr for Event {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let why = "events: edit.succeeded, edit.failed, edit.cancelled, request.answered, account.erased";
        Self::ALL.into_iter().find(|e| e.as_str() == s && *e != Self::Test).ok_or(Error::BadValue(why))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is told of events.
    On,
    /// Its owner turned it off.
    Off,
    /// We turned it off.
    Stopped(Why),
}

/// Why we turned a webhook off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its address answered 410: it wants no more.
    Gone,
    /// Nothing got through for as long as one message is tried.
    Failing,
}

impl State {
    pub(super) fn columns(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::On => ("on", None),
            Self::Off => ("off", None),
            Self::Stopped(Why::Gone) => ("stopped", Some("gone")),
            Self::Stopped(Why::Failing) => ("stopped", Some("failing")),
        }
    }

    pub(super) fn of(state: &str, why: Option<&str>) -> Option<Self> {
        [Self::On, Self::Off, Self::Stopped(Why::Gone), Self::Stopped(Why::Failing)]
            .into_iter()
            .find(|s| s.columns() == (state, why))
    }
}

/// An address of an app that is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The address.
    pub url: String,
    /// What it is told of; of everything, if empty.
    pub events: Vec<Event>,
    /// What its owner calls it.
    pub label: String,
    /// How it stands.
    pub state: State,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when the secret before this one signs as well.
    pub old_until: Option<Timestamp>,
    /// Since when nothing got through.
    pub failing_since: Option<Timestamp>,
    /// How often in a row nothing got through.
    pub failures: i64,
}

impl Webhook {
    /// Whether it is told of this.
    pub(super) fn takes(&self, event: Event) -> bool {
        self.events.is_empty() || self.events.contains(&event)
    }
}

/// What happened, by ids alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: MessageId,
    pub(super) tenant: TenantId,
    pub(super) event: Event,
    pub(super) subject: Option<SubjectId>,
    pub(super) about: Option<String>,
    pub(super) at: Timestamp,
}

impl Message {
    /// The body: the same bytes on every try.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut data = Map::new();
        if let Some(subject) = self.subject {
            data.insert("subject".to_owned(), subject.to_string().into());
        }
        if let Some(about) = &self.about {
            data.insert(self.event.names().to_owned(), about.as_str().into());
        }
        let mut body = Map::new();
        body.insert("type".to_owned(), self.event.as_str().into());
        body.insert("timestamp".to_owned(), self.at.rfc3339().into());
        body.insert("data".to_owned(), Value::Object(data));
        Value::Object(body).to_string().into_bytes()
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is tried, or will be.
    Waiting,
    /// The address answered 2xx.
    Delivered,
    /// It was tried for as long as the schedule goes.
    Failed,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A message on its way to one webhook: a line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The message's id, which the receiver sees as `webhook-id`.
    pub message: MessageId,
    /// What happened.
    pub event: Event,
    /// When it happened.
    pub at: Timestamp,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// When it was tried last.
    pub tried_at: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<i64>,
    /// Why the last try came to nothing: a fixed word.
    pub failure: Option<String>,
    /// How long the last answer took, in milliseconds.
    pub millis: Option<i64>,
}

/// The pause after each try that came to nothing (the example schedule of Standard Webhooks 1.0): the first try is made
/// at once, the last after three days and three hours.
const SCHEDULE: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];
/// The longest that a receiver may ask us to wait.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// The pause after the try of this number, counted from one; `None` after the last. Up to a fifth longer, at random, so that
/// what failed together does not come back together. What the receiver asks for counts when it is longer.
pub(super) fn pause(tries: i64, asked: Option<TimeDelta>, entropy: &Entropy) -> Option<TimeDelta> {
    let place = usize::try_from(tries.saturating_sub(1)).ok()?;
    let pause = SCHEDULE.get(place)?;
    let longer = pause.num_milliseconds() / 5 * i64::from(entropy.bytes::<1>()[0]) / 255;
    let pause = *pause + TimeDelta::milliseconds(longer);
    Some(asked.map_or(pause, |asked| asked.min(LONGEST).max(pause)))
}

/// How long an address is left alone after it failed this often in a row, whatever waits for it: 5 s doubled each time, at
/// most five minutes.
pub(super) fn quiet(failures: i64) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 6)).unwrap_or(6);
    (TimeDelta::seconds(5) * 2_i32.pow(doublings)).min(TimeDelta::minutes(5))
}

/// How long a `Retry-After` asks us to wait: seconds, or a date of HTTP.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<TimeDelta> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return TimeDelta::try_seconds(text.parse().ok()?);
    }
    let until = chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp_micros();
    Some(Timestamp::from_micros(until).since(now).max(TimeDelta::zero()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_schedule_goes_on_for_three_days_and_ends() {
        let entropy = Entropy::seeded(1);
        let all: TimeDelta = (1..).map_while(|tries| pause(tries, None, &entropy)).sum();
        assert!(all >= TimeDelta::hours(75) && all <= TimeDelta::hours(91), "{all}");
        assert_eq!(pause(10, Some(TimeDelta::seconds(1)), &entropy), None);
        let asked = |asked| pause(1, Some(asked), &entropy).unwrap();
        assert_eq!(asked(TimeDelta::minutes(2)), TimeDelta::minutes(2));
        assert!(asked(TimeDelta::seconds(1)) >= TimeDelta::seconds(5));
        assert_eq!(asked(TimeDelta::days(400)), LONGEST);
    }

    #[test]
    fn an_address_that_fails_is_left_alone_ever_longer() {
        let seconds: Vec<_> = [1, 2, 3, 6, 7, 99].into_iter().map(|n| quiet(n).num_seconds()).collect();
        assert_eq!(seconds, [5, 10, 20, 160, 300, 300]);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap();
        assert_eq!(retry_after(" 120 ", now), Some(TimeDelta::seconds(120)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 12:01:00 GMT", now), Some(TimeDelta::minutes(1)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 11:00:00 GMT", now), Some(TimeDelta::zero()));
        for odd in ["", "-1", "soon", "99999999999999999999", "1.5"] {
            assert_eq!(retry_after(odd, now), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_header_of_a_receiver_panics(text in "\\PC{0,40}") {
            let _ = retry_after(&text, Timestamp::from_micros(0));
        }
    }
}
