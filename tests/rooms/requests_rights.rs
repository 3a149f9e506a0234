//! The other rights, the two clocks, and what staff do.

use chrono::TimeDelta;
use vouchsafe::base::{Kind, PageSize, Secret, StaffId, Timestamp};
use vouchsafe::keystore;
use vouchsafe::policy::{Right, Role};
use vouchsafe::requests::{self, Alarm, Ask, IssuedKind, QueueFilter, RefusalReason, RefusalText, State};
use vouchsafe::speech::Tongue;
use vouchsafe::subjects::Profile;
use vouchsafe::vault::{self, Access, Actor, Owner};

use super::requests_house::{House, asked, flux};
use crate::each_database;
use crate::support::house::reason;

fn profile(name: &str, email: &str) -> Profile {
    Profile { email: email.to_owned(), name: name.to_owned(), username: "somebody".to_owned() }
}

fn staff(house: &House) -> Actor {
    Actor::Staff(StaffId::new(&house.clock, &vouchsafe::base::Entropy::system()), Role::Compliance)
}

fn me(owner: &Owner) -> Actor {
    Actor::Subject(owner.subject)
}

each_database! {
    async fn a_correction_is_made_at_once_and_the_old_value_dies_with_its_key(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let actor = me(&ada);
        let access = Access { actor: &actor, purpose: "rights" };
        let old = house.vault.record_named(&ada, &access, "account", "profile").await.unwrap().unwrap();
        let new = profile("Ada Lovelace", "ada@example.org");
        let request = house.ask(&ada, Ask::Rectification(Some(new.clone()))).await.request;
        assert_eq!((request.state, request.outcome.as_deref()), (State::Closed, Some("fulfilled")));
        assert_eq!(house.subjects.profile(&ada, &access).await.unwrap(), new);

        let key = format!("{}#{}", old.id, old.revision);
        let owner = keystore::Owner { tenant: &ada.tenant, subject: ada.subject };
        assert!(matches!(house.keys.item(owner, &key).await, Err(keystore::Error::NoKey)));
        let kept = house.vault.records_of(&ada, &access, &request.id.to_string()).await.unwrap();
        let evidence = kept.iter().find(|r| r.name == "correction").unwrap();
        assert_eq!(evidence.value["old"]["email"], "ada@example.org");
        assert_eq!(evidence.value["new"]["name"], "Ada Lovelace");
        assert!(evidence.item.due_at.is_some(), "the evidence has its own end");
        assert_eq!(house.logged(&flux(), "rectification.made").await.len(), 1);
    }

    async fn a_correction_that_cannot_be_made_says_why_and_waits_for_staff(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        house.person(&flux(), "bob").await;
        let bad = profile("Ada\u{202e}", "ada@example.org");
        let request = house.ask(&ada, Ask::Rectification(Some(bad))).await.request;
        assert_eq!(request.state, State::Working);
        assert_eq!(request.problem.as_deref(), Some("a new name is not one we can use"));
        let fine = profile("Ada", "ada@example.org");
        let clerk = staff(&house);
        reason(&house.requests, &ada, &Access { actor: &clerk, purpose: "rights" }).await;
        let done = house.requests.rectify(&ada, &request, &clerk, &fine).await.unwrap();
        assert_eq!(done.state, State::Closed);

        let filing = asked(&ada, Ask::Rectification(None), Some("My name is spelt wrong"));
        let open = house.requests.file(&ada, filing).await.unwrap().request;
        assert_eq!((open.state, open.next_at), (State::Working, None));
        let words = house.requests.words(&open, &clerk).await.unwrap().unwrap();
        assert_eq!(words.expose(), "My name is spelt wrong");
        house.requests.tick().await.unwrap();
        house.requests.retry(&flux(), open.id).await.unwrap();
        let waiting = house.request(&flux(), open.id).await;
        assert_eq!((waiting.state, waiting.next_at, waiting.problem), (State::Working, None, None));
    }

    async fn restriction_holds_from_the_same_second_and_can_be_lifted(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let picture = house.edit(&ada, "invert").await;
        let read = async || {
            let access = Access { actor: &Actor::Service, purpose: "provide-edits" };
            house.vault.object(&ada, &access, picture).await
        };
        assert!(read().await.is_ok());
        let request = house.ask(&ada, Ask::Restriction { on: true }).await.request;
        assert_eq!(request.state, State::Closed);
        assert!(matches!(read().await, Err(vault::Error::Restricted)));
        let own = Access { actor: &me(&ada), purpose: "rights" };
        assert!(house.vault.object(&ada, &own, picture).await.is_ok(), "their own eyes stay");
        house.ask(&ada, Ask::Restriction { on: false }).await;
        assert!(read().await.is_ok());
        assert_eq!(house.logged(&flux(), "restriction.set").await.len(), 2);
    }

    async fn a_withdrawal_stops_the_use_and_erases_what_rested_on_it(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        house.consents.set(&ada, "analytics", true, "page").await.unwrap();
        house.page_view(&ada).await;
        house.edit(&ada, "invert").await;
        house.wait(1);
        let request = house.ask(&ada, Ask::Withdrawal { purpose: "analytics".to_owned() }).await.request;
        assert_eq!(request.state, State::Closed);
        assert_eq!(house.holds(&ada, "analytics").await, 0);
        assert_eq!(house.holds(&ada, "output-image").await, 1, "what another purpose needs stays");
        let choices = house.consents.choices(&ada).await.unwrap();
        assert!(!choices.iter().find(|c| c.purpose == "analytics").unwrap().on);
        let (issued, receipt) = house.requests.receipt(request.receipt.unwrap()).await.unwrap();
        assert_eq!(issued.kind, IssuedKind::Consent);
        assert!(receipt.sentence().contains("withdrew consent"), "{}", receipt.sentence());
    }

    async fn an_objection_stops_what_rests_on_an_interest(db: TestDb) {
        let house = House::new(db).await;
        let opus = "opusflair".parse().unwrap();
        let ada = house.person(&opus, "ada").await;
        house.page_view(&ada).await;
        let request = house.ask(&ada, Ask::Objection { purpose: "analytics".to_owned() }).await.request;
        assert_eq!(request.state, State::Closed);
        assert_eq!(house.holds(&ada, "analytics").await, 0);
        assert_eq!(house.logged(&opus, "objection.made").await.len(), 1);
    }

    async fn what_cannot_be_asked_is_refused_before_anything_is_written(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let long = "x".repeat(4_001);
        for (ask, words) in [
            (Ask::Withdrawal { purpose: "provide-edits".to_owned() }, None),
            (Ask::Objection { purpose: "nonsense".to_owned() }, None),
            (Ask::Rectification(None), None),
            (Ask::Access, Some(long.as_str())),
        ] {
            let refused = house.requests.file(&ada, asked(&ada, ask.clone(), words)).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::Invalid, "{ask:?}");
        }
        assert!(house.requests.list(&ada, None, PageSize::default()).await.unwrap().items.is_empty());
        assert!(house.logged(&flux(), "request.filed").await.is_empty());
    }

    async fn a_request_has_a_number_and_two_clocks(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let request = house.ask(&ada, Ask::Erasure { at_once: false }).await.request;
        assert_eq!(request.due.promise, request.received_at.plus(TimeDelta::hours(72)));
        assert_eq!(request.due.legal, Timestamp::parse_rfc3339("2027-01-01T23:59:59Z").unwrap());
        assert!(request.due.extended > request.due.legal && request.due.internal < request.due.legal);
        assert!(request.reference.starts_with("PR-") && request.reference.len() == 14);
        let typed = request.reference.trim_start_matches("PR-").to_lowercase();
        assert_eq!(house.requests.by_reference(&flux(), &typed).await.unwrap().id, request.id);
        let opus = "opusflair".parse().unwrap();
        assert!(house.requests.by_reference(&opus, &request.reference).await.is_err(), "another tenant's");
        assert_eq!(house.kinds(&request).await, ["filed", "acknowledged", "grace"]);
        assert_eq!(house.logged(&flux(), "request.filed").await.len(), 1);
    }

    async fn asking_twice_is_one_request(db: TestDb) {
        let house = House::new(db).await;
        let (ada, bob) = (house.person(&flux(), "ada").await, house.person(&flux(), "bob").await);
        let first = house.ask(&ada, Ask::Erasure { at_once: false }).await;
        let second = house.ask(&ada, Ask::Erasure { at_once: false }).await;
        assert!(!first.again && second.again && first.request.id == second.request.id);
        assert!(!house.ask(&bob, Ask::Erasure { at_once: false }).await.again);
        assert!(house.kinds(&first.request).await.contains(&"asked-again".to_owned()));
        assert!(house.requests.get(&bob, first.request.id).await.is_err(), "not somebody else's");
    }

    async fn clocks_that_run_out_are_heard_once_each(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let filing = asked(&ada, Ask::Rectification(None), Some("look at my name"));
        let request = house.requests.file(&ada, filing).await.unwrap().request;
        let mut heard = Vec::new();
        for hours in [1, 60, 1, 20, 24 * 24, 10 * 24, 1] {
            house.wait(hours);
            house.requests.tick().await.unwrap();
            heard.push(house.request(&flux(), request.id).await.alarm);
        }
        assert!(heard.is_sorted());
        assert_eq!(heard.last(), Some(&Alarm::LawMissed));
        let kinds = house.kinds(&request).await;
        for alarm in ["promise-near", "promise-missed", "law-near", "law-missed"] {
            assert_eq!(kinds.iter().filter(|k| *k == alarm).count(), 1, "{alarm}: {kinds:?}");
        }
        assert_eq!(house.requests.overdue(&flux(), house.now()).await.unwrap().len(), 1);
    }

    async fn staff_see_the_most_urgent_first_page_by_page(db: TestDb) {
        let house = House::new(db).await;
        let mut filed = Vec::new();
        for n in 0..5 {
            let person = house.person(&flux(), &format!("person{n}")).await;
            filed.push(house.ask(&person, Ask::Erasure { at_once: false }).await.request.id);
            house.wait(1);
        }
        let size = PageSize::new(2).unwrap();
        for filter in [QueueFilter::Open, QueueFilter::All] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = house.requests.queue(&flux(), filter, after.as_deref(), size).await.unwrap();
                seen.extend(page.items.iter().map(|r| r.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            if filter == QueueFilter::All {
                seen.reverse();
            }
            assert_eq!(seen, filed, "{filter:?}");
        }
        let overdue = house.requests.queue(&flux(), QueueFilter::Overdue, None, size).await.unwrap();
        assert!(overdue.items.is_empty());
        assert!(house.requests.queue(&flux(), QueueFilter::Open, Some("x"), size).await.is_err());
        let counts = house.requests.counts(&flux()).await.unwrap();
        assert_eq!((counts[0].right, counts[0].state, counts[0].n), (Right::Erasure, State::Grace, 5));
    }

    async fn a_refusal_carries_its_reasons_and_the_remedies_in_the_letter(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let filing = asked(&ada, Ask::Rectification(None), Some("I am the king"));
        let request = house.requests.file(&ada, filing).await.unwrap().request;
        let text = |law: &str| RefusalText {
            reason: RefusalReason::Accurate,
            law: law.to_owned(),
            words: Secret::new("We looked, and what we hold is right.".to_owned()),
        };
        let by = staff(&house);
        assert!(house.requests.refuse(&flux(), request.id, &by, &text(" ")).await.is_err(), "no law named");
        assert!(house.requests.refuse(&flux(), request.id, &me(&ada), &text("Art. 16 GDPR")).await.is_err());
        let refused = house.requests.refuse(&flux(), request.id, &by, &text("Art. 16 GDPR")).await.unwrap();
        assert_eq!((refused.state, refused.outcome.as_deref()), (State::Closed, Some("found-accurate")));
        let letters = house.requests.letters(&refused, &me(&ada)).await.unwrap();
        let letter = serde_json::to_string(&letters[0]).unwrap();
        let letter = format!("{letter} {}", requests::remedy(Tongue::English, &letters[0]).unwrap());
        for part in ["Art. 16 GDPR", "what we hold is right", "authority", "court"] {
            assert!(letter.contains(part), "{part}: {letter}");
        }
        assert!(house.requests.refuse(&flux(), request.id, &by, &text("Art. 16 GDPR")).await.is_err(), "twice");
        let again = house.requests.reopen(&flux(), request.id, &by).await.unwrap();
        assert_eq!((again.state, again.round, again.answered_at), (State::Working, 1, None));
        assert!(again.due.promise > request.due.promise || house.now() == request.received_at, "clocks of its own");
    }

    async fn the_laws_time_is_extended_once_and_the_promise_never(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let filing = asked(&ada, Ask::Rectification(None), Some("it is complicated"));
        let request = house.requests.file(&ada, filing).await.unwrap().request;
        let why = Secret::new("many records have to be compared".to_owned());
        let extended = house.requests.extend(&flux(), request.id, &staff(&house), &why).await.unwrap();
        assert_eq!((extended.legal_due(), extended.due.promise), (request.due.extended, request.due.promise));
        let twice = house.requests.extend(&flux(), request.id, &staff(&house), &why).await;
        assert_eq!(twice.unwrap_err().kind(), Kind::Conflict);
        let mine = house.requests.letters(&extended, &me(&ada)).await.unwrap();
        assert_eq!(mine[0]["reasons"], "many records have to be compared");
    }

    async fn a_request_not_known_to_be_the_persons_own_does_nothing_yet(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let filing = vouchsafe::requests::Filing { proved: false, ..asked(&ada, Ask::Access, None) };
        let request = house.requests.file(&ada, filing).await.unwrap().request;
        assert_eq!(request.state, State::IdentityPending);
        house.wait(24);
        house.requests.tick().await.unwrap();
        assert!(house.requests.archive(&ada, request.id).await.is_err());
        let shown = house.requests.identity_shown(&ada, request.id).await.unwrap();
        assert_eq!(shown.state, State::Fulfilled);
        assert!(house.requests.archive(&ada, request.id).await.is_ok());
    }

    async fn the_record_of_a_request_goes_by_its_own_rule(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let request = house.ask(&ada, Ask::Restriction { on: true }).await.request;
        house.hand.set(request.purge_at.unwrap().plus(TimeDelta::hours(-1)));
        house.requests.tick().await.unwrap();
        assert!(house.requests.find(&flux(), request.id).await.is_ok());
        house.wait(2);
        house.requests.tick().await.unwrap();
        assert!(house.requests.find(&flux(), request.id).await.is_err());
        assert!(house.kinds(&request).await.is_empty());
    }

    async fn a_consent_has_a_receipt_for_its_owner_alone(db: TestDb) {
        let house = House::new(db).await;
        let (ada, bob) = (house.person(&flux(), "ada").await, house.person(&flux(), "bob").await);
        let entry = house.consents.set(&ada, "training", true, "page").await.unwrap();
        let receipt = house.requests.consent_receipt(&ada, entry).await.unwrap();
        assert_eq!(house.requests.consent_receipt(&ada, entry).await.unwrap(), receipt, "the same one");
        assert!(house.requests.consent_receipt(&bob, entry).await.is_err());
        let (_, text) = house.requests.receipt(receipt).await.unwrap();
        text.verify(house.ledger_key.verifier(), &[]).unwrap();
        let other = house.logged(&flux(), "subject.created").await[0].leaf.id;
        assert!(house.requests.publication_receipt(&flux(), other).await.is_err());
    }
}
