//! Who asks: shown in time or not at all, and what an erasure waits for.

use chrono::TimeDelta;
use vouchsafe::base::{RequestId, Secret};
use vouchsafe::policy::{Channel, Role};
use vouchsafe::requests::{Alarm, Arrived, Ask, Filing, Request, State, Way};
use vouchsafe::vault::{Access, Actor};

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};

/// What somebody asks in this person's name, without showing who they are.
async fn unproved(app: &TestApp, person: &Person, ask: Ask) -> Request {
    let words =
        matches!(ask, Ask::Rectification(None)).then(|| Secret::new("my name has an accent".to_owned()));
    let filing =
        Filing { ask, channel: Channel::Api, by: Actor::App(person.owner.subject), proved: false, words };
    app.app.requests.file(&person.owner, filing).await.unwrap().request
}

async fn found(app: &TestApp, id: RequestId) -> Request {
    app.app.requests.find(&app.tenant(), id).await.unwrap()
}

/// Whoever has a session moves the account to another mailbox.
async fn moves(app: &TestApp, person: &Person, email: &str) {
    let (subjects, tenant) = (&app.app.subjects, &person.owner.tenant);
    subjects.ask_address(&person.owner, &email.parse().unwrap(), None).await.unwrap();
    let owed =
        subjects.owed_moves(tenant).await.unwrap().into_iter().find(|m| m.to.expose() == email).unwrap();
    let token = subjects.post_new(&owed).await.unwrap().unwrap();
    app.app.requests.confirm_address(tenant, token.expose(), None).await.unwrap();
}

async fn is_here(app: &TestApp, person: &Person) -> bool {
    app.app.subjects.get(&person.owner).await.is_ok()
}

fn with_pages(app: TestApp) -> TestApp {
    let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
    app.with_router(router)
}

