//! A letter to the policy's address with the policy's subject line is a request: it waits for a proof of who wrote it, and
//! its clock has begun.

use chrono::TimeDelta;
use vouchsafe::base::{PageSize, Secret};
use vouchsafe::intake::{Confirmed, Envelope, Outcome};
use vouchsafe::policy::{Channel, Proof, Right};
use vouchsafe::requests::{Ask, Filing, State};
use vouchsafe::vault::Actor;

use super::{TENANTS, document, edited, entries, fact, held, with_pages};
use crate::each_app;
use crate::support::TestApp;

#[test]
fn both_documents_name_the_address_the_subject_line_and_the_way_for_every_right() {
    for tenant in TENANTS {
        let policy = document(tenant);
        assert!(policy.contact().privacy.starts_with("privacy@"), "{tenant}");
        assert_eq!(policy.contact().subject_line.as_deref(), Some("Privacy Request - AI Data"), "{tenant}");
        for right in Right::ALL {
            let rule = policy.right(*right).unwrap();
            assert!(
                rule.how.contains(&Channel::Email) && rule.proof.contains(&Proof::EmailLoop),
                "{tenant}: {right}"
            );
        }
    }
}

each_app! {
    async fn the_page_says_where_to_write_and_what_to_put_above_it(app: TestApp) {
        let app = with_pages(app);
        for tenant in TENANTS {
            let page = app.get(&format!("/{tenant}/policy")).header("accept", "text/html").send().await.text();
            let policy = document(tenant);
            assert!(page.contains(&policy.contact().privacy) && page.contains("Privacy Request - AI Data"), "{tenant}");
        }
    }

    async fn a_letter_in_each_mailbox_is_a_request_once_its_writer_says_so(app: TestApp) {
        for tenant in TENANTS {
            let policy = document(tenant);
            let (to, line) = (&policy.contact().privacy, policy.contact().subject_line.clone().unwrap());
            let ada = app.person_of(tenant, "ada@example.org").await;
            let raw = format!(
                "From: Ada <ada@example.org>\r\nTo: {to}\r\nSubject: {line}\r\nMessage-ID: <1@example.org>\r\n\r\n\
                 Please delete my account.\r\n"
            );
            let tenant_id = tenant.parse().unwrap();
            let taken = app.app.intake.take(&tenant_id, raw.as_bytes(), &Envelope::default()).await.unwrap();
            assert_eq!(taken, Outcome::Taken, "{tenant}");
            assert!(app.app.requests.list(&ada.owner, None, PageSize::default()).await.unwrap().items.is_empty());

            let sent = app.mails().pop().unwrap();
            assert_eq!(sent.to, "ada@example.org");
            let (_, token) = sent.letter.text.split_once("token=").unwrap();
            let token = token.split_whitespace().next().unwrap();
            let wish = (Ask::Erasure { at_once: false }, "Please delete my account.");
            let confirmed = app.app.intake.confirm(&tenant_id, token, wish).await.unwrap();
            let Confirmed::Filed(filed) = confirmed else { panic!("{tenant}: nobody") };
            assert_eq!((filed.channel, filed.state), (Channel::Email, State::Grace), "{tenant}");
            assert_eq!(filed.due.promise, filed.received_at.plus(TimeDelta::hours(72)), "{tenant}");
        }
        app.leave_the_queue();
    }

    async fn a_request_that_came_by_mail_does_nothing_until_its_writer_is_known(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        edited(&app, &ada, 1).await;
        let mailed = |ask| Filing {
            ask,
            channel: Channel::Email,
            by: Actor::Service,
            proved: false,
            words: Some(Secret::new("canary: please erase me".to_owned())),
        };
        let filed = app.app.requests.file(&ada.owner, mailed(Ask::Erasure { at_once: true })).await.unwrap().request;
        assert_eq!(filed.state, State::IdentityPending);
        assert_eq!(filed.due.promise, filed.received_at.plus(TimeDelta::hours(72)), "the clock has begun all the same");
        app.advance(TimeDelta::hours(80));
        app.settle().await;
        assert_eq!(held(&app, &ada.owner, "output-image").await, 1, "anybody can write from anybody's address");
        let logged = entries(&app, "request.filed").await;
        assert_eq!(fact(&logged[0], "right"), "erasure");
        assert!(!String::from_utf8_lossy(&logged[0].bytes).contains("canary"));

        let shown = app.app.requests.identity_shown(&ada.owner, filed.id).await.unwrap();
        assert!(matches!(shown.state, State::Grace | State::Working | State::Closed), "{:?}", shown.state);
        app.advance(TimeDelta::hours(73));
        app.settle().await;
        assert!(app.app.subjects.get(&ada.owner).await.is_err(), "and then it is done");
        assert!(app.blobs().await.is_empty());
    }
}
