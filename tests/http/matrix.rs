//! Who may reach what: every operation of the OpenAPI document, with one's own thing, another's, one that is erased, one
//! that nobody has, one that cannot be, and with no proof of who calls. What is another's and what is not there are the
//! same answer, to the byte.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::json;
use vouchsafe::base::{
    Clock, DeliveryId, EditId, Entropy, HoldId, MandateId, ObjectId, ReceiptId, RequestId, WebhookId,
};
use vouchsafe::policy::Role;
use vouchsafe::subjects::Scope;

use super::drp::Agent;
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, Person, Staff, TENANT};
use crate::support::call::{Answer, Sender};

/// Who an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Person,
    Key,
    Staff,
    Anybody,
    /// An agent of people, with its token.
    Agent,
    /// An agent of people that has none yet: what it sends is signed.
    Signed,
}

/// What the path of an operation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Nothing,
    Image,
    Edit,
    Request,
    Hold,
    Receipt,
    Tenant,
    Purpose,
    Version,
    Tile,
    Webhook,
    Delivery,
    Mandate,
}

/// Every operation there is. What is not here fails the test.
#[rustfmt::skip]
const OPERATIONS: &[(&str, &str, For, Names)] = &[
    ("post",   "/v1/accounts",                    For::Key,     Names::Nothing),
    ("post",   "/v1/accounts/elsewhere",          For::Key,     Names::Nothing),
    ("get",    "/v1/account",                     For::Person,  Names::Nothing),
    ("patch",  "/v1/account",                     For::Person,  Names::Nothing),
    ("post",   "/v1/account/close",               For::Person,  Names::Nothing),
    ("get",    "/v1/account/preferences",         For::Person,  Names::Nothing),
    ("put",    "/v1/account/preferences",         For::Person,  Names::Nothing),
    ("get",    "/v1/account/policies",            For::Person,  Names::Nothing),
    ("put",    "/v1/account/policies/{version}/acknowledgement", For::Person, Names::Version),
    ("post",   "/v1/images",                      For::Person,  Names::Nothing),
    ("get",    "/v1/images",                      For::Person,  Names::Nothing),
    ("get",    "/v1/images/{id}",                 For::Person,  Names::Image),
    ("get",    "/v1/images/{id}/details",         For::Person,  Names::Image),
    ("get",    "/v1/images/{id}/small",           For::Person,  Names::Image),
    ("delete", "/v1/images/{id}",                 For::Person,  Names::Image),
    ("post",   "/v1/edits",                       For::Person,  Names::Nothing),
    ("get",    "/v1/edits",                       For::Person,  Names::Nothing),
    ("post",   "/v1/edits/batch",                 For::Person,  Names::Nothing),
    ("get",    "/v1/edits/{id}",                  For::Person,  Names::Edit),
    ("post",   "/v1/edits/{id}/cancel",           For::Person,  Names::Edit),
    ("get",    "/v1/edits/{id}/events",           For::Person,  Names::Edit),
    ("delete", "/v1/edits/{id}",                  For::Person,  Names::Edit),
    ("get",    "/v1/credits",                     For::Person,  Names::Nothing),
    ("post",   "/v1/credits",                     For::Key,     Names::Nothing),
    ("get",    "/v1/consents",                    For::Person,  Names::Nothing),
    ("get",    "/v1/consents/history",            For::Person,  Names::Nothing),
    ("put",    "/v1/consents/{purpose}",          For::Person,  Names::Purpose),
    ("post",   "/v1/requests",                    For::Person,  Names::Nothing),
    ("get",    "/v1/requests",                    For::Person,  Names::Nothing),
    ("get",    "/v1/requests/{id}",               For::Person,  Names::Request),
    ("get",    "/v1/requests/{id}/archive",       For::Person,  Names::Request),
    ("post",   "/v1/imports",                     For::Person,  Names::Nothing),
    ("post",   "/v1/imports/preview",             For::Person,  Names::Nothing),
    ("post",   "/v1/requests/{id}/cancel",        For::Person,  Names::Request),
    ("post",   "/v1/requests/{id}/waive",         For::Person,  Names::Request),
    ("post",   "/v1/intake/mail",                 For::Key,     Names::Nothing),
    ("post",   "/v1/mandates",                    For::Key,     Names::Nothing),
    ("get",    "/v1/mandates/{id}",               For::Key,     Names::Mandate),
    ("post",   "/v1/mandates/{id}/requests",      For::Key,     Names::Mandate),
    ("get",    "/v1/account/mandates",            For::Person,  Names::Nothing),
    ("post",   "/v1/account/mandates/{id}/end",   For::Person,  Names::Mandate),
    ("get",    "/v1/receipts/{id}",               For::Anybody, Names::Receipt),
    ("get",    "/v1/policies/{tenant}",           For::Anybody, Names::Tenant),
    ("get",    "/v1/promises/{tenant}",           For::Anybody, Names::Tenant),
    ("get",    "/v1/retention/{tenant}",          For::Key,     Names::Tenant),
    ("post",   "/v1/webhooks",                    For::Key,     Names::Nothing),
    ("get",    "/v1/webhooks",                    For::Key,     Names::Nothing),
    ("get",    "/v1/webhooks/{id}",               For::Key,     Names::Webhook),
    ("patch",  "/v1/webhooks/{id}",               For::Key,     Names::Webhook),
    ("delete", "/v1/webhooks/{id}",               For::Key,     Names::Webhook),
    ("post",   "/v1/webhooks/{id}/secret",        For::Key,     Names::Webhook),
    ("post",   "/v1/webhooks/{id}/test",          For::Key,     Names::Webhook),
    ("get",    "/v1/webhooks/{id}/deliveries",    For::Key,     Names::Webhook),
    ("post",   "/v1/deliveries/{id}/again",       For::Key,     Names::Delivery),
    ("get",    "/v1/desk/queue",                  For::Staff,   Names::Nothing),
    ("get",    "/v1/desk/retention",              For::Staff,   Names::Nothing),
    ("get",    "/v1/desk/holds",                  For::Staff,   Names::Nothing),
    ("post",   "/v1/desk/holds",                  For::Staff,   Names::Nothing),
    ("post",   "/v1/desk/holds/{id}/approve",     For::Staff,   Names::Hold),
    ("post",   "/v1/desk/holds/{id}/review",      For::Staff,   Names::Hold),
    ("post",   "/v1/desk/holds/{id}/release",     For::Staff,   Names::Hold),
    // What these paths name is looked at by the last test of this file: the protocol has answers of its own.
    ("post",   "/drp/{tenant}/v1/agent/{agent}",  For::Signed,  Names::Nothing),
    ("get",    "/drp/{tenant}/v1/agent/{agent}",  For::Agent,   Names::Nothing),
    ("post",   "/drp/{tenant}/v1/data-rights-request", For::Agent, Names::Nothing),
    ("get",    "/drp/{tenant}/v1/data-rights-request/{id}", For::Agent, Names::Nothing),
    ("delete", "/drp/{tenant}/v1/data-rights-request/{id}", For::Agent, Names::Nothing),
    ("get",    "/ledger/checkpoint",              For::Anybody, Names::Nothing),
    ("get",    "/ledger/tile/{path}",             For::Anybody, Names::Tile),
    ("get",    "/ledger/key",                     For::Anybody, Names::Nothing),
    ("get",    "/ledger/archive-key",             For::Anybody, Names::Nothing),
    ("get",    "/healthz",                        For::Anybody, Names::Nothing),
    ("get",    "/readyz",                         For::Anybody, Names::Nothing),
];

