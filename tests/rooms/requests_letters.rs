//! Letters about requests: what the law wants told is in them, in the reader's language, once for each occasion.

use chrono::TimeDelta;
use vouchsafe::base::{RequestId, Secret};
use vouchsafe::policy::{Channel, Role};
use vouchsafe::requests::{Ask, Filing, RefusalReason, RefusalText, Request, State};
use vouchsafe::retention::NewHold;
use vouchsafe::speech::Tongue;
use vouchsafe::vault::Actor;

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, TENANT};

/// The letters with this in their subject line.
fn letters(app: &TestApp, subject: &str) -> Vec<String> {
    let all = app.mails().into_iter().filter(|m| m.letter.subject.contains(subject));
    all.map(|m| m.letter.text).collect()
}

async fn compliance(app: &TestApp) -> Actor {
    Actor::Staff(app.staff(Role::Compliance).await.member.id, Role::Compliance)
}

async fn refused(app: &TestApp, id: RequestId, by: &Actor) -> Request {
    let text = RefusalText {
        reason: RefusalReason::Accurate,
        law: "Art. 16 GDPR".to_owned(),
        words: Secret::new("The passport shows it so.".to_owned()),
    };
    app.app.requests.refuse(&app.tenant(), id, by, &text).await.unwrap()
}

async fn asks(app: &TestApp, person: &Person, ask: Ask) -> Request {
    let by = Actor::Subject(person.owner.subject);
    let filing = Filing { ask, channel: Channel::Page, by, proved: true, words: None };
    app.app.requests.file(&person.owner, filing).await.unwrap().request
}

