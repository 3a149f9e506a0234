//! Stripe's own protocol, against a stand-in that complains of whatever the real one would refuse.

use chrono::TimeDelta;
use serde_json::{Value, json};
use vouchsafe::egress::CallLog;
use vouchsafe::fakes::{At, Fault};
use vouchsafe::recipients::{Correction, Erased, Export, Memory, Proof, Recipient, RecipientError, Stripe};

use crate::support::elsewhere::There;

fn at(stripe: Stripe) -> Recipient {
    Recipient::Stripe(Box::new(stripe))
}

fn memory() -> Memory {
    Memory { task: "task-1".to_owned(), ..Memory::default() }
}

fn table<'e>(export: &'e Export, name: &str) -> &'e [Value] {
    export.tables.iter().find(|t| t.name == name).map_or(&[], |t| t.rows.as_slice())
}

async fn turns(
    there: &There,
    stripe: &Recipient,
    customer: &str,
    memory: &mut Memory,
) -> Result<Erased, RecipientError> {
    let mut last = stripe.erase(customer, memory, &CallLog::new()).await;
    for _ in 0..20 {
        match &last {
            Ok(Erased::Waiting { .. }) | Err(RecipientError::Lost | RecipientError::Unavailable) => {
                there.wait(TimeDelta::minutes(2));
                last = stripe.erase(customer, memory, &CallLog::new()).await;
            }
            _ => break,
        }
    }
    last
}

fn person(there: &There) -> String {
    there.stripe.add_customer(&json!({
        "email": "ada-canary@example.org", "name": "Ada Canary", "phone": "+44", "metadata": { "shoe": "38" },
        "address": { "line1": "12 Canary Row", "country": "GB" },
    }))
}

#[tokio::test]
async fn every_list_is_read_to_its_end() {
    let there = There::start().await;
    let customer = person(&there);
    let stranger = there.stripe.add_customer(&json!({ "email": "eve@example.org" }));
    let mut charges = Vec::new();
    for n in 0..250 {
        let fields = json!({ "amount": n, "amount_refunded": i64::from(n == 7), "disputed": n == 9 });
        charges.push(there.stripe.add("charge", &customer, &fields));
    }
    there.stripe.add("charge", &stranger, &json!({ "amount": 1, "amount_refunded": 0 }));
    there.stripe.add("refund", &customer, &json!({ "charge": charges[7] }));
    there.stripe.add("dispute", &customer, &json!({ "charge": charges[9] }));
    let lines: Vec<Value> = (0..25).map(|n| json!({ "id": format!("il_{n}"), "description": "x" })).collect();
    there.stripe.add("invoice", &customer, &json!({ "number": "A-1", "status": "paid", "all_lines": lines }));
    there.stripe.add("payment_method", &customer, &json!({ "card": { "last4": "4242" } }));
    there.stripe.add("subscription", &customer, &json!({ "status": "canceled" }));
    there.stripe.add(
        "payment_intent",
        &customer,
        &json!({ "status": "succeeded", "client_secret": "pi_x_secret_y" }),
    );

    let export = at(there.stripe_client(|_| {})).export(&customer, &CallLog::new()).await.unwrap();
    assert_eq!(table(&export, "charges").len(), 250);
    assert!(table(&export, "charges").iter().all(|c| c["customer"] == *customer), "nobody else's");
    for (name, n) in [("refunds", 1), ("disputes", 1), ("payment-methods", 1), ("subscriptions", 1)] {
        assert_eq!(table(&export, name).len(), n, "{name}");
    }
    assert_eq!(table(&export, "invoices")[0]["lines"]["data"].as_array().unwrap().len(), 25);
    assert!(!serde_json::to_string(&export).unwrap().contains("pi_x_secret_y"), "nothing that opens a door");
    there.is_content();
}

#[tokio::test]
async fn a_customer_without_payments_is_blanked_and_deleted_and_read_back() {
    let there = There::start().await;
    let customer = person(&there);
    let method = there.stripe.add("payment_method", &customer, &json!({}));
    let running = there.stripe.add("subscription", &customer, &json!({ "status": "active" }));
    let waiting =
        there.stripe.add("setup_intent", &customer, &json!({ "status": "requires_payment_method" }));
    let stripe = at(there.stripe_client(|_| {}));
    let erased = stripe.erase(&customer, &mut memory(), &CallLog::new()).await.unwrap();
    assert_eq!(erased, Erased::Proven(vec![Proof::Detached, Proof::Blanked, Proof::Deleted]));
    for (id, status) in [(running, "canceled"), (waiting, "canceled")] {
        assert_eq!(there.stripe.thing(&id).unwrap()["status"], status);
    }
    assert_eq!(there.stripe.thing(&method).unwrap()["customer"], Value::Null);
    assert!(!there.stripe.holds("anary"), "{:?}", there.stripe.thing(&customer));
    let again = stripe.erase(&customer, &mut memory(), &CallLog::new()).await.unwrap();
    assert_eq!(again, Erased::Proven(vec![Proof::Deleted]));
    there.is_content();
}