#[test]
fn every_operation_of_the_document_is_in_the_matrix() {
    let document = serde_json::to_value(vouchsafe::http::openapi()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            described.insert((method.clone(), path.clone()));
            let row = OPERATIONS.iter().find(|(m, p, ..)| m == method && p == path);
            let (.., whom, _) = row.unwrap_or_else(|| panic!("{method} {path} is not in the matrix"));
            let open = call["security"].as_array().is_none_or(Vec::is_empty);
            assert_eq!(
                open,
                matches!(whom, For::Anybody | For::Signed),
                "{method} {path} does not say who may call it"
            );
        }
    }
    for (method, path, ..) in OPERATIONS {
        assert!(described.contains(&((*method).to_owned(), (*path).to_owned())), "{method} {path} is gone");
    }
}

/// What somebody has that others might want.
struct Belongings {
    image: String,
    edit: String,
    request: String,
    hold: String,
}

async fn belongings(app: &TestApp, person: &Person, staff: &Staff, seed: u64) -> Belongings {
    let image = app.upload(person, seed).await;
    let edited = app.upload(person, seed + 100).await;
    let edit = app.edit(person, &edited).await;
    let filed = app.post("/v1/requests").by(person).json(&json!({ "right": "access" })).send().await.json();
    let hold = json!({ "matter": "Case 1", "reason": "a court", "review_at": "2026-12-24T12:00:00Z" });
    let placed = app.post("/v1/desk/holds").by(staff).json(&hold).send().await.json();
    let text = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    Belongings { image, edit, request: text(&filed), hold: text(&placed) }
}

