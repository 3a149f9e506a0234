//! Stripe and Supabase as stand-ins that run beside a test's service, under a clock that moves with its own.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::DropGuard;
use vouchsafe::base::{Clock, Entropy, ManualClock, Secret, Timestamp};
use vouchsafe::config::{Config, StripeCom, SupabaseCom};
use vouchsafe::egress::Url;
use vouchsafe::fakes::{FakeStripe, FakeSupabase, Options, Pace};
use vouchsafe::recipients::{Stripe, StripeConfig, Supabase, SupabaseConfig};

use super::TestApp;
use super::app::{OTHER_TENANT, Person, START, TENANT};
use super::call::Answer;
use crate::rooms::providers_stage::{egress, run};

/// The bucket in which an app of Supabase's keeps pictures of people.
pub(crate) const BUCKET: &str = "avatars";

/// Both of them.
pub(crate) struct There {
    pub(crate) stripe: FakeStripe,
    pub(crate) supabase: FakeSupabase,
    clock: Clock,
    hand: ManualClock,
    _stop: [DropGuard; 2],
}

impl There {
    pub(crate) async fn start() -> Self {
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339(START).unwrap());
        let options = |seed| Options {
            clock: clock.clone(),
            entropy: Entropy::seeded(seed),
            pace: Pace::Manual,
            deliver: false,
        };
        let here = "127.0.0.1:0".parse().unwrap();
        let (stripe, listening) = FakeStripe::bind(here, options(31)).await.unwrap();
        let first = run(listening);
        let (supabase, listening) = FakeSupabase::bind(here, options(32)).await.unwrap();
        let second = run(listening);
        Self { stripe, supabase, clock, hand, _stop: [first, second] }
    }

    /// Sets a service up for them: Stripe for both tenants, Supabase for the other one.
    pub(crate) fn configure(&self, config: &mut Config) {
        for tenant in [TENANT, OTHER_TENANT] {
            let named = StripeCom {
                key: Secret::new(FakeStripe::KEY.to_owned()),
                webhook_secrets: Some(Secret::new(format!("whsec_the_next_one {}", self.stripe.secret()))),
                redaction: true,
                base: Some(self.stripe.base().to_owned()),
            };
            config.recipients.stripe.insert(tenant.to_owned(), named);
        }
        let named = SupabaseCom {
            url: self.supabase.base().to_owned(),
            secret_key: Secret::new(FakeSupabase::KEY.to_owned()),
            buckets: BUCKET.to_owned(),
            log_cleaner: Some(FakeSupabase::CLEANER.to_owned()),
        };
        config.recipients.supabase.insert(OTHER_TENANT.to_owned(), named);
    }

    /// A client of Stripe's over the stand-in.
    pub(crate) fn stripe_client(&self, change: impl FnOnce(&mut StripeConfig)) -> Stripe {
        let mut config = StripeConfig::live(Secret::new(FakeStripe::KEY.to_owned()), Vec::new()).unwrap();
        config.api = Url::parse(self.stripe.base()).unwrap();
        config.pause = Duration::ZERO;
        change(&mut config);
        let egress = egress(config.recipient().unwrap(), &self.clock);
        Stripe::new(config, egress, self.clock.clone())
    }

    /// A client of Supabase's over the stand-in.
    pub(crate) fn supabase_client(&self, change: impl FnOnce(&mut SupabaseConfig)) -> Supabase {
        let project = Url::parse(self.supabase.base()).unwrap();
        let mut config = SupabaseConfig::new(project, Secret::new(FakeSupabase::KEY.to_owned()));
        config.buckets = vec![BUCKET.to_owned()];
        config.log_cleaner = Some(FakeSupabase::CLEANER.to_owned());
        config.pause = Duration::ZERO;
        change(&mut config);
        let egress = egress(config.recipient().unwrap(), &self.clock);
        Supabase::new(config, egress, self.clock.clone())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the stand-ins' clock alone.
    pub(crate) fn wait(&self, by: TimeDelta) {
        self.hand.advance(by);
    }

    /// Moves both clocks.
    pub(crate) fn advance(&self, app: &TestApp, by: TimeDelta) {
        self.hand.advance(by);
        app.advance(by);
    }

    /// A customer of Stripe's that bears a person's name and address, and is known to be theirs.
    pub(crate) async fn customer(&self, app: &TestApp, person: &Person, email: &str) -> String {
        let customer = self.stripe.add_customer(&json!({ "email": email, "name": "Ada of Stripe" }));
        app.app.elsewhere.link(&person.owner, "stripe", &customer).await.unwrap();
        customer
    }

    /// A user of Supabase's who is known to be a person.
    pub(crate) async fn user(&self, app: &TestApp, person: &Person, email: &str) -> String {
        let user = self.supabase.add_user(email);
        app.app.elsewhere.link(&person.owner, "supabase", &user).await.unwrap();
        user
    }

    /// A payment with its invoice. Gives the invoice.
    pub(crate) fn paid(&self, customer: &str, number: &str) -> String {
        self.stripe.add("charge", customer, &json!({
            "amount": 1900, "currency": "eur", "status": "succeeded", "amount_refunded": 0, "disputed": false,
            "billing_details": { "email": "ada-canary@example.org", "name": "Ada of Stripe" },
        }));
        self.stripe.add("invoice", customer, &json!({
            "number": number, "status": "paid", "total": 1900, "currency": "eur", "customer_name": "Ada of Stripe",
            "customer_email": "ada-canary@example.org", "customer_address": { "country": "DE" },
            "all_lines": [{ "id": "il_1", "description": "100 credits" }],
        }))
    }

    /// Has Stripe send a message about a thing to a tenant.
    pub(crate) async fn send(&self, app: &TestApp, tenant: &str, kind: &str, thing: &Value) -> Answer {
        let delivery = self.stripe.webhook("", kind, thing, None);
        self.deliver(app, tenant, &delivery).await
    }

    /// Hands a message over as it is.
    pub(crate) async fn deliver(
        &self,
        app: &TestApp,
        tenant: &str,
        delivery: &vouchsafe::fakes::Delivery,
    ) -> Answer {
        let mut call = app.post(&format!("/hooks/stripe/{tenant}"));
        for (name, value) in &delivery.headers {
            call = call.header(name, value);
        }
        call.body("application/json", delivery.body.clone()).send().await
    }

    /// Neither was asked for anything that the real one would refuse.
    pub(crate) fn is_content(&self) {
        assert_eq!(self.stripe.complaints(), [""; 0]);
        assert_eq!(self.supabase.complaints(), [""; 0]);
    }
}

/// As `each_app!`, beside stand-ins of Stripe and Supabase that the service is set up for.
#[macro_export]
macro_rules! each_app_with_recipients {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp, $there:ident: There) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            use $crate::support::Backend;
            use $crate::support::elsewhere::There;

            async fn body($app: TestApp, $there: There) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                let there = There::start().await;
                if let Some(app) = TestApp::open_with(Backend::Sqlite, |c| there.configure(c)).await {
                    body(app, there).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                let there = There::start().await;
                if let Some(app) = TestApp::open_with(Backend::Postgres, |c| there.configure(c)).await {
                    body(app, there).await;
                }
            }
        }
    )+};
}
