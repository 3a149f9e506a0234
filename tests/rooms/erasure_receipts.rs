//! The four proofs of an erasure, each of which verifies without us.

use chrono::TimeDelta;
use vouchsafe::ledger::{Fact, Logged, Receipt};
use vouchsafe::policy::Channel;
use vouchsafe::requests::{Ask, Filing};
use vouchsafe::vault::Actor;

use crate::each_app;
use crate::support::TestApp;

fn fact<'a>(entry: &'a Logged, name: &str) -> &'a Fact {
    entry.leaf.facts.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", entry.leaf.facts))
}

each_app! {
    async fn each_step_of_an_erasure_has_a_receipt_that_verifies_offline(app: TestApp) {
        let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
        let app = app.with_router(router);
        let (ada, bob) = (app.person("ada@example.org").await, app.person("bob@example.org").await);
        app.upload(&ada, 3).await;
        let filing = |by: Actor| Filing {
            ask: Ask::Erasure { at_once: true },
            channel: Channel::Page,
            by,
            proved: true,
            words: None,
        };
        let requests = &app.app.requests;
        let filed = requests.file(&ada.owner, filing(Actor::Subject(ada.owner.subject))).await.unwrap().request;
        let id = filed.receipt.unwrap();
        requests.file(&bob.owner, filing(Actor::Subject(bob.owner.subject))).await.unwrap();

        let proofs = requests.erasure_proofs(id).await.unwrap();
        let (one, two, three) = (proofs.requested.unwrap(), proofs.unreadable.unwrap(), proofs.completed);
        assert!(one.index < two.index && two.index < three.index);
        assert!(one.leaf.subject.is_some() && one.leaf.subject == two.leaf.subject);
        assert_eq!(two.leaf.subject, three.leaf.subject, "all of one person, by a reference that leads to nobody");
        assert_eq!(fact(&two, "key"), fact(&three, "key"), "all of one key");
        assert_eq!(proofs.beyond_backups, None, "it is said when it is so and not before");
        let page = app.get(&format!("/flux-kontext/erased/{}", filed.id)).header("accept", "text/html").send().await;
        assert!(page.text().contains("Still to come."), "{}", page.text());
        let (id_text, key) = (id.to_string(), app.app.ledger.verifier());
        let command = format!("vouchsafe verify receipt-{}.json --key '{key}'", id_text.get(id_text.len() - 8..).unwrap());
        let receipt = app.get(&format!("/flux-kontext/receipts/{id}")).header("accept", "text/html").send().await;
        for page in [page.text(), receipt.text()] {
            assert!(page.contains(&command), "{command}:\n{page}");
            assert!(page.contains("href=\"/ledger/key\""), "and where the key can be compared: {page}");
        }

        let Fact::Number(epoch) = *fact(&two, "epoch") else { panic!("{two:?}") };
        let mut days = 0;
        let four = loop {
            if let Some(four) = requests.erasure_proofs(id).await.unwrap().beyond_backups {
                break four;
            }
            assert!(days <= 14, "backups are readable for longer than two epochs");
            days += 1;
            app.advance(TimeDelta::days(1));
            app.settle().await;
        };
        assert_eq!(*fact(&four, "epoch"), Fact::Number(epoch), "the very epoch, and no later one");
        let page = app.get(&format!("/flux-kontext/erased/{}", filed.id)).header("accept", "text/html").send().await;
        assert!(!page.text().contains("Still to come."));

        for (entry, says) in [
            (&one, "that it began to erase"),
            (&two, "so that nothing of theirs opens any more"),
            (&three, "that it had erased the data"),
            (&four, "that it destroyed the keys of an epoch"),
        ] {
            let path = format!("/ledger/{}/file", entry.index);
            let text = app.get(&path).send().await.text();
            let receipt = Receipt::parse(&text).unwrap();
            let verified = receipt.verify(app.app.ledger.verifier(), &[]).unwrap();
            assert_eq!(verified.id, entry.leaf.id);
            assert!(verified.sentence.contains(says), "{}", verified.sentence);
            assert!(!text.contains("ada@") && !text.contains(&ada.owner.subject.to_string()), "it names somebody");
            // The control: with a number changed it does not hold.
            let forged = text.replacen("2026-1", "2026-0", 1);
            assert_ne!(forged, text);
            let holds = Receipt::parse(&forged).is_ok_and(|r| r.verify(app.app.ledger.verifier(), &[]).is_ok());
            assert!(!holds);
        }
        assert!(requests.erasure_proofs(vouchsafe::base::ReceiptId::new(&app.app.clock, &app.app.entropy)).await.is_err());
    }
}