#[tokio::test]
async fn payments_stay_ninety_days_and_are_then_redacted() {
    let there = There::start().await;
    let customer = person(&there);
    there.paid(&customer, "A-1");
    let open = there.stripe.add("invoice", &customer, &json!({ "number": "A-2", "status": "open" }));
    let draft = there.stripe.add("invoice", &customer, &json!({ "status": "draft" }));
    let stripe = at(there.stripe_client(|_| {}));
    let mut memory = memory();
    let first = stripe.erase(&customer, &mut memory, &CallLog::new()).await.unwrap();
    let Erased::Stays(stay, proofs) = first else { panic!("{first:?}") };
    assert_eq!((stay.records, stay.again), (3, Some(there.now().plus(TimeDelta::days(90)))));
    assert_eq!(proofs, [Proof::Detached, Proof::Blanked]);
    assert_eq!(there.stripe.thing(&customer).unwrap()["email"], Value::Null);
    assert_eq!(there.stripe.thing(&open).unwrap()["status"], "void");
    assert_eq!(there.stripe.thing(&draft), None);
    assert!(there.stripe.holds("ada-canary"), "the charge still bears the address: blanking is no erasure");

    there.wait(TimeDelta::days(90));
    let last = turns(&there, &stripe, &customer, &mut memory).await;
    assert_eq!(last, Ok(Erased::Proven(vec![Proof::Redacted])));
    assert!(!there.stripe.holds("anary"));
    there.is_content();
}

#[tokio::test]
async fn where_nothing_can_be_redacted_the_customer_goes_and_payments_are_said_to_stay() {
    let there = There::start().await;
    let customer = person(&there);
    there.paid(&customer, "A-1");
    let stripe = at(there.stripe_client(|c| c.redaction = false));
    let erased = stripe.erase(&customer, &mut memory(), &CallLog::new()).await.unwrap();
    assert!(
        matches!(&erased, Erased::Stays(s, p) if s.again.is_none() && p.contains(&Proof::Deleted)),
        "{erased:?}"
    );
    there.is_content();
}

#[tokio::test]
async fn an_account_that_may_not_redact_is_never_called_done() {
    let there = There::start().await;
    let customer = person(&there);
    there.paid(&customer, "A-1");
    there.wait(TimeDelta::days(91));
    there.stripe.switch_redaction(false);
    let stripe = at(there.stripe_client(|_| {}));
    let refused = stripe.erase(&customer, &mut memory(), &CallLog::new()).await;
    assert_eq!(refused, Err(RecipientError::Unauthorised));
}

#[tokio::test]
async fn an_answer_that_was_lost_changes_nothing_twice() {
    for lost in 0..8 {
        let there = There::start().await;
        let customer = person(&there);
        there.paid(&customer, "A-1");
        there.stripe.add("payment_method", &customer, &json!({}));
        there.stripe.add("subscription", &customer, &json!({ "status": "active" }));
        there.wait(TimeDelta::days(91));
        for n in 0..8 {
            let fault = if n == lost { Fault::LoseAnswer } else { Fault::Status(503) };
            if n <= lost {
                there.stripe.fault(if n % 2 == 0 { At::Submit } else { At::Delete }, fault);
            }
        }
        let stripe = at(there.stripe_client(|_| {}));
        let last = turns(&there, &stripe, &customer, &mut memory()).await;
        assert_eq!(last, Ok(Erased::Proven(vec![Proof::Redacted])), "{lost}");
        let jobs = there.stripe.changes().iter().filter(|c| c.ends_with("/run")).count();
        assert!(jobs >= 1 && !there.stripe.holds("anary"), "{lost}");
        there.is_content();
    }
}

#[tokio::test]
async fn what_stripe_says_of_itself_is_told_apart() {
    let there = There::start().await;
    let customer = person(&there);
    let stripe = at(there.stripe_client(|_| {}));
    let export = async || stripe.export(&customer, &CallLog::new()).await;
    there.stripe.fault(At::Status, Fault::Busy(30));
    assert!(matches!(export().await, Err(RecipientError::Busy { after }) if after.as_secs() == 30));
    for _ in 0..3 {
        there.stripe.fault(At::Status, Fault::Status(500));
    }
    assert_eq!(export().await, Err(RecipientError::Unavailable));
    there.stripe.fault(At::Status, Fault::Status(500));
    assert!(export().await.is_ok(), "a read is tried again");
    there.stripe.fault(At::Status, Fault::Html);
    assert_eq!(export().await, Err(RecipientError::Garbled("a thing")));
    there.stripe.fault(At::Status, Fault::Redirect("http://169.254.169.254/".to_owned()));
    assert_eq!(export().await, Err(RecipientError::Garbled("redirect")));
    let other = at(there.stripe_client(|c| c.key = vouchsafe::base::Secret::new("sk_wrong".to_owned())));
    assert_eq!(other.export(&customer, &CallLog::new()).await, Err(RecipientError::Unauthorised));
    assert_eq!(stripe.export("cus_nobody", &CallLog::new()).await, Ok(Export::default()));
    for id in ["", "cus_", "cus_/../charges", "sub_1", "cus_1?expand[]=x"] {
        assert!(!stripe.is_account(id) && stripe.export(id, &CallLog::new()).await.is_err(), "{id}");
    }
}

#[tokio::test]
async fn a_correction_is_read_back() {
    let there = There::start().await;
    let customer = person(&there);
    let stripe = at(there.stripe_client(|_| {}));
    let new = Correction {
        email: "ada@new.example".into(),
        name: "Ada King".into(),
        username: "ada".into(),
        confirmed: true,
    };
    let proof = stripe.correct(&customer, &new, &mut memory(), &CallLog::new()).await.unwrap();
    assert_eq!(proof, Some(Proof::Corrected));
    assert_eq!(there.stripe.thing(&customer).unwrap()["email"], "ada@new.example");
    let changes = there.stripe.changes().len();
    stripe.correct(&customer, &new, &mut memory(), &CallLog::new()).await.unwrap();
    assert_eq!(there.stripe.changes().len(), changes, "what is right already is left alone");
    there.is_content();
}