impl Belongings {
    fn of(&self, names: Names) -> Option<&str> {
        match names {
            Names::Image => Some(&self.image),
            Names::Edit => Some(&self.edit),
            Names::Request => Some(&self.request),
            Names::Hold => Some(&self.hold),
            Names::Receipt
            | Names::Tenant
            | Names::Purpose
            | Names::Version
            | Names::Tile
            | Names::Webhook
            | Names::Delivery
            | Names::Mandate
            | Names::Nothing => None,
        }
    }
}

/// Names of this sort that nobody has.
fn nobodys(names: Names) -> Vec<String> {
    let (clock, entropy) = (Clock::system(), Entropy::seeded(404));
    let unknown = match names {
        Names::Nothing => return Vec::new(),
        Names::Image => ObjectId::new(&clock, &entropy).to_string(),
        Names::Edit => EditId::new(&clock, &entropy).to_string(),
        Names::Request => RequestId::new(&clock, &entropy).to_string(),
        Names::Hold => HoldId::new(&clock, &entropy).to_string(),
        Names::Receipt => ReceiptId::new(&clock, &entropy).to_string(),
        Names::Tenant => "no-such-tenant".to_owned(),
        Names::Purpose => "no-such-purpose".to_owned(),
        Names::Version => "2099-01-01".to_owned(),
        Names::Tile => "entries/999".to_owned(),
        Names::Webhook => WebhookId::new(&clock, &entropy).to_string(),
        Names::Delivery => DeliveryId::new(&clock, &entropy).to_string(),
        Names::Mandate => MandateId::new(&clock, &entropy).to_string(),
    };
    let malformed = ["x", "%00", "%ff", "..%2f..%2fetc", "1%20OR%201=1", "%F0%9F%90%88"];
    let other_type = if names == Names::Image { "edt_" } else { "obj_" };
    let mut all =
        vec![unknown.clone(), unknown.to_uppercase(), format!("{unknown}0"), unknown[..5].to_owned()];
    all.extend(malformed.iter().map(ToString::to_string));
    all.push(format!("{other_type}{}", "0".repeat(32)));
    all.push("a".repeat(4000));
    all
}

fn filled(template: &str, name: &str) -> String {
    match template.split_once('{') {
        Some((before, rest)) => format!("{before}{name}{}", rest.split_once('}').unwrap().1),
        None => template.to_owned(),
    }
}

async fn call(app: &TestApp, method: &str, path: &str, by: &Sender) -> Answer {
    let call = app.call(&method.to_uppercase(), path).by(by);
    let call = if matches!(method, "put" | "patch") { call.json(&json!({ "on": true })) } else { call };
    call.send().await
}

/// What is told, without the reference that differs by design.
fn told(answer: &Answer) -> (u16, Bytes, Vec<(String, String)>) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str() != "x-reference")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, answer.body.clone(), headers)
}

/// Everything of a person's, as it stands.
async fn everything(app: &TestApp, person: &Person) -> String {
    let mut all = String::new();
    for path in ["/v1/account", "/v1/images", "/v1/edits", "/v1/credits", "/v1/consents", "/v1/requests"] {
        all += &app.get(path).by(person).send().await.text();
    }
    all
}

