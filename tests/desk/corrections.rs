//! A correction that only words describe: somebody at the desk carries it out.

use vouchsafe::base::RequestId;
use vouchsafe::policy::Role;
use vouchsafe::requests::State;
use vouchsafe::subjects::Profile;
use vouchsafe::vault::{Access, Actor};

use super::{done, open, send, shown, with_desk};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;

async fn profile(app: &TestApp, person: &Person) -> Profile {
    let actor = Actor::Subject(person.owner.subject);
    app.app.subjects.profile(&person.owner, &Access { actor: &actor, purpose: "rights" }).await.unwrap()
}

async fn waiting(app: &TestApp, person: &Person) -> (RequestId, String) {
    let id = app.question(person).await;
    (id, app.app.requests.find(&app.tenant(), id).await.unwrap().reference)
}

each_app! {
    async fn a_value_is_corrected_at_the_desk_and_the_person_is_told(app: TestApp) {
        let app = with_desk(app);
        let (staff, support) = (app.staff(Role::Compliance).await, app.staff(Role::Support).await);
        let ada = app.person("ada@example.org").await;
        let (id, reference) = waiting(&app, &ada).await;
        let path = format!("/requests/{reference}");
        done(&send(&app, &staff, &format!("{path}/read"), &[("reason", "to carry out the correction")]).await);
        let html = shown(&open(&app, &staff, &path).await);
        assert!(html.contains("Correct this value") && html.contains("It is corrected elsewhere"), "{html}");
        assert!(html.contains("Waits for somebody to correct it"), "{html}");
        assert!(html.contains("<dt>With</dt><dd>staff</dd>"), "{html}");
        let needs = "1 request waits for somebody to answer it";
        assert!(html.contains(needs) && html.contains("requests?state=people"), "{html}");
        let queue = shown(&open(&app, &staff, "/requests?state=people").await);
        assert!(queue.contains(&reference) && queue.contains("<td>staff</td>"), "{queue}");
        let correct = format!("{path}/correct");
        let old = profile(&app, &ada).await.name;
        let fields = |field, old, new| [("field", field), ("old", old), ("new", new)];
        for (field, was, new, status) in [
            ("age", old.as_str(), "12", 422),
            ("name", "somebody else", "Adá", 422),
            ("name", old.as_str(), "", 422),
            ("email", "ada@example.org", "no address", 422),
        ] {
            let answer = send(&app, &staff, &correct, &fields(field, was, new)).await;
            assert_eq!(answer.status, status, "{field} {new}: {}", answer.text());
        }
        assert_eq!(send(&app, &support, &correct, &fields("name", &old, "Adá")).await.status, 403);
        assert_eq!(profile(&app, &ada).await.name, old);
        done(&send(&app, &staff, &correct, &fields("name", &old, "Adá")).await);
        assert_eq!(profile(&app, &ada).await.name, "Adá");
        assert!(!shown(&open(&app, &staff, "").await).contains(needs), "it is answered");
        let request = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert_eq!((request.state, request.outcome.as_deref()), (State::Closed, Some("fulfilled")));
        assert!(request.receipt.is_some());
        assert!(app.ledger_kinds().await.contains(&"rectification.made".to_owned()));
        assert_eq!(send(&app, &staff, &correct, &fields("name", "Adá", "Ada")).await.status, 409, "once");
        app.settle().await;
        let told = app.mails().pop().unwrap();
        assert!(told.to == "ada@example.org" && told.letter.text.contains("Your details are corrected."));
    }

    async fn what_was_put_right_by_other_means_is_answered_with_a_reason(app: TestApp) {
        let app = with_desk(app);
        let staff = app.staff(Role::Compliance).await;
        let ada = app.person("ada@example.org").await;
        let (id, reference) = waiting(&app, &ada).await;
        let path = format!("/requests/{reference}/settle");
        assert_eq!(send(&app, &staff, &path, &[("reason", " ")]).await.status, 422);
        done(&send(&app, &staff, &path, &[("reason", "Stripe has the right name now. Nothing was changed.")]).await);
        let request = app.app.requests.find(&app.tenant(), id).await.unwrap();
        assert_eq!((request.state, request.outcome.as_deref()), (State::Closed, Some("answered-in-words")));
        assert!(request.receipt.is_some());
        app.settle().await;
        let told = app.mails().pop().unwrap().letter.text;
        assert!(told.contains(&reference) && told.contains("answers you in words"), "{told}");
        assert!(!told.contains("corrected") && !told.contains("Stripe"), "{told}");
        let actor = Actor::Subject(ada.owner.subject);
        let letters = app.app.requests.letters(&request, &actor).await.unwrap();
        assert_eq!(letters[0]["reasons"], "Stripe has the right name now. Nothing was changed.");
        let again = app.app.requests.reopen(&app.tenant(), id, &Actor::Staff(staff.member.id, Role::Compliance)).await;
        assert_eq!(again.unwrap().state, State::Working);
        let html = shown(&open(&app, &staff, &format!("/requests/{reference}")).await);
        assert!(html.contains("Correct this value"), "a reopened one can be carried out: {html}");
        app.leave_the_queue();
    }
}
