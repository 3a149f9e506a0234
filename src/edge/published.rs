//! A key set where its owner publishes it (RFC 7517): fetched when it is needed, again when it is old or a token names a
//! key that it does not have, and never so often that a stranger's tokens become somebody else's load.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::jwk::JwkSet;
use tokio::sync::Mutex;

use crate::base::{Clock, Timestamp};
use crate::egress::{Call, CallLog, Egress, Method, Names, Recipient, Url};

const RECIPIENT: &str = "identity-provider";
/// A set is taken for new for so long: providers say ten minutes.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How long one that cannot be fetched again still counts.
const LONGEST: TimeDelta = TimeDelta::hours(1);
/// The pause between two fetches.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// The most bytes of a set, and how long it may take.
const MOST: u64 = 256 << 10;
const WITHIN: Duration = Duration::from_secs(5);

/// A published key set.
pub(super) struct Published {
    url: Url,
    egress: Egress,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    set: Option<(Arc<JwkSet>, Timestamp)>,
    tried: Option<Timestamp>,
}

impl Published {
    /// `None` if the address is none that may be called: HTTPS, or this machine.
    pub(super) fn at(url: &str, clock: &Clock) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let recipient = Recipient::named(RECIPIENT).base(&url).ok()?;
        let egress = Egress::new(vec![recipient], &Names::System, clock.clone()).ok()?;
        Some(Self { url, egress, known: Mutex::default() })
    }

    /// The set, as far as it is known to hold now. `wanted`: the key that a token names.
    pub(super) async fn set(&self, wanted: Option<&str>, now: Timestamp) -> Option<Arc<JwkSet>> {
        let mut known = self.known.lock().await;
        let has = |set: &JwkSet| wanted.is_none_or(|kid| set.find(kid).is_some());
        let fresh = known.set.as_ref().is_some_and(|(set, at)| now.since(*at) < FRESH && has(set));
        let may = known.tried.is_none_or(|at| now.since(at) >= PAUSE);
        if !fresh && may {
            known.tried = Some(now);
            if let Some(set) = self.fetch().await {
                known.set = Some((Arc::new(set), now));
            }
        }
        known.set.as_ref().filter(|(_, at)| now.since(*at) < LONGEST).map(|(set, _)| Arc::clone(set))
    }

    async fn fetch(&self) -> Option<JwkSet> {
        let call = Call::new(RECIPIENT, Method::GET, self.url.clone(), "/jwks.json");
        let reply = self.egress.send(call.at_most(MOST).within(WITHIN), &CallLog::new()).await;
        let set = reply.ok().filter(|r| r.status == 200).and_then(|r| serde_json::from_slice(&r.body).ok());
        if set.is_none() {
            tracing::warn!("an identity provider's keys could not be fetched");
        }
        set
    }
}
