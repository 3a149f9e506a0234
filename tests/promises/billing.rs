//! Payments: no card number can be stored, an invoice stays exactly as long as the law wants it, and its owner sees it.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::Timestamp;
use vouchsafe::policy::{Action, Due, Fact, Facts};
use vouchsafe::vault::NewRecord;

use super::{TENANTS, broken, document, held, kept, taken_home};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};

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
