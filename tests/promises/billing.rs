//! Payments: no card number can be stored, an invoice stays exactly as long as the law wants it, and its owner sees it.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::{RequestId, Timestamp};
use vouchsafe::elsewhere::TaskState;
use vouchsafe::fakes::{At, Delivery, Fault};
use vouchsafe::policy::{Action, Due, Fact, Facts, Role};
use vouchsafe::subjects::Scope;
use vouchsafe::vault::NewRecord;

use super::{
    TENANTS, broken, count, document, entries, fact, filed, found, held, kept, records, taken_home,
    with_pages,
};
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};
use crate::{each_app, each_app_with_recipients};

async fn invoice(app: &TestApp, person: &Person, value: serde_json::Value) {
    let year_end = Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap();
    let facts = Facts::new().with(Fact::InvoiceYearEnd, year_end);
    let new = NewRecord { category: "billing", name: "invoice", value, parent: None, facts };
    app.app.vault.add_record(&person.owner, new).await.unwrap();
}

#[test]
fn an_invoice_is_kept_for_ten_years_and_reduced_when_its_account_closes() {
    for tenant in TENANTS {
        let policy = document(tenant);
        let year_end = Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap();
        let facts = Facts::new().with(Fact::InvoiceYearEnd, year_end);
        let due = policy.due("billing", &facts);
        assert!(
            matches!(&due, Due::At { at, .. } if at.rfc3339().starts_with("2037-01-01")),
            "{tenant}: {due:?}"
        );
        let reduced = policy.retention("billing-reduced").unwrap();
        assert_eq!(reduced.action, Action::Reduce, "{tenant}");
        for personal in ["email", "method", "stripe-customer", "stripe-payment"] {
            assert!(!reduced.keep_fields.iter().any(|f| f == personal), "{tenant}: {personal}");
        }
        let stripe = policy.processor("stripe").unwrap();
        assert_eq!(
            (stripe.purposes.as_slice(), stripe.hosts.as_slice()),
            (&["billing".into()][..], &["api.stripe.com".into()][..])
        );
        assert!(
            policy.may_send("input-image", "stripe", "billing").is_err(),
            "{tenant}: no picture goes there"
        );
    }
}

each_app! {
    async fn an_invoice_comes_home_with_its_owner_and_stays_while_the_law_wants_it(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let bob = app.person("bob@example.org").await;
        invoice(&app, &ada, json!({ "invoice-number": "A-1", "amount": 1900, "method": "card 4242" })).await;
        let files = taken_home(&app, &ada).await;
        assert!(String::from_utf8_lossy(&files["data/billing.json"]).contains("A-1"));
        assert!(!taken_home(&app, &bob).await.contains_key("data/billing.json"));
        for _ in 0..10 {
            app.advance(TimeDelta::days(365));
            app.app.subjects.touch(&ada.owner).await.unwrap();
            app.settle().await;
        }
        assert_eq!(held(&app, &ada.owner, "billing").await, 1, "not a day too early");
        app.advance(TimeDelta::days(60));
        app.app.subjects.touch(&ada.owner).await.unwrap();
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "billing").await, 0, "and not kept for good");
    }

    async fn a_card_number_has_no_place_and_one_that_was_smuggled_in_is_found(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for field in ["card-number", "cvc", "iban", "expiry"] {
            let value = json!({ "invoice-number": "A-1", field: "4242424242424242" });
            let new = NewRecord { category: "billing", name: "invoice", value, parent: None, facts: Facts::new() };
            assert!(app.app.vault.add_record(&ada.owner, new).await.is_err(), "{field}");
        }
        invoice(&app, &ada, json!({ "invoice-number": "A-1", "method": "card 4242" })).await;
        kept(&app, TENANT, "payment-data-outside").await;
        invoice(&app, &ada, json!({ "invoice-number": "A-2", "method": "4242 4242 4242 4242" })).await;
        broken(&app, TENANT, "payment-data-outside").await;
    }
}