each_app! {
    async fn nobody_reaches_what_is_not_theirs(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let staff = app.staff(Role::Compliance).await;
        let other_staff = app.staff_of(OTHER_TENANT, Role::Compliance).await;
        let adas = belongings(&app, &ada, &staff, 1).await;
        let eves = belongings(&app, &eve, &staff, 2).await;
        app.settle().await;
        let erased = app.upload(&ada, 9).await;
        app.delete(&format!("/v1/images/{erased}")).by(&ada).send().await;
        let before = everything(&app, &ada).await;
        let metrics = app.api_key(&Scope::ALL).await;

        for (method, template, whom, names) in OPERATIONS {
            let at = format!("{method} {template}");
            let by: Sender = match whom {
                For::Person => (&eve).into(),
                For::Staff => (&other_staff).into(),
                For::Key => metrics.clone(),
                For::Anybody => Sender::nobody(),
                For::Agent | For::Signed => continue,
            };
            if *whom != For::Anybody {
                let path = filled(template, adas.of(*names).unwrap_or("x"));
                let nobody = call(&app, method, &path, &Sender::nobody()).await;
                assert_eq!(nobody.problem(401), "unauthenticated", "{at}");
            }
            let mut strange: Vec<String> = nobodys(*names);
            strange.extend(adas.of(*names).map(ToOwned::to_owned));
            if *names == Names::Image {
                strange.push(erased.clone());
            }
            let mut answers = Vec::new();
            for name in &strange {
                let answer = call(&app, method, &filled(template, name), &by).await;
                assert_eq!(answer.problem(404), "not-found", "{at} with {name}");
                answers.push(told(&answer));
            }
            answers.dedup();
            assert!(answers.len() <= 1, "{at} tells one stranger from another: {answers:?}");
        }
        assert_eq!(everything(&app, &ada).await, before);

        // The same calls with one's own things get through: the matrix above is not passed by a wall.
        for (method, template, whom, names) in OPERATIONS {
            let by: Sender = match whom {
                For::Person => (&eve).into(),
                For::Staff => (&staff).into(),
                For::Key | For::Anybody | For::Agent | For::Signed => continue,
            };
            let Some(own) = eves.of(*names) else { continue };
            let answer = call(&app, method, &filled(template, own), &by).await;
            assert!(matches!(answer.status, 200..=299 | 409), "{method} {template}: {}", answer.text());
        }
    }

    async fn another_tenants_key_reaches_nobody_here(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let key = app.api_key_of(OTHER_TENANT, &Scope::ALL).await.on_behalf_of(ada.owner.subject);
        for path in ["/v1/account".to_owned(), "/v1/images".to_owned(), format!("/v1/images/{image}")] {
            assert_eq!(app.get(&path).by(&key).send().await.problem(404), "not-found", "{path}");
        }
        let own = app.api_key_of(TENANT, &Scope::ALL).await.on_behalf_of(ada.owner.subject);
        assert_eq!(app.get(&format!("/v1/images/{image}")).by(&own).send().await.status, 200);
    }

    async fn agents_of_people_reach_what_they_asked_for_and_nothing_else(app: TestApp) {
        let (ada, staff) = (app.person("ada@example.org").await, app.staff(Role::Admin).await);
        let (slip, eve) = (Agent::paired(&app, "slip", 1).await, Agent::paired(&app, "eve", 2).await);
        let own = slip.ask(&app, &slip.wish(&app, "access", "ada@example.org")).await.json();
        let own = own["request_id"].as_str().unwrap().to_owned();
        let at = |template: &str, tenant: &str, name: &str| filled(&filled(template, tenant), name);
        let everybody = [Sender::nobody(), (&ada).into(), (&staff).into(), app.api_key(&Scope::ALL).await];
        let unknown = "019aab12-c000-7000-8000-00000000000a".to_owned();
        let shouted = own.to_uppercase();
        let long = "a".repeat(4000);
        for (method, template, whom, _) in OPERATIONS.iter().filter(|o| matches!(o.2, For::Agent | For::Signed)) {
            let named = if template.ends_with("{agent}") { "slip" } else { &own };
            let mut answers = Vec::new();
            if *whom == For::Agent {
                for by in &everybody {
                    answers.push(told(&call(&app, method, &at(template, TENANT, named), by).await));
                }
            }
            // A token of this business is none at another, or at one that there is not.
            for tenant in [OTHER_TENANT, "no-such-tenant", "%00"] {
                let by = Sender::bearer(&slip.token);
                answers.push(told(&call(&app, method, &at(template, tenant, named), &by).await));
            }
            let refusal = if template.ends_with("{agent}") { 403 } else { 401 };
            assert!(answers.iter().all(|a| a.0 == refusal), "{method} {template}: {answers:?}");
            answers.dedup();
            assert_eq!(answers.len(), 1, "{method} {template} tells one stranger from another: {answers:?}");

            let by = Sender::bearer(&eve.token);
            let strange = [named, &unknown, &shouted, "x", "%00", "..%2f..%2fetc", "%F0%9F%90%88", &long];
            let mut answers = Vec::new();
            for name in strange.iter().filter(|_| template.matches('{').count() == 2) {
                let answer = call(&app, method, &at(template, TENANT, name), &by).await;
                assert_eq!(answer.status, 403, "{method} {template} with {name}: {}", answer.text());
                answers.push(told(&answer));
            }
            answers.dedup();
            assert!(answers.len() <= 1, "{method} {template} tells one stranger from another: {answers:?}");
        }
        // The same calls with one's own get through.
        assert_eq!(slip.status(&app, &own).await.json()["status"], "in_progress");
        assert_eq!(slip.revoke(&app, &own, slip.sign(b"{}")).await.json()["status"], "revoked");
    }
}
