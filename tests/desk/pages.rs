//! Every page with a week's worth of work on it. The eye does the rest: set `VOUCHSAFE_RENDER_DIR` to a folder, and the
//! pages are written there with their stylesheet.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::Secret;
use vouchsafe::disclosure::Sending;
use vouchsafe::policy::{Channel, Facts, Role};
use vouchsafe::requests::{Ask, Filing};
use vouchsafe::store::jobs::{self, MOST_FAILURES, NewJob, Setback};
use vouchsafe::subjects::SignedIn;
use vouchsafe::vault::{Access, Actor, NewRecord};

use super::mandates::given;
use super::policies::{colleague, proposed};
use super::{done, open, send, shown, vouch, with_desk};
use crate::each_app;
use crate::support::app::{Person, Staff};
use crate::support::eyes::{EVERY_LIGHT, Eyes};
use crate::support::{Backend, TestApp, render};

/// A week of work: people, pictures, requests late and in time, a hold, copies sent, a job that failed.
async fn week(app: &TestApp, staff: &Staff) -> String {
    let mut people = Vec::new();
    for n in 0..6 {
        let person = app.person(&format!("p{n}@example.org")).await;
        edits(app, &person, n).await;
        people.push(person);
    }
    file(app, &people[0], Ask::Access, "").await;
    file(app, &people[1], Ask::Erasure { at_once: true }, "I am leaving.").await;
    let late = file(app, &people[2], Ask::Rectification(None), "My name is spelt with an accent.").await;
    app.settle().await;
    app.advance(TimeDelta::hours(40));
    file(app, &people[3], Ask::Rectification(None), "The invoice has my old name.").await;
    file(app, &people[4], Ask::Restriction { on: true }, "").await;
    file(app, &people[4], Ask::Erasure { at_once: false }, "").await;
    app.advance(TimeDelta::hours(35));
    sent(app, &people[0]).await;
    app.advance(TimeDelta::hours(4));
    looks(app, &people[5]).await;
    stopped(app).await;
    app.settle().await;
    let staff = again(app, staff).await;
    let subject = people[5].owner.subject.to_string();
    let hold = [
        ("whom", subject.as_str()),
        ("category", "billing"),
        ("category", "account"),
        ("reason", "A court asked for the invoices of this account."),
        ("law", "LG Berlin, 12 O 44/26"),
        ("review", "2027-01-20"),
    ];
    done(&send(app, &staff, "/holds", &hold).await);
    let path = format!("/requests/{late}");
    done(
        &send(
            app,
            &staff,
            &format!("{path}/note"),
            &[("note", "Wrote to ask for a copy of the passport page.")],
        )
        .await,
    );
    let refusal = [("ground", "found-accurate"), ("reason", "The invoice shows the name as it was given.")];
    done(&send(app, &staff, &format!("{path}/refuse"), &refusal).await);
    done(&send(app, &staff, "/ledger/verify", &[]).await);
    let report = Some(("review of contracts.pdf", &b"%PDF-1.7"[..]));
    done(&vouch(app, &staff, "attestation.agreements", "Each contract was read again.", report).await);
    late
}

async fn edits(app: &TestApp, person: &Person, n: u64) {
    let image = app.upload(person, n).await;
    app.edit(person, &image).await;
    let usage = NewRecord {
        category: "device",
        name: "visit",
        value: json!({ "device": "phone", "browser": "a family" }),
        parent: None,
        facts: Facts::new(),
    };
    app.app.vault.add_record(&person.owner, usage).await.unwrap();
}

async fn file(app: &TestApp, person: &Person, ask: Ask, words: &str) -> String {
    let filing = Filing {
        ask,
        channel: Channel::Page,
        by: Actor::Subject(person.owner.subject),
        proved: true,
        words: (!words.is_empty()).then(|| Secret::new(words.to_owned())),
    };
    app.app.requests.file(&person.owner, filing).await.unwrap().request.reference
}

