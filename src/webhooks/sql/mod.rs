//! The SQL of this room: webhooks with their secrets; messages, and each one's way to a webhook.

pub(super) mod delivery;
pub(super) mod webhook;

use super::model::Event;
use crate::store::Error;

fn parse<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::inconsistent("webhook", column))
}

fn event(text: &str) -> Result<Event, Error> {
    Event::ALL.into_iter().find(|e| e.as_str() == text).ok_or(Error::inconsistent("webhook", "event"))
}