each_app_with_recipients! {
    async fn what_stripe_invoices_is_ours_once_and_only_with_its_signature(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        let invoice = there.stripe.thing(&there.paid(&customer, "A-7")).unwrap();
        let sent = there.stripe.webhook("", "invoice.finalized", &invoice, None);
        let mut forged = sent.clone();
        forged.body.push(b' ');
        assert_eq!(there.deliver(&app, TENANT, &forged).await.problem(401), "unauthenticated");
        let unsigned = Delivery { headers: Vec::new(), ..sent.clone() };
        assert_eq!(there.deliver(&app, TENANT, &unsigned).await.problem(401), "unauthenticated");
        assert_eq!(held(&app, &ada.owner, "billing").await, 0);
        for _ in 0..3 {
            assert_eq!(there.deliver(&app, TENANT, &sent).await.status, 202);
        }
        // Another message of the same invoice, while the secret is being replaced.
        let paid = there.stripe.webhook("", "invoice.paid", &invoice, Some("whsec_the_next_one"));
        assert_eq!(there.deliver(&app, TENANT, &paid).await.status, 202);
        let kept = records(&app, &ada.owner, "billing", "billing").await.unwrap();
        assert_eq!(kept.len(), 1, "once, however often it is told");
        assert_eq!((&kept[0].value["invoice-number"], &kept[0].value["country"]), (&json!("A-7"), &json!("DE")));
        assert!(kept[0].item.facts.get(Fact::InvoiceYearEnd).is_some(), "and tax law's clock has started");

        let old = there.stripe.webhook("", "invoice.paid", &invoice, None);
        there.advance(&app, TimeDelta::minutes(6));
        assert_eq!(there.deliver(&app, TENANT, &old).await.problem(401), "unauthenticated", "too old");
        let nobodys = there.stripe.add_customer(&json!({ "email": "eve@example.org" }));
        let invoice = there.stripe.thing(&there.paid(&nobodys, "B-1")).unwrap();
        assert_eq!(there.send(&app, TENANT, "invoice.paid", &invoice).await.status, 202);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM record WHERE category = 'billing'").await, 1);
    }

    async fn a_customer_is_known_by_what_the_apps_server_says_and_by_nothing_else(app: TestApp, there: There) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let customer = there.stripe.add_customer(&json!({ "email": "ada@example.org" }));
        let wish = |who: &Person| {
            json!({ "subject": who.owner.subject.to_string(), "recipient": "stripe", "account": customer })
        };
        let place = "/v1/accounts/elsewhere";
        assert_eq!(app.post(place).by(&eve).json(&wish(&eve)).send().await.problem(401), "unauthenticated");
        let key = app.api_key(&[Scope::Accounts]).await;
        assert_eq!(app.post(place).by(key.clone()).json(&wish(&ada)).send().await.status, 204);
        assert_eq!(app.post(place).by(key.clone()).json(&wish(&ada)).send().await.status, 204);
        assert_eq!(app.post(place).by(key).json(&wish(&eve)).send().await.problem(409), "conflict");
        let files = taken_home(&app, &eve).await;
        assert!(!files.keys().any(|f| f.starts_with("recipients/")), "an address proves nothing");

        let marked = there.stripe.add_customer(&json!({
            "metadata": { "vouchsafe_subject": eve.owner.subject.to_string() },
        }));
        let thing = there.stripe.thing(&marked).unwrap();
        assert_eq!(there.send(&app, TENANT, "customer.created", &thing).await.status, 202);
        let known = app.app.elsewhere.by_name(&app.tenant(), "stripe", &marked).await.unwrap();
        assert_eq!(known, Some(eve.owner.clone()));
        there.is_content();
    }

    async fn what_stripe_holds_comes_home_and_goes_when_the_archive_can_no_longer_be_had(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        there.paid(&customer, "A-1");
        let files = taken_home(&app, &ada).await;
        let whole: serde_json::Value = serde_json::from_slice(&files["recipients/stripe.json"]).unwrap();
        assert_eq!(whole["schema"], "vouchsafe/archive-recipient/1");
        assert_eq!(whole["tables"]["customer"][0]["id"], *customer);
        assert!(String::from_utf8_lossy(&files["recipients/stripe/invoices.csv"]).contains("A-1"));
        let copies = "SELECT COUNT(*) FROM record WHERE name = 'from-recipient'";
        assert_eq!(count(&app, copies).await, 1);
        app.advance(TimeDelta::days(31));
        app.settle().await;
        assert_eq!(count(&app, copies).await, 0);
        there.is_content();
    }

    async fn an_archive_waits_for_a_recipient_that_is_down_and_says_for_whom(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        there.customer(&app, &ada, "ada@example.org").await;
        for _ in 0..3 {
            there.stripe.fault(At::Status, Fault::Status(503));
        }
        let told = filed(&app, &ada, json!({ "right": "access" })).await;
        assert_eq!(told["problem"], "Stripe has not given what it holds yet", "{told}");
        app.advance(TimeDelta::minutes(2));
        app.settle().await;
        let path = format!("/v1/requests/{}", told["id"].as_str().unwrap());
        let ready = app.get(&path).by(&ada).send().await.json();
        assert_eq!(ready["state"], "fulfilled", "{ready}");
    }

    async fn an_erasure_reaches_stripe_and_says_what_stays_there_and_until_when(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada-canary@example.org").await;
        there.paid(&customer, "A-1");
        let method = there.stripe.add("payment_method", &customer, &json!({}));
        let desk = app.staff(Role::Compliance).await;
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure", "at_once": true }));
        let asked = asked.send().await.json();
        app.settle().await;
        app.advance(TimeDelta::minutes(1));
        app.settle().await;
        let id: RequestId = asked["id"].as_str().unwrap().parse().unwrap();
        let request = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert_eq!(request.outcome.as_deref(), Some("partly-fulfilled"), "{request:?}");
        let told = app.app.elsewhere.of_request(&app.tenant(), id).await.unwrap();
        let stays = told[0].stays.as_ref().unwrap();
        assert_eq!((told[0].state, stays.records), (TaskState::Stays, 2));
        assert!(stays.why.contains("90 days") && stays.until > Some(app.now()), "{stays:?}");
        assert_eq!(there.stripe.thing(&customer).unwrap()["email"], serde_json::Value::Null);
        assert_eq!(there.stripe.thing(&method).unwrap()["customer"], serde_json::Value::Null);
        // The books were made whole before: the invoice is kept here, in nobody's name.
        assert_eq!(count(&app, "SELECT COUNT(*) FROM record WHERE category = 'billing'").await, 1);
        assert_eq!(found(&app, &[customer.as_str(), "ada-canary"]).await, [""; 0], "nothing here leads to them");
        let done = entries(&app, "erasure.completed").await;
        assert_eq!(fact(&done[0], "at-stripe"), "methods-detached+read-back-blank");
        assert!(fact(&done[0], "until-stripe").starts_with("2027-02"));
        let app = with_pages(app);
        let page = format!("/flux-kontext/desk/requests/{}", request.reference);
        let page = app.get(&page).by(&desk).header("accept", "text/html").send().await;
        assert!(page.text().contains("Payments and invoices at Stripe (2)"), "{}", page.text());

        there.advance(&app, TimeDelta::days(91));
        for _ in 0..8 {
            app.settle().await;
            there.advance(&app, TimeDelta::minutes(2));
        }
        let told = app.app.elsewhere.of_request(&app.tenant(), id).await.unwrap();
        assert_eq!((told[0].state, told[0].proof.as_deref()), (TaskState::Done, Some("read-back-redacted")));
        assert!(!there.stripe.holds("ada-canary") && !there.stripe.holds("Ada of Stripe"));
        assert_eq!(count(&app, "SELECT COUNT(*) FROM disclosure WHERE deleted_at IS NULL").await, 0);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM elsewhere WHERE sealed IS NOT NULL").await, 0);
        assert_eq!(fact(&entries(&app, "disclosure.ended").await[0], "proof"), "read-back-redacted");
        there.is_content();
    }

    async fn an_erasure_is_not_called_done_while_stripe_has_not_proved_it(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        there.customer(&app, &ada, "ada@example.org").await;
        for _ in 0..4 {
            there.stripe.fault(At::Submit, Fault::Status(500));
        }
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure", "at_once": true }));
        let id: RequestId = asked.send().await.json()["id"].as_str().unwrap().parse().unwrap();
        for _ in 0..3 {
            app.settle().await;
            there.advance(&app, TimeDelta::seconds(90));
        }
        app.settle().await;
        let request = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert!(request.state.is_open(), "{request:?}");
        let why = request.problem.unwrap_or_default();
        assert_eq!(why, "Stripe: it cannot be reached");
        let task = &app.app.elsewhere.of_request(&app.tenant(), id).await.unwrap()[0];
        assert!(task.tries >= 2 && task.next_at.is_some() && task.due_at > app.now(), "{task:?}");
        assert_eq!(entries(&app, "erasure.completed").await.len(), 0);

        there.advance(&app, TimeDelta::days(4));
        broken(&app, TENANT, "provider-copies-removed").await;
        for _ in 0..6 {
            app.settle().await;
            there.advance(&app, TimeDelta::minutes(31));
        }
        let request = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert_eq!(request.outcome.as_deref(), Some("fulfilled"), "{request:?}");
        kept(&app, TENANT, "provider-copies-removed").await;
    }
}