/// A copy at a provider that is gone, one that is late, one that has time.
async fn sent(app: &TestApp, person: &Person) {
    for hours in [6, 3, 4] {
        let sending = Sending {
            processor: "fal-ai",
            purpose: "provide-edits",
            categories: &["input-image", "prompt"],
            edit: None,
            bytes: 1_048_576,
        };
        let mut tx = app.app.db.begin().await.unwrap();
        let id = app.app.disclosures.record(&mut tx, &person.owner, &sending).await.unwrap().unwrap();
        if hours != 3 {
            app.app.disclosures.gone(&mut tx, &app.tenant(), &id, "api-confirmed").await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

async fn looks(app: &TestApp, person: &Person) {
    let support = app.staff(Role::Support).await;
    let actor = Actor::Staff(support.member.id, Role::Support);
    app.question(person).await;
    for purpose in ["support", "training", "support"] {
        let _ = app.app.subjects.profile(&person.owner, &Access { actor: &actor, purpose }).await;
    }
}

async fn stopped(app: &TestApp) {
    let (clock, entropy) = (&app.app.clock, &app.app.entropy);
    let payload = json!({});
    let job = NewJob {
        kind: "provider.delete",
        payload: &payload,
        tenant: None,
        unique_key: None,
        run_at: app.now(),
        deadline: None,
    };
    let mut tx = app.app.db.begin().await.unwrap();
    jobs::enqueue(&mut tx, clock, entropy, &job).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..MOST_FAILURES {
        let mut tx = app.app.db.begin().await.unwrap();
        for claimed in jobs::claim(&mut tx, clock, entropy, 50).await.unwrap() {
            let pause = std::time::Duration::from_secs(1);
            let setback = Setback { why: "The provider answers 500 to the deletion.", own: true };
            jobs::retry(&mut tx, clock, &claimed, pause, setback).await.unwrap();
        }
        tx.commit().await.unwrap();
        app.advance(TimeDelta::seconds(2));
    }
}

async fn again(app: &TestApp, staff: &Staff) -> Staff {
    let cookie = app.sign_in(&SignedIn::Staff(staff.member.clone())).await;
    Staff { member: staff.member.clone(), cookie }
}

/// Two mandates that were given, one of which is over, and an agent of the protocol. Gives the page on which no reason was
/// said.
async fn acting(app: &TestApp, staff: &Staff) -> String {
    let (first, second) = (given(app, "p7@example.org").await, given(app, "p8@example.org").await);
    let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let agent = ("slip", "Permission Slip");
    app.app.drp.add_agent(&app.tenant(), agent, key, "https://agent.example").await.unwrap();
    let why = [("why", "The agent told us that it has closed.")];
    done(&send(app, staff, &format!("/mandates/{}/end", first.id), &why).await);
    shown(&send(app, staff, &format!("/mandates/{}/end", second.id), &[("why", " ")]).await)
}

/// Every page of the desk after such a week, by a name.
async fn taken(app: &TestApp) -> Vec<(&'static str, String)> {
    let staff = app.staff(Role::Compliance).await;
    let late = week(app, &staff).await;
    let staff = again(app, &staff).await;
    let why = [("reason", "to see how it stands")];
    done(&send(app, &staff, &format!("/requests/{late}/read"), &why).await);
    let mut pages = Vec::new();
    let quiet = shown(&open(app, &staff, "/mandates").await);
    pages.push(("mandates-none", quiet));
    let mistake = acting(app, &staff).await;
    pages.push(("mandates-mistake", mistake));
    for (name, path) in [
        ("today", String::new()),
        ("requests", "/requests".to_owned()),
        ("requests-all", "/requests?state=all".to_owned()),
        ("request", format!("/requests/{late}")),
        ("request-read", format!("/requests/{late}?read=yes")),
        ("retention", "/retention".to_owned()),
        ("promises", "/promises".to_owned()),
        ("promises-broken", "/promises?state=broken".to_owned()),
        ("promise", "/promises/retention.input-image".to_owned()),
        ("promise-broken", "/promises/right.rectification".to_owned()),
        ("promise-vouched", "/promises/attestation.agreements".to_owned()),
        ("holds", "/holds".to_owned()),
        ("processors", "/processors".to_owned()),
        ("mandates", "/mandates".to_owned()),
        ("reads", "/reads".to_owned()),
        ("ledger", "/ledger".to_owned()),
        ("people", "/people".to_owned()),
        ("policies", "/policies".to_owned()),
    ] {
        pages.push((name, shown(&open(app, &staff, &path).await)));
    }
    let found = send(app, &staff, "/people", &[("query", "p4@example.org")]).await;
    pages.push(("people-found", shown(&found)));
    pages.push(("holds-mistakes", shown(&send(app, &staff, "/holds", &[("whom", "nobody")]).await)));
    let admin = app.staff(Role::Admin).await;
    pages.push(("today-admin", shown(&open(app, &admin, "").await)));
    pages.push(("refused", open(app, &admin, "/holds").await.text()));
    let door = app.get("/flux-kontext/desk/sign-in").send().await;
    pages.push(("sign-in", shown(&door)));
    app.leave_the_queue();
    pages
}

/// A version that waits for a second person, as its proposer and as another see it.
async fn proposals(app: &TestApp) -> Vec<(&'static str, String)> {
    let (first, second) = (app.staff(Role::Compliance).await, colleague(app).await);
    let path = proposed(app, &first).await;
    let mut pages = vec![
        ("policies-waiting", shown(&open(app, &first, "/policies").await)),
        ("proposal-own", shown(&open(app, &first, &path).await)),
        ("proposal", shown(&open(app, &second, &path).await)),
    ];
    let empty = send(app, &second, &format!("{path}/refuse"), &[("reason", " ")]).await;
    pages.push(("proposal-mistake", shown(&empty)));
    done(&send(app, &second, &format!("{path}/refuse"), &[("reason", "We promised thirteen months.")]).await);
    pages.push(("proposal-decided", shown(&open(app, &first, &path).await)));
    pages
}

each_app! {
    async fn every_page_stands_after_a_week_of_work(app: TestApp) {
        let app = with_desk(app);
        let pages = taken(&app).await;
        let page = |name: &str| &pages.iter().find(|(n, _)| *n == name).unwrap().1;
        assert!(page("today").contains("past our promise") && page("today").contains("provider.delete"));
        assert!(page("requests").contains("PR-") && page("request").contains("A refusal was proposed"));
        assert!(page("processors").contains("FAL.AI") && page("processors").contains("late by"));
        assert!(page("holds").contains("12 O 44/26") && page("people-found").contains("restricted"));
        render::write(&pages);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_on_any_page_of_the_desk() {
    let app = with_desk(TestApp::open(Backend::Sqlite).await.unwrap());
    let mut pages = taken(&app).await;
    let app = with_desk(TestApp::open(Backend::Sqlite).await.unwrap());
    pages.extend(proposals(&app).await);
    app.settle().await;
    let album: Vec<_> = pages.into_iter().map(|(name, html)| (name.to_owned(), html)).collect();
    let eyes = Eyes::open().await;
    let found = eyes.look_over(&album, EVERY_LIGHT).await;
    eyes.close().await;
    assert!(found.is_empty(), "{} things:\n{}", found.len(), found.join("\n"));
}