each_app! {
    async fn an_erasure_that_is_confirmed_late_has_its_whole_time_of_grace(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let filed = unproved(&app, &ada, Ask::Erasure { at_once: false }).await;
        app.advance(TimeDelta::days(5));
        let shown = app.app.requests.identity_shown(&ada.owner, filed.id).await.unwrap();
        assert_eq!(shown.state, State::Grace, "nothing is erased in the moment of the yes");
        assert_eq!(shown.grace_until, Some(app.now().plus(TimeDelta::hours(71))));
        assert_eq!(shown.due.promise, app.now().plus(TimeDelta::hours(72)), "the promise counts from the proof");
        app.settle().await;
        assert!(is_here(&app, &ada).await);
        let letter = app.mails().into_iter().find(|m| m.letter.subject.contains("will be erased on")).unwrap();
        assert_eq!(letter.to, "ada@example.org");
        app.app.requests.cancel(&ada.owner, filed.id, &Actor::Subject(ada.owner.subject)).await.unwrap();
        app.advance(TimeDelta::hours(80));
        app.settle().await;
        assert!(is_here(&app, &ada).await, "taken back in time");
    }

    async fn an_erasure_by_letter_counts_from_when_its_writer_is_known(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let arrived = Arrived {
            id: None,
            at: app.now(),
            way: Way::Letter,
            how: "no signature".to_owned(),
            proved: "by the link in a letter to their address".to_owned(),
        };
        app.advance(TimeDelta::hours(47));
        let (ask, by) = (Ask::Erasure { at_once: false }, Actor::Subject(ada.owner.subject));
        let filing = Filing { ask, channel: Channel::Email, by, proved: true, words: None };
        let set = app.app.requests.file_arrived(&ada.owner, filing, &arrived).await.unwrap().request;
        assert_eq!(set.received_at, arrived.at, "as old as the letter");
        assert_eq!(set.grace_until, Some(app.now().plus(TimeDelta::hours(71))), "with its whole time of grace");
        assert_eq!(set.due.promise, app.now().plus(TimeDelta::hours(72)));
    }

    async fn an_address_that_was_changed_lately_puts_an_erasure_off_however_it_came(app: TestApp) {
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        // Filed, then moved and confirmed by whoever has the session.
        let filed = unproved(&app, &ada, Ask::Erasure { at_once: false }).await;
        app.advance(TimeDelta::hours(72));
        moves(&app, &ada, "eve@example.org").await;
        let held = app.app.subjects.address_held(&ada.owner).await.unwrap().unwrap();
        let shown = app.app.requests.identity_shown(&ada.owner, filed.id).await.unwrap();
        assert_eq!((shown.state, shown.grace_until), (State::Grace, Some(held)));
        // Set for a day, and moved before it.
        let ask = Ask::Erasure { at_once: false };
        let by = Actor::Subject(bob.owner.subject);
        let filing = Filing { ask, channel: Channel::Page, by, proved: true, words: None };
        let set = app.app.requests.file(&bob.owner, filing).await.unwrap().request;
        app.advance(TimeDelta::hours(70));
        moves(&app, &bob, "mallory@example.org").await;
        app.advance(TimeDelta::minutes(90));
        app.settle().await;
        assert!(is_here(&app, &ada).await && is_here(&app, &bob).await, "not while the address is held");
        let put_off = found(&app, set.id).await;
        assert_eq!(put_off.state, State::Grace);
        assert!(put_off.grace_until > set.grace_until && put_off.due.promise > put_off.grace_until.unwrap());
        let steps = app.app.requests.timeline(&app.tenant(), set.id).await.unwrap();
        assert!(steps.iter().any(|e| e.kind == "held"), "{steps:?}");
        app.advance(TimeDelta::hours(80));
        app.settle().await;
        assert!(!is_here(&app, &ada).await && !is_here(&app, &bob).await, "and then it is done");
    }

    async fn what_nobody_confirms_ends_after_thirty_days_and_is_told(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let filed = unproved(&app, &ada, Ask::Access).await;
        for _ in 0..29 {
            app.advance(TimeDelta::days(1));
            app.app.requests.tick().await.unwrap();
        }
        let waits = found(&app, filed.id).await;
        assert_eq!((waits.state, waits.alarm), (State::IdentityPending, Alarm::Quiet), "clocks stand still");
        app.advance(TimeDelta::days(1));
        app.settle().await;
        let over = found(&app, filed.id).await;
        assert_eq!((over.state, over.outcome.as_deref()), (State::Withdrawn, Some("lapsed")));
        assert!(over.purge_at.is_some(), "and its row has an end");
        app.settle().await;
        let told: Vec<_> = app.mails().into_iter().filter(|m| m.letter.subject.contains("has ended")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].letter.text.contains("nobody confirmed that it was yours"), "{}", told[0].letter.text);
        assert!(app.app.requests.identity_shown(&ada.owner, filed.id).await.is_err(), "too late");
        assert!(app.app.requests.archive(&ada.owner, filed.id).await.is_err());
    }

    async fn a_thousand_unconfirmed_requests_hide_no_late_one(app: TestApp) {
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        for _ in 0..3 {
            unproved(&app, &ada, Ask::Rectification(None)).await;
        }
        // As many as were ever looked at in one round, all of an earlier promise.
        let copies = "INSERT INTO request (id, reference, tenant, subject, asked, channel, state, received_at, promise_due, \
            internal_due, legal_due, extended_due, alarm, tries, revision) SELECT substr(r.id, 1, length(r.id) - 4) || (1000 + n.i), r.reference || n.i, \
            r.tenant, r.subject, r.asked, r.channel, 'working', r.received_at, r.promise_due - 1, r.internal_due, \
            r.legal_due, r.extended_due, 4, 0, 0 FROM request r CROSS JOIN (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL \
            SELECT i + 1 FROM c WHERE i < 400) SELECT i FROM c) n WHERE r.state = 'identity-pending'";
        crate::support::house::run_in(&app.app.db, copies).await;
        let late = app.question(&bob).await;
        app.advance(TimeDelta::hours(73));
        app.app.requests.tick().await.unwrap();
        assert_eq!(found(&app, late).await.alarm, Alarm::PromiseMissed);
        app.leave_the_queue();
    }

    async fn a_filing_that_anybody_could_have_made_opens_nothing_to_staff(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let support = Actor::Staff(app.staff(Role::Support).await.member.id, Role::Support);
        let access = Access { actor: &support, purpose: "support" };
        let words = Secret::new("they cannot sign in any more".to_owned());
        unproved(&app, &ada, Ask::Access).await;
        app.app.requests.state_reason(&ada.owner, &access, &words).await.unwrap();
        assert!(app.app.subjects.profile(&ada.owner, &access).await.is_err(), "nobody asked");
        app.question(&ada).await;
        assert!(app.app.subjects.profile(&ada.owner, &access).await.is_ok(), "she did");
        app.leave_the_queue();
    }

    async fn a_request_is_confirmed_on_its_own_page(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        for ask in [Ask::Access, Ask::Rectification(None)] {
            let filed = unproved(&app, &ada, ask).await;
            let path = format!("/{TENANT}/privacy/requests/{}", filed.reference);
            let html = app.get(&path).by(&ada).header("accept", "text/html").send().await.text();
            assert!(html.contains("Yes, I ask for this") && !html.contains("Open the link we sent you"), "{html}");
            let token = html.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
            let send = async |person: &Person| {
                let call = app.post(&format!("{path}/confirm")).by(person).header("accept", "text/html");
                call.body("application/x-www-form-urlencoded", format!("csrf={token}")).send().await
            };
            let eve = app.person(&format!("eve-{}@example.org", filed.reference)).await;
            assert!(send(&eve).await.status >= 400, "not hers");
            assert_eq!(found(&app, filed.id).await.state, State::IdentityPending);
            assert_eq!(send(&ada).await.header("location"), path);
            assert!(matches!(found(&app, filed.id).await.state, State::Fulfilled | State::Working));
        }
        // With a session of yesterday a letter is sent first.
        let filed = unproved(&app, &ada, Ask::Portability).await;
        app.advance(TimeDelta::hours(5));
        let path = format!("/{TENANT}/privacy/requests/{}", filed.reference);
        let html = app.get(&path).by(&ada).header("accept", "text/html").send().await.text();
        let token = html.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let call = app.post(&format!("{path}/confirm")).by(&ada).header("accept", "text/html");
        call.body("application/x-www-form-urlencoded", format!("csrf={token}")).send().await;
        assert_eq!(found(&app, filed.id).await.state, State::IdentityPending);
        app.settle().await;
        assert!(app.mails().iter().any(|m| m.letter.text.contains("/sign-in/confirm")));
    }
}
