//! What staff do, and what comes of it.

use serde_json::json;
use vouchsafe::base::{RequestId, Secret};
use vouchsafe::policy::{Channel, Right, Role};
use vouchsafe::requests::{Ask, Filing, State};
use vouchsafe::store::jobs::{self, MOST_FAILURES, NewJob, Setback};
use vouchsafe::subjects::SignedIn;
use vouchsafe::vault::Actor;

use super::{done, open, send, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{Person, Staff};

const WORDS: &str = "my name is spelt with an accent";

/// A correction that waits for somebody, filed by the person.
async fn correction(app: &TestApp, person: &Person) -> (RequestId, String) {
    let filing = Filing {
        ask: Ask::Rectification(None),
        channel: Channel::Page,
        by: Actor::Subject(person.owner.subject),
        proved: true,
        words: Some(Secret::new(WORDS.to_owned())),
    };
    let filed = app.app.requests.file(&person.owner, filing).await.unwrap();
    assert!(filed.request.state.is_open(), "{:?}", filed.request.state);
    (filed.request.id, filed.request.reference)
}

/// A second member of compliance.
async fn colleague(app: &TestApp) -> Staff {
    let email = "second@flux-kontext.example".parse().unwrap();
    let member = app.app.subjects.hire(&app.tenant(), &email, Role::Compliance).await.unwrap();
    let cookie = app.sign_in(&SignedIn::Staff(member.clone())).await;
    Staff { member, cookie }
}

each_app! {
    async fn a_request_is_refused_only_by_two_persons(app: TestApp) {
        let app = with_desk(app);
        let (first, second) = (app.staff(Role::Compliance).await, colleague(&app).await);
        let person = app.person("ada@example.org").await;
        let (id, reference) = correction(&app, &person).await;
        let path = format!("/requests/{reference}");
        // The policy asks compliance for a reason before it reads what a person wrote.
        let unread = shown(&open(&app, &second, &path).await);
        assert!(unread.contains("Why you look") && !unread.contains("?read=yes"));
        assert_eq!(open(&app, &second, &format!("{path}?read=yes")).await.status, 403);
        assert_eq!(send(&app, &second, &format!("{path}/read"), &[("reason", "because")]).await.status, 422);
        for reader in [&first, &second] {
            done(&send(&app, reader, &format!("{path}/read"), &[("reason", "to decide the correction")]).await);
        }
        let refusal = [("ground", "found-accurate"), ("reason", "The passport shows it as it is.")];
        done(&send(&app, &first, &format!("{path}/refuse"), &refusal).await);
        assert!(app.app.requests.find(&app.tenant(), id).await.unwrap().state.is_open());
        assert_eq!(send(&app, &first, &format!("{path}/agree"), &[]).await.status, 422);

        let html = shown(&open(&app, &second, &format!("{path}?read=yes")).await);
        assert!(html.contains("The passport shows it as it is.") && html.contains("Agree to refuse"));
        let own = shown(&open(&app, &first, &format!("{path}?read=yes")).await);
        assert!(!own.contains("Agree to refuse"));
        done(&send(&app, &second, &format!("{path}/agree"), &[]).await);
        let request = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert_eq!((request.state, request.outcome.as_deref()), (State::Closed, Some("found-accurate")));
        let support = app.staff(Role::Support).await;
        assert_eq!(send(&app, &support, &format!("{path}/reopen"), &[]).await.status, 403);
        app.leave_the_queue();
    }

    async fn a_look_at_a_person_needs_a_role_a_question_and_a_reason(app: TestApp) {
        let app = with_desk(app);
        let (support, admin) = (app.staff(Role::Support).await, app.staff(Role::Admin).await);
        let person = app.person("ada@example.org").await;
        let subject = person.owner.subject.to_string();
        let look = [("subject", &*subject), ("what", "account support"), ("reason", "they cannot sign in any more")];
        let refused = send(&app, &support, "/people/look", &look).await;
        assert_eq!(refused.status, 403, "nobody asked for anything: {}", refused.text());
        correction(&app, &person).await;
        let page = shown(&send(&app, &support, "/people", &[("query", "ada@example.org")]).await);
        assert!(page.contains("value=\"account support\"") && !page.contains("value=\"prompt"), "{page}");
        let seen = shown(&send(&app, &support, "/people/look", &look).await);
        assert!(seen.contains("ada@example.org"), "{seen}");
        // Within half an hour the reason stands; what the document does not let them look at, no reason opens.
        let again = [("subject", &*subject), ("what", "account support")];
        assert!(shown(&send(&app, &support, "/people/look", &again).await).contains("ada@example.org"));
        for what in ["prompt support", "output-image support", "account training", "account", "nothing at-all"] {
            let answer = send(&app, &support, "/people/look", &[look[0], ("what", what), look[2]]).await;
            assert!((400..500).contains(&answer.status) && !answer.text().contains("ada@"), "{what}: {}", answer.text());
        }
        assert_eq!(send(&app, &admin, "/people/look", &look).await.status, 403);
        app.leave_the_queue();
    }

    async fn what_was_written_is_shown_only_to_who_asks_and_that_is_recorded(app: TestApp) {
        let app = with_desk(app);
        let support = app.staff(Role::Support).await;
        let person = app.person("ada@example.org").await;
        let (_, reference) = correction(&app, &person).await;
        let path = format!("/requests/{reference}");
        done(&send(&app, &support, &format!("{path}/note"), &[("note", "rang them up")]).await);
        let reads = |kinds: Vec<String>| kinds.iter().filter(|k| *k == "read.staff").count();
        let before = reads(app.ledger_kinds().await);
        let html = shown(&open(&app, &support, &path).await);
        assert!(!html.contains(WORDS) && !html.contains("rang them up"));
        assert_eq!(reads(app.ledger_kinds().await), before);
        let html = shown(&open(&app, &support, &format!("{path}?read=yes")).await);
        assert!(html.contains(WORDS) && html.contains("rang them up"));
        assert!(reads(app.ledger_kinds().await) > before);
        for bad in ["", &"x".repeat(2_001)] {
            assert_eq!(send(&app, &support, &format!("{path}/note"), &[("note", bad)]).await.status, 422);
        }
        app.leave_the_queue();
    }

    async fn the_laws_time_is_extended_once_and_with_a_reason(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let person = app.person("ada@example.org").await;
        let (id, reference) = correction(&app, &person).await;
        let path = format!("/requests/{reference}/extend");
        assert_eq!(send(&app, &staff, &path, &[("reason", " ")]).await.status, 422);
        let support = app.staff(Role::Support).await;
        assert_eq!(send(&app, &support, &path, &[("reason", "a lot")]).await.status, 403);
        let before = app.app.requests.find(&app.tenant(), id).await.unwrap();
        done(&send(&app, &staff, &path, &[("reason", "it reaches into four systems")]).await);
        let after = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert!(after.legal_due() > before.legal_due());
        assert_eq!(after.due.promise, before.due.promise);
        assert_eq!(send(&app, &staff, &path, &[("reason", "again")]).await.status, 409);
        app.leave_the_queue();
    }

    async fn the_queue_is_narrowed_by_its_address(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Support).await;
        let person = app.person("ada@example.org").await;
        let (_, reference) = correction(&app, &person).await;
        let names = |html: String| html.contains(&reference);
        for (query, there) in [
            ("", true),
            ("?right=rectification", true),
            ("?right=erasure", false),
            ("?state=late", false),
            ("?state=closed", false),
            ("?state=all", true),
        ] {
            let html = shown(&open(&app, &staff, &format!("/requests{query}")).await);
            assert_eq!(names(html), there, "{query}");
        }
        app.advance(chrono::TimeDelta::hours(60));
        let staff = sign_in_again(&app, &staff).await;
        assert!(names(shown(&open(&app, &staff, "/requests?state=near").await)));
        app.advance(chrono::TimeDelta::hours(20));
        let staff = sign_in_again(&app, &staff).await;
        assert!(names(shown(&open(&app, &staff, "/requests?state=late").await)));
        let today = shown(&open(&app, &staff, "").await);
        assert!(today.contains("1 request is past our promise"), "{today}");
        let compliance = app.staff(Role::Compliance).await;
        app.app.audit.run(&app.tenant(), "deadlines-kept").await.unwrap();
        let board = shown(&open(&app, &compliance, "/promises?state=broken").await);
        assert!(board.contains(Right::Rectification.as_str()), "{board}");
        app.leave_the_queue();
    }

    async fn a_hold_is_placed_shown_and_lifted(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let person = app.person("ada@example.org").await;
        let subject = person.owner.subject.to_string();
        let fields = |whom, reason, law, review| {
            [("whom", whom), ("category", "account"), ("reason", reason), ("law", law), ("review", review)]
        };
        for (whom, reason, law, review, field) in [
            ("sub_nobody", "a claim", "case 7", "2026-12-24", "whom"),
            (subject.as_str(), "", "case 7", "2026-12-24", "reason"),
            (subject.as_str(), "a claim", "", "2026-12-24", "law"),
            (subject.as_str(), "a claim", "case 7", "", "review"),
            (subject.as_str(), "a claim", "case 7", "2029-01-01", "review"),
        ] {
            let html = shown(&send(&app, &staff, "/holds", &fields(whom, reason, law, review)).await);
            assert!(html.contains(&format!("href=\"#{field}\"")), "{field}");
        }
        assert!(app.app.retention.holds(&app.tenant()).await.unwrap().is_empty());
        done(&send(&app, &staff, "/holds", &fields(&subject, "a claim", "case 7", "2026-12-24")).await);
        let hold = app.app.retention.holds(&app.tenant()).await.unwrap().remove(0);
        assert_eq!((hold.subject, hold.category.as_deref()), (Some(person.owner.subject), Some("account")));
        assert!(shown(&open(&app, &staff, "/holds").await).contains("case 7"));
        done(&send(&app, &staff, &format!("/holds/{}/lift", hold.id), &[]).await);
        assert!(app.app.retention.holds(&app.tenant()).await.unwrap()[0].released_at.is_some());
        assert_eq!(send(&app, &staff, &format!("/holds/{}/lift", hold.id), &[]).await.status, 404);
    }

    async fn a_job_that_was_set_aside_runs_again_when_admin_says_so(app: TestApp) {
        let app = with_desk(app);
        let (clock, entropy) = (&app.app.clock, &app.app.entropy);
        let payload = json!({});
        let job = NewJob { kind: "provider.delete", payload: &payload, tenant: None, unique_key: None, run_at: app.now(), deadline: None };
        let mut tx = app.app.db.begin().await.unwrap();
        jobs::enqueue(&mut tx, clock, entropy, &job).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..MOST_FAILURES {
            let mut tx = app.app.db.begin().await.unwrap();
            let claimed = jobs::claim(&mut tx, clock, entropy, 1).await.unwrap();
            let second = std::time::Duration::from_secs(1);
            jobs::retry(&mut tx, clock, &claimed[0], second, Setback { why: "the provider answers 500", own: true }).await.unwrap();
            tx.commit().await.unwrap();
            app.advance(chrono::TimeDelta::minutes(1));
        }
        assert_eq!(app.queue().await, (0, 1));
        let id = {
            let mut tx = app.app.db.read().await.unwrap();
            jobs::troubled(&mut tx, 10).await.unwrap()[0].id.to_string()
        };
        let (admin, compliance) = (app.staff(Role::Admin).await, app.staff(Role::Compliance).await);
        let html = shown(&open(&app, &admin, "").await);
        assert!(html.contains("the provider answers 500") && html.contains("Try again"));
        let looked = shown(&open(&app, &compliance, "").await);
        assert!(looked.contains("the provider answers 500") && !looked.contains("Try again"));
        assert_eq!(send(&app, &compliance, &format!("/jobs/{id}/retry"), &[]).await.status, 403);
        done(&send(&app, &admin, &format!("/jobs/{id}/retry"), &[]).await);
        assert_eq!(app.queue().await, (1, 0));
        app.leave_the_queue();
    }

    async fn the_whole_ledger_is_recomputed_and_that_is_on_it(app: TestApp) {
        let app = with_desk(app);
        let (admin, compliance) = (app.staff(Role::Admin).await, app.staff(Role::Compliance).await);
        assert!(shown(&open(&app, &admin, "/ledger").await).contains("has not been recomputed yet"));
        done(&send(&app, &admin, "/ledger/verify", &[]).await);
        let html = shown(&open(&app, &admin, "/ledger?kind=probe.recorded").await);
        assert!(html.contains("verified, the newest at") && html.contains("Whole and unaltered"), "{html}");
        let board = shown(&open(&app, &compliance, "/promises?state=kept").await);
        assert!(board.contains("verified, the newest at"), "the promise on the ledger is kept by it");
    }
}

/// A session of staff ends when it is not used.
async fn sign_in_again(app: &TestApp, staff: &Staff) -> Staff {
    let cookie = app.sign_in(&SignedIn::Staff(staff.member.clone())).await;
    Staff { member: staff.member.clone(), cookie }
}