each_app! {
    async fn a_refusal_has_its_reason_law_authority_and_court_in_the_letter(app: TestApp) {
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        app.app.subjects.reads_in(&bob.owner, Tongue::German).await.unwrap();
        let by = compliance(&app).await;
        for person in [&ada, &bob] {
            let id = app.question(person).await;
            refused(&app, id, &by).await;
        }
        app.settle().await;
        let english = letters(&app, "Our answer to your request").pop().unwrap();
        for part in ["what we hold is right", "The passport shows it so.", "Art. 16 GDPR", "authority", "court"] {
            assert!(english.contains(part), "{part}:\n{english}");
        }
        assert!(!english.contains("are corrected"), "{english}");
        let german = letters(&app, "Unsere Antwort").pop().unwrap();
        for part in ["The passport shows it so.", "Art. 16 GDPR", "Aufsichtsbehörde", "Gericht"] {
            assert!(german.contains(part), "{part}:\n{german}");
        }
        for english in ["You can", "authority", "what we hold"] {
            assert!(!german.contains(english), "{english}:\n{german}");
        }
    }

    async fn a_letter_is_called_as_its_page_and_says_what_happened(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for (ask, called, answer) in [
            (Ask::Access, "Take my data home", "Your archive is ready."),
            (Ask::Portability, "Take my data to another service", "Your archive is ready."),
            (Ask::Restriction { on: true }, "Pause everything", "Everything is paused"),
            (Ask::Restriction { on: false }, "Lift the pause", "The pause is lifted."),
        ] {
            let filed = asks(&app, &ada, ask).await;
            app.settle().await;
            let told = letters(&app, &filed.reference);
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told.iter().all(|text| text.lines().any(|line| line.ends_with(called))), "{called}: {told:?}");
            let answers = letters(&app, &format!("Our answer to your request {}", filed.reference));
            assert!(answers.len() == 1 && answers[0].contains(answer), "{answers:?}");
        }
    }

    async fn a_correction_that_is_answered_in_words_is_not_called_made(app: TestApp) {
        let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
        let app = app.with_router(router);
        let ada = app.person("ada@example.org").await;
        let id = app.question(&ada).await;
        let by = compliance(&app).await;
        let why = Secret::new("Our register has it right. Nothing was changed.".to_owned());
        let closed = app.app.requests.corrected_elsewhere(&app.tenant(), id, &by, &why).await.unwrap();
        app.settle().await;
        let told = letters(&app, "Our answer to your request").pop().unwrap();
        assert!(told.contains("answers you in words") && !told.contains("are corrected"), "{told}");
        let path = format!("/{TENANT}/privacy/requests/{}", closed.reference);
        let page = app.get(&path).by(&ada).header("accept", "text/html").send().await.text();
        assert!(page.contains("Our answer stands below.") && page.contains("Nothing was changed."), "{page}");
        assert!(!page.contains("It is done, and proved below."), "{page}");
    }

    async fn an_erasure_takes_place_when_its_letter_says_and_nothing_changes_before(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let policy = app.app.vault.policy(&app.tenant()).unwrap();
        let ahead = app.app.requests.could_be_taken_back(&policy, None).unwrap();
        let filed = asks(&app, &ada, Ask::Erasure { at_once: false }).await;
        let until = filed.grace_until.unwrap();
        assert_eq!(until, app.now().plus(TimeDelta::hours(71)), "an hour before the answer is promised");
        assert_eq!(until, ahead, "as the page says that asks");
        app.settle().await;
        let told = letters(&app, "will be erased on").pop().unwrap();
        assert!(told.contains(&Tongue::English.time(until)), "{told}");
        assert!(told.contains("Until then everything stays as it is."), "{told}");
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        app.settle().await;
        let made = app.get(&format!("/v1/edits/{edit}")).by(&ada).send().await.json();
        assert_eq!(made["state"], "succeeded", "{made}");
        app.advance(TimeDelta::hours(71) - TimeDelta::minutes(1));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_ok());
        app.advance(TimeDelta::minutes(1));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_err());
    }

    async fn the_last_letter_says_of_backups_what_is_so_and_how_to_check_with_the_key(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let at = app.now();
        asks(&app, &ada, Ask::Erasure { at_once: true }).await;
        for _ in 0..3 {
            app.settle().await;
            app.advance(TimeDelta::hours(1));
        }
        let last = letters(&app, "We erased it").pop().unwrap();
        let day = Tongue::English.day(at.plus(vouchsafe::keystore::EPOCH_LASTS * 2));
        assert!(last.contains(&format!("are destroyed by {day} at the latest")), "{last}");
        assert!(!last.contains("backup either"), "{last}");
        assert!(last.contains(&format!(".json --key '{}'\n", app.app.ledger.verifier())), "{last}");
        assert!(last.contains("https://vouchsafe.test/ledger/key"), "{last}");
    }

    async fn an_extension_is_told_once_with_its_reason_and_the_new_date(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let id = app.question(&ada).await;
        let by = compliance(&app).await;
        let why = Secret::new("Four systems have to be compared.".to_owned());
        let extended = app.app.requests.extend(&app.tenant(), id, &by, &why).await.unwrap();
        app.settle().await;
        app.advance(TimeDelta::hours(1));
        app.settle().await;
        let told = letters(&app, "We need longer");
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("Four systems have to be compared."), "{}", told[0]);
        assert!(told[0].contains(&Tongue::English.day(extended.legal_due())) && told[0].contains("court"), "{}", told[0]);
        app.leave_the_queue();
    }

    async fn a_late_answer_is_mailed_all_the_same(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let id = app.question(&ada).await;
        let by = compliance(&app).await;
        app.settle().await;
        app.advance(TimeDelta::days(60));
        refused(&app, id, &by).await;
        app.settle().await;
        assert_eq!(letters(&app, "Our answer to your request").len(), 1);
    }

    async fn a_request_taken_up_again_has_a_clock_and_a_second_answer(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let id = app.question(&ada).await;
        let by = compliance(&app).await;
        app.advance(TimeDelta::hours(80));
        refused(&app, id, &by).await;
        app.settle().await;
        app.advance(TimeDelta::days(20));
        let again = app.app.requests.reopen(&app.tenant(), id, &by).await.unwrap();
        assert_eq!((again.round, again.answered_at, again.state), (1, None, State::Working));
        assert_eq!(again.due.promise, app.now().plus(TimeDelta::hours(72)), "counted from now");
        let (answered, promised) = again.before.unwrap();
        assert!(answered > promised, "that the first answer was late is not forgotten");
        app.advance(TimeDelta::hours(73));
        app.settle().await;
        let late = app.app.requests.overdue(&app.tenant(), app.now()).await.unwrap();
        assert_eq!(late.len(), 1, "and it calls");
        refused(&app, id, &by).await;
        app.settle().await;
        app.advance(TimeDelta::hours(1));
        app.settle().await;
        assert_eq!(letters(&app, "Our answer to your request").len(), 2, "each round has its answer");
        assert!(app.app.requests.overdue(&app.tenant(), app.now()).await.unwrap().is_empty());
    }

    async fn a_hold_is_told_to_somebody_restricted_and_fills_no_ledger(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        asks(&app, &ada, Ask::Restriction { on: true }).await;
        let staff = app.staff(Role::Compliance).await.member.id;
        let hold = NewHold {
            subject: Some(ada.owner.subject),
            category: None,
            matter: "Case 12 O 44/26".to_owned(),
            reason: "A court ordered us to keep them.".to_owned(),
            review_at: app.now().plus(TimeDelta::days(60)),
            untold: None,
        };
        app.app.retention.hold(&app.tenant(), hold, staff, Role::Compliance).await.unwrap();
        for _ in 0..5 {
            app.advance(TimeDelta::seconds(10));
            app.settle().await;
        }
        assert_eq!(letters(&app, "must keep").len(), 1);
        assert!(!app.ledger_kinds().await.contains(&"read.refused".to_owned()));
    }

    async fn whoever_asked_to_be_erased_hears_that_it_is_done_and_then_their_address_is_gone(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        app.app.subjects.reads_in(&ada.owner, Tongue::German).await.unwrap();
        let filed = asks(&app, &ada, Ask::Erasure { at_once: true }).await;
        assert!(app.app.subjects.get(&ada.owner).await.is_err());
        let rows = "SELECT COUNT(*) FROM last_letter";
        assert_eq!(crate::support::house::count_in(&app.app.db, rows).await, 1, "sealed until it is sent");
        let erasure = crate::support::house::word_in(&app.app.db, "SELECT erasure FROM last_letter").await;
        let kind = format!("last-letter/{TENANT}");
        assert!(app.app.keys.once_known(&kind, &erasure).await.unwrap().is_some());
        for _ in 0..3 {
            app.settle().await;
            app.advance(TimeDelta::hours(1));
        }
        assert_eq!(crate::support::house::count_in(&app.app.db, rows).await, 0);
        let key = app.app.keys.once_known(&kind, &erasure).await.unwrap();
        assert!(key.is_none(), "nor does a copy of the row open");
        let told = letters(&app, &filed.reference);
        let last = told.iter().filter(|text| text.contains("vouchsafe verify")).collect::<Vec<_>>();
        assert_eq!(last.len(), 1, "{told:?}");
        assert!(last[0].contains("gelöscht") && !last[0].contains("attached"), "{}", last[0]);
        let path = last[0].split_whitespace().find(|w| w.contains(&format!("/{TENANT}/receipts/"))).unwrap();
        let app = {
            let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
            app.with_router(router)
        };
        let path = path.strip_prefix("https://vouchsafe.test").unwrap();
        assert_eq!(app.get(path).header("accept", "text/html").send().await.status, 200, "the link leads to the receipt");
    }
}
