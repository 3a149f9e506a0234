//! Accounts elsewhere: who is known by which name, tasks that are done once, and what a person's state means for them.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use vouchsafe::elsewhere::{Error, TaskKind, TaskState};
use vouchsafe::fakes::{At, Fault};
use vouchsafe::policy::Role;
use vouchsafe::requests::AddressBy;
use vouchsafe::subjects::Profile;
use vouchsafe::vault::Actor;

use crate::each_app_with_recipients;
use crate::support::app::{OTHER_TENANT, Person, TENANT};
use crate::support::elsewhere::There;
use crate::support::house::{count_in, run_in};
use crate::support::{Backend, TestApp};

async fn correct(app: &TestApp, person: &Person) {
    let me = Actor::Subject(person.owner.subject);
    let new = Profile { email: "ada@new.example".into(), name: "Ada King".into(), username: "ada".into() };
    app.app.requests.correct(&person.owner, &me, &new, AddressBy::App).await.unwrap();
}

/// Invoices of more people at once than the service has connections: none may hold one and wait for another's.
async fn more_invoices_at_once_than_connections(backend: Backend) {
    let there = There::start().await;
    let opened = TestApp::open_with(backend, |config| {
        there.configure(config);
        config.store.connections = Some(3);
    });
    let Some(app) = opened.await else { return };
    let mut sent = Vec::new();
    for n in 0..9 {
        let email = format!("person{n}@example.org");
        let person = app.person(&email).await;
        let customer = there.customer(&app, &person, &email).await;
        let invoice = there.stripe.thing(&there.paid(&customer, &format!("N-{n}"))).unwrap();
        sent.push(there.stripe.webhook("", "invoice.paid", &invoice, None));
    }
    let answers = join_all(sent.iter().map(|message| there.deliver(&app, TENANT, message))).await;
    let answers: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(answers, [202; 9]);
    assert_eq!(count_in(&app.app.db, "SELECT COUNT(*) FROM record WHERE category = 'billing'").await, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_invoices_at_once_than_connections_sqlite() {
    more_invoices_at_once_than_connections(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_invoices_at_once_than_connections_postgres() {
    more_invoices_at_once_than_connections(Backend::Postgres).await;
}

each_app_with_recipients! {
    async fn invoices_told_twice_at_the_same_moment_are_kept_once(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        let mut sent = Vec::new();
        for number in ["A-1", "A-2", "A-3"] {
            let invoice = there.stripe.thing(&there.paid(&customer, number)).unwrap();
            for kind in ["invoice.finalized", "invoice.paid"] {
                sent.push(there.stripe.webhook("", kind, &invoice, None));
            }
        }
        let (looked, answers) = tokio::join!(
            app.app.elsewhere.complete_books(&ada.owner),
            join_all(sent.iter().map(|message| there.deliver(&app, TENANT, message)))
        );
        looked.unwrap();
        assert!(answers.iter().all(|answer| answer.status == 202));
        assert_eq!(count_in(&app.app.db, "SELECT COUNT(*) FROM record WHERE category = 'billing'").await, 3);
        assert_eq!(count_in(&app.app.db, "SELECT COUNT(*) FROM told").await, 6, "each message is noted");
        assert_eq!(app.app.elsewhere.complete_books(&ada.owner).await.unwrap(), 0);
        there.is_content();
    }

    async fn a_name_is_one_persons_within_a_tenant(app: TestApp, there: There) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let other = app.person_of(OTHER_TENANT, "ada@example.org").await;
        let elsewhere = &app.app.elsewhere;
        elsewhere.link(&ada.owner, "stripe", "cus_1").await.unwrap();
        elsewhere.link(&ada.owner, "stripe", "cus_1").await.unwrap();
        elsewhere.link(&ada.owner, "stripe", "cus_2").await.unwrap();
        elsewhere.link(&other.owner, "stripe", "cus_1").await.unwrap();
        assert!(matches!(elsewhere.link(&eve.owner, "stripe", "cus_1").await, Err(Error::Taken)));
        assert!(matches!(elsewhere.link(&eve.owner, "paypal", "cus_3").await, Err(Error::NotSetUp)));
        assert!(matches!(elsewhere.link(&eve.owner, "supabase", "cus_3").await, Err(Error::NotSetUp)));
        for bad in ["", "cus_", "cus_../1", "in_1", "cus_1 "] {
            assert!(matches!(elsewhere.link(&eve.owner, "stripe", bad).await, Err(Error::BadName)), "{bad}");
        }
        assert_eq!(elsewhere.accounts(&ada.owner).await.unwrap().len(), 2);
        assert_eq!(elsewhere.accounts(&eve.owner).await.unwrap().len(), 0);
        assert_eq!(elsewhere.by_name(&app.tenant(), "stripe", "cus_1").await.unwrap(), Some(ada.owner.clone()));
        let register = app.app.disclosures.of(&ada.owner).await.unwrap();
        assert_eq!(register.len(), 2, "that somebody else holds something stands in the register");
        assert_eq!(count_in(&app.app.db, "SELECT COUNT(*) FROM elsewhere").await, 3);
        for (tenant, name, answer) in elsewhere.greet().await {
            assert_eq!(answer, Ok(()), "{tenant} {name}");
        }
        there.is_content();
    }

    async fn a_correction_is_told_once_to_each_whoever_looks_first(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        correct(&app, &ada).await;
        let go_on = || false;
        let (a, b) = tokio::join!(app.app.elsewhere.turn(&go_on), app.app.elsewhere.turn(&go_on));
        assert_eq!(a.unwrap() + b.unwrap(), 1);
        assert_eq!(there.stripe.thing(&customer).unwrap()["email"], "ada@new.example");
        assert_eq!(there.stripe.changes().len(), 1);
        let told = app.app.elsewhere.of(&ada.owner).await.unwrap();
        assert_eq!((told[0].kind, told[0].state), (TaskKind::Correct, TaskState::Done));
        assert_eq!(told[0].proof.as_deref(), Some("read-back-corrected"));
        let register = app.app.disclosures.of(&ada.owner).await.unwrap();
        assert_eq!(register.len(), 2, "the account, and what was sent to correct it");
        there.is_content();
    }

    async fn a_correction_waits_for_a_recipient_that_is_down(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        correct(&app, &ada).await;
        there.stripe.fault(At::Submit, Fault::Busy(120));
        app.settle().await;
        let waiting = app.app.elsewhere.not_done(&app.tenant()).await.unwrap();
        assert_eq!(waiting[0].problem.as_deref(), Some("it asks us to wait"));
        assert_eq!(waiting[0].next_at, Some(app.now().plus(TimeDelta::seconds(120))), "as long as it asked");
        there.advance(&app, TimeDelta::seconds(121));
        app.settle().await;
        assert_eq!(there.stripe.thing(&customer).unwrap()["name"], "Ada King");
        assert!(app.app.elsewhere.not_done(&app.tenant()).await.unwrap().is_empty());
        let register = app.app.disclosures.of(&ada.owner).await.unwrap();
        assert_eq!(register.len(), 2, "two tries are one disclosure");
    }

    async fn a_task_that_does_not_open_says_so_and_keeps_no_other(app: TestApp, there: There) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        there.customer(&app, &ada, "ada@example.org").await;
        let customer = there.customer(&app, &eve, "eve@example.org").await;
        correct(&app, &ada).await;
        let me = Actor::Subject(eve.owner.subject);
        let new = Profile { email: "eve@new.example".into(), name: "Eve".into(), username: "eve".into() };
        app.app.requests.correct(&eve.owner, &me, &new, AddressBy::App).await.unwrap();
        let hers = format!("WHERE subject = '{}'", ada.owner.subject);
        run_in(&app.app.db, &format!("UPDATE elsewhere_task SET sealed = substr(sealed, 1, 30) {hers}")).await;
        app.settle().await;
        assert_eq!(there.stripe.thing(&customer).unwrap()["email"], "eve@new.example");
        let left = app.app.elsewhere.not_done(&app.tenant()).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].tries, 1, "of the others, none is left: {left:?}");
        assert_eq!(left[0].problem.as_deref(), Some("what is remembered of it cannot be read"));
    }

    async fn a_new_address_is_told_to_nobody_while_the_old_mailbox_can_undo_it(app: TestApp, there: There) {
        let mut users = Vec::new();
        let mut people = Vec::new();
        for name in ["ada", "bob", "cleo"] {
            let person = app.person_of(OTHER_TENANT, &format!("{name}@example.org")).await;
            users.push(there.user(&app, &person, &format!("{name}@example.org")).await);
            people.push(person);
        }
        let [ada, bob, cleo] = &people[..] else { panic!("three") };
        app.move_to(ada, "ada@new.example").await;
        app.move_to(bob, "eve@new.example").await;
        let new = json!({ "email": "cleo@new.example", "name": "cleo of opusflair", "username": "cleo" });
        let wish = json!({ "right": "rectification", "correction": new });
        let filed = app.post("/v1/requests").by(cleo).json(&wish).send().await.json();
        app.settle().await;
        let tenant = &ada.owner.tenant;
        let token = app.mailed_token("cleo@new.example", "/address/confirm").unwrap();
        app.app.requests.confirm_address(tenant, &token, None).await.unwrap();
        app.settle().await;
        let emails = || users.iter().map(|u| there.supabase.user(u).unwrap()["email"].clone()).collect::<Vec<_>>();
        assert_eq!(emails(), ["ada@example.org", "bob@example.org", "cleo@example.org"], "they sign in there as before");
        let waiting = app.app.elsewhere.not_done(tenant).await.unwrap();
        assert_eq!(waiting.len(), 3);
        for task in &waiting {
            assert_eq!(task.next_at, Some(app.now().plus(TimeDelta::hours(72))), "{task:?}");
            assert!(task.due_at > task.next_at.unwrap(), "what may not be sent yet is not late");
        }
        there.advance(&app, TimeDelta::hours(71));
        let undo = app.mailed_token("bob@example.org", "/address/undo").unwrap();
        app.app.requests.undo_address(tenant, &undo).await.unwrap();
        app.settle().await;
        assert_eq!(emails(), ["ada@example.org", "bob@example.org", "cleo@example.org"]);
        there.advance(&app, TimeDelta::hours(1));
        app.settle().await;
        assert_eq!(emails(), ["ada@new.example", "bob@example.org", "cleo@new.example"]);
        assert!(app.app.elsewhere.not_done(tenant).await.unwrap().is_empty());
        let told = app.app.elsewhere.of_request(tenant, filed["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
        assert_eq!(told.len(), 1, "told once, in the request it was asked in");
        there.is_content();
    }

    async fn a_correction_that_cannot_be_told_on_is_not_made(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        there.customer(&app, &ada, "ada@example.org").await;
        let db = &app.app.db;
        crate::support::house::run_in(db, "ALTER TABLE elsewhere_task RENAME TO elsewhere_task_away").await;
        let me = Actor::Subject(ada.owner.subject);
        let new = Profile { email: "ada@new.example".into(), name: "Ada King".into(), username: "ada".into() };
        let tried = app.app.requests.correct(&ada.owner, &me, &new, AddressBy::App).await;
        crate::support::house::run_in(db, "ALTER TABLE elsewhere_task_away RENAME TO elsewhere_task").await;
        assert!(tried.is_err());
        let access = vouchsafe::vault::Access { actor: &me, purpose: "rights" };
        let known = app.app.subjects.profile(&ada.owner, &access).await.unwrap();
        assert_eq!((known.email.as_str(), known.name.as_str()), ("ada@example.org", "ada of flux-kontext"));
        there.is_content();
    }

    async fn a_paused_person_is_corrected_and_shown_all_the_same(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        let me = Actor::Subject(ada.owner.subject);
        app.app.subjects.restrict(&ada.owner, true, &me).await.unwrap();
        correct(&app, &ada).await;
        app.settle().await;
        assert_eq!(there.stripe.thing(&customer).unwrap()["name"], "Ada King");
        let invoice = there.stripe.thing(&there.paid(&customer, "A-1")).unwrap();
        assert_eq!(there.send(&app, TENANT, "invoice.paid", &invoice).await.status, 202);
        assert_eq!(count_in(&app.app.db, "SELECT COUNT(*) FROM record WHERE category = 'billing'").await, 1);
    }

    async fn whoever_ends_by_a_rule_is_erased_elsewhere_as_well(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        let customer = there.customer(&app, &ada, "ada@example.org").await;
        // A correction that nobody has sent yet is of no use any more.
        correct(&app, &ada).await;
        let begun = app.app.requests.erase(&ada.owner, Role::Service).await.unwrap().unwrap();
        let tasks = app.app.elsewhere.of_erasure(&app.tenant(), &begun.id).await.unwrap();
        assert_eq!((tasks.len(), tasks[0].kind, tasks[0].state), (1, TaskKind::Erase, TaskState::Open));
        let refused = app.app.elsewhere.link(&ada.owner, "stripe", "cus_late").await;
        assert!(refused.is_err(), "somebody who is leaving gets no new account");
        for _ in 0..2 {
            app.settle().await;
            there.advance(&app, TimeDelta::minutes(1));
        }
        assert_eq!(there.stripe.thing(&customer).unwrap()["deleted"], true);
        let all = app.app.requests.erasures(&app.tenant(), 10).await.unwrap();
        assert_eq!(all[0].state.as_str(), "closed");
        let left = "SELECT COUNT(*) FROM elsewhere WHERE subject IS NOT NULL OR sealed IS NOT NULL";
        assert_eq!(count_in(&app.app.db, left).await, 0);
        // The name is free again for whoever comes.
        let eve = app.person("eve@example.org").await;
        app.app.elsewhere.link(&eve.owner, "stripe", &customer).await.unwrap();
        there.is_content();
    }

    async fn whoever_is_held_up_elsewhere_hears_by_whom_before_their_address_goes(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        there.customer(&app, &ada, "ada@example.org").await;
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure", "at_once": true }));
        let filed = asked.send().await.json();
        for _ in 0..200 {
            there.stripe.fault(At::Submit, Fault::Busy(120));
        }
        let told = || app.mails().into_iter().filter(|m| m.letter.subject.contains("not finished yet"));
        let kept = async || count_in(&app.app.db, "SELECT COUNT(*) FROM last_letter").await;
        app.settle().await;
        there.advance(&app, TimeDelta::days(26));
        app.settle().await;
        assert_eq!((told().count(), kept().await), (0, 1), "it may come to its end yet");
        there.advance(&app, TimeDelta::days(1));
        app.settle().await;
        let letter = told().next().expect("a letter").letter.text;
        for part in ["has not let go yet", filed["reference"].as_str().unwrap(), "/erased/req_"] {
            assert!(letter.contains(part), "{part}:\n{letter}");
        }
        assert_eq!((told().count(), kept().await), (1, 0), "and the address goes with it");
        app.leave_the_queue();
    }

    async fn the_desk_hurries_what_waits(app: TestApp, there: There) {
        let ada = app.person("ada@example.org").await;
        there.customer(&app, &ada, "ada@example.org").await;
        there.stripe.fault(At::Submit, Fault::Busy(3000));
        let asked = app.post("/v1/requests").by(&ada).json(&json!({ "right": "erasure", "at_once": true }));
        let id = asked.send().await.json()["id"].as_str().unwrap().parse().unwrap();
        app.settle().await;
        assert_eq!(app.app.elsewhere.hurry(&app.tenant(), id).await.unwrap(), 1);
        app.settle().await;
        let told = app.app.elsewhere.of_request(&app.tenant(), id).await.unwrap();
        assert_eq!(told[0].state, TaskState::Done, "{told:?}");
        there.advance(&app, TimeDelta::minutes(1));
        app.settle().await;
        assert_eq!(app.app.elsewhere.hurry(&app.tenant(), id).await.unwrap(), 0);
        let unknown = app.post("/hooks/stripe/nobody").body("application/json", "{}").send().await;
        assert_eq!(unknown.problem(404), "not-found");
    }
}
