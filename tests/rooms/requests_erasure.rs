//! Erasing a person, from the asking to the proof, and what may get in the way.

use chrono::TimeDelta;
use sqlx::AssertSqlSafe;
use vouchsafe::base::{Kind, PageSize, RequestId, StaffId};
use vouchsafe::keystore;
use vouchsafe::ledger::Fact;
use vouchsafe::on;
use vouchsafe::policy::Role;
use vouchsafe::requests::{Ask, Erasure, ErasureState, IssuedKind, State};
use vouchsafe::retention::{NewHold, Retention};
use vouchsafe::subjects::SignedIn;
use vouchsafe::vault::{Access, Actor, Owner};

use super::requests_house::{House, asked, flux};
use crate::each_database;

const ERASE: Ask = Ask::Erasure { at_once: true };
const LATER: Ask = Ask::Erasure { at_once: false };

impl House {
    async fn sql(&self, statement: &str) {
        let mut tx = self.db.main.begin().await.unwrap();
        let statement = AssertSqlSafe(statement.to_owned());
        on!(tx, |c| sqlx::query(statement).execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
    }

    async fn erasure(&self) -> Erasure {
        self.requests.erasures(&flux(), 10).await.unwrap().remove(0)
    }

    /// Everything that a person can have, in every table.
    async fn full_life(&self, name: &str) -> Owner {
        let owner = self.person(&flux(), name).await;
        self.edit(&owner, &format!("{name} in warm light")).await;
        self.upload(&owner).await;
        self.consents.set(&owner, "analytics", true, "page").await.unwrap();
        self.page_view(&owner).await;
        self.subjects.direct_link(&SignedIn::Subject(owner.clone()), TimeDelta::hours(1)).await.unwrap();
        self.ask(&owner, Ask::Access).await;
        owner
    }

    /// The files in which one of these words occurs, and on a server the tables: what a dump of all rows would hold.
    async fn places_with(&self, words: &[&str]) -> Vec<String> {
        let mut found = self.files_with(words);
        for db in [&self.db.main, &self.db.keys].into_iter().filter(|db| !db.is_sqlite()) {
            let mut tx = db.read().await.unwrap();
            let tables: Vec<(String,)> = on!(tx, |c| {
                sqlx::query_as(
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
            )
            .fetch_all(c)
            .await
            })
            .unwrap();
            for (table,) in tables {
                let rows = format!("SELECT CAST(t AS TEXT) FROM \"{table}\" t");
                let rows: Vec<(String,)> =
                    on!(tx, |c| sqlx::query_as(AssertSqlSafe(rows)).fetch_all(c).await).unwrap();
                // Bytes are shown as hexadecimal digits.
                let holds =
                    |row: &str| words.iter().any(|w| row.contains(w) || row.contains(&hex::encode(w)));
                if rows.iter().any(|(row,)| holds(row)) {
                    found.push(table);
                }
            }
        }
        found
    }

    /// The files of the data folder in which any of these words occurs.
    fn files_with(&self, words: &[&str]) -> Vec<String> {
        let mut paths = Vec::new();
        crate::support::source::walk(self.db.folder(), &mut paths);
        let holds = |bytes: &[u8]| words.iter().any(|w| bytes.windows(w.len()).any(|b| b == w.as_bytes()));
        paths
            .iter()
            .filter(|p| p.is_file() && holds(&std::fs::read(p).unwrap()))
            .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    }
}

each_database! {
    async fn an_erasure_goes_from_asking_to_proof(db: TestDb) {
        let house = House::new(db).await;
        let (ada, bob) = (house.full_life("ada").await, house.full_life("bob").await);
        let before = house.vault.holdings(&bob).await.unwrap();

        let filed = house.ask(&ada, LATER).await.request;
        assert_eq!(filed.state, State::Grace);
        let until = filed.grace_until.unwrap();
        assert!(until < filed.due.promise && until > house.now().plus(TimeDelta::hours(70)), "{until:?}");
        assert_eq!(house.holds(&ada, "output-image").await, 1, "nothing goes during the grace");

        house.hand.set(until);
        house.requests.tick().await.unwrap();
        let done = house.request(&flux(), filed.id).await;
        assert_eq!((done.state, done.subject), (State::Closed, None));
        assert_eq!(done.outcome.as_deref(), Some("fulfilled"));
        assert!(done.answered_at.unwrap() <= done.due.promise);
        assert!(done.purge_at.unwrap() > house.now());

        let access = Access { actor: &Actor::Subject(ada.subject), purpose: "rights" };
        let read = house.subjects.profile(&ada, &access).await.unwrap_err();
        assert_eq!(read.kind(), Kind::NotFound);
        assert!(house.subjects.get(&ada).await.is_err());
        assert!(house.requests.get(&ada, filed.id).await.is_err(), "the row leads to nobody");

        let erasure = house.erasure().await;
        assert_eq!((erasure.state, erasure.subject), (ErasureState::Closed, None));
        assert!(erasure.manifest.is_empty() && erasure.images == 2 && erasure.records > 5, "{erasure:?}");
        let looked = erasure.looked_through();
        assert!(looked.iter().all(|(_, n)| *n == 0));
        for place in ["keys", "blobs", "session", "edit", "credit_entry", "job", "idempotency", "request"] {
            assert!(looked.iter().any(|(p, _)| *p == place), "{place} was not looked through: {looked:?}");
        }

        let after = house.vault.holdings(&bob).await.unwrap();
        assert_eq!(format!("{before:?}"), format!("{after:?}"), "another person's data are whole");
        assert!(house.subjects.get(&bob).await.is_ok());
        assert_eq!(house.requests.list(&bob, None, PageSize::default()).await.unwrap().items.len(), 1);
    }

    async fn the_receipt_of_an_erasure_verifies_offline_and_names_nobody(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("ada").await;
        let key = house.keys.subject_ref(keystore::Owner { tenant: &ada.tenant, subject: ada.subject });
        let reference = key.await.unwrap();
        let done = house.ask(&ada, ERASE).await.request;
        assert_eq!(done.state, State::Closed);
        let (issued, receipt) = house.requests.receipt(done.receipt.unwrap()).await.unwrap();
        assert_eq!((issued.kind, issued.tenant), (IssuedKind::Erasure, flux()));
        let text = receipt.to_text().unwrap();
        let read = vouchsafe::ledger::Receipt::parse(&text).unwrap();
        let verified = read.verify(house.ledger_key.verifier(), &[]).unwrap();
        drop(verified);
        assert!(read.sentence().contains("had erased") && read.sentence().contains(&reference));
        assert!(!text.contains(&ada.subject.to_string()) && !text.contains("ada@"));
        let gone = house.keys.subject_ref(keystore::Owner { tenant: &ada.tenant, subject: ada.subject }).await;
        assert!(matches!(gone, Err(keystore::Error::NoKey)), "nobody can tell any more whose it was");
        let entry = &house.logged(&flux(), "erasure.completed").await[0].leaf;
        assert_eq!(entry.facts.get("key"), Some(&Fact::Word(house.erasure().await.key.unwrap())));
    }

    async fn an_erased_person_is_in_no_file_but_the_fence(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("adacanary").await;
        let id = ada.subject.to_string();
        assert!(!house.places_with(&[&id]).await.is_empty(), "the search must be able to find");
        assert_eq!(house.places_with(&["adacanary"]).await, [""; 0], "nothing is ever written in clear");
        house.ask(&ada, ERASE).await;
        house.keys.truncate_log().await.unwrap();
        let found = house.places_with(&[&id, "adacanary"]).await;
        assert!(found.iter().all(|f| f.starts_with("keys.db") || f == "fence"), "{found:?}");
    }

    async fn what_is_left_behind_is_never_called_erased(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("ada").await;
        house.sql("CREATE TABLE surprise (subject TEXT)").await;
        house.sql("CREATE TABLE surprise_notes (note TEXT)").await;
        house.sql(&format!("INSERT INTO surprise (subject) VALUES ('{}')", ada.subject)).await;
        house.sql(&format!("INSERT INTO surprise_notes (note) VALUES ('see {} again')", ada.subject)).await;

        let request = house.ask(&ada, ERASE).await.request;
        assert_eq!(request.state, State::Working);
        assert!(request.problem.is_some() && request.next_at > Some(house.now()));
        assert_eq!((request.receipt, request.answered_at), (None, None));
        let erasure = house.erasure().await;
        assert_eq!((erasure.state, erasure.receipt), (ErasureState::Failed, None));
        let found: Vec<_> = erasure.looked_through().into_iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(found, [("surprise", 1), ("surprise_notes", 1)]);
        assert!(house.logged(&flux(), "erasure.completed").await.is_empty());
        assert_eq!(house.logged(&flux(), "erasure.failed").await.len(), 1);

        for _ in 0..5 {
            house.wait(12);
            house.requests.tick().await.unwrap();
            assert_eq!(house.erasure().await.state, ErasureState::Failed, "not done after any number of tries");
        }
        assert_eq!(house.logged(&flux(), "erasure.failed").await.len(), 1, "said once");
        assert_eq!(house.requests.overdue(&flux(), house.now().plus(TimeDelta::days(9))).await.unwrap().len(), 1);

        house.sql("DROP TABLE surprise").await;
        house.sql("DELETE FROM surprise_notes").await;
        house.wait(12);
        house.requests.tick().await.unwrap();
        assert_eq!(house.erasure().await.state, ErasureState::Closed);
        let request = house.request(&flux(), request.id).await;
        assert_eq!((request.state, request.problem), (State::Closed, None));
    }

    async fn an_erasure_cut_off_after_any_step_is_finished(db: TestDb) {
        let house = House::new(db).await;
        for steps in 0..6 {
            house.wait(1);
            let ada = house.full_life(&format!("ada{steps}")).await;
            let filed = house.ask(&ada, LATER).await.request;
            let mut erasure = house.requests.erasure_begin(&ada, Some(filed.id)).await.unwrap();
            for _ in 0..steps {
                erasure = house.requests.erasure_step(&flux(), &erasure.id).await.unwrap();
            }
            assert_eq!(erasure.state == ErasureState::Closed, steps == 5, "{steps}: {:?}", erasure.state);
            house.requests.tick().await.unwrap();
            assert_eq!(house.erasure().await.state, ErasureState::Closed, "{steps}");
            assert_eq!(house.request(&flux(), filed.id).await.state, State::Closed, "{steps}");
            assert_eq!(house.logged(&flux(), "erasure.completed").await.len(), steps + 1);
        }
    }

    async fn an_erasure_cut_off_within_a_step_is_finished(db: TestDb) {
        let house = House::new(db).await;
        for (number, at) in ["listed", "destroyed", "verified"].into_iter().enumerate() {
            house.wait(1);
            let ada = house.full_life(&format!("ada{number}")).await;
            let mut erasure = house.requests.erasure_begin(&ada, None).await.unwrap();
            while erasure.state.as_str() != at {
                erasure = house.requests.erasure_step(&flux(), &erasure.id).await.unwrap();
            }
            // What the step does happens; that it was done is not written down.
            match at {
                "listed" => drop(house.vault.destroy_key(&ada).await.unwrap()),
                "destroyed" => drop(house.vault.clear(&ada).await.unwrap()),
                _ => house.vault.destroy_proof_key(&ada).await.unwrap(),
            }
            house.requests.tick().await.unwrap();
            let closed = house.erasure().await;
            assert_eq!(closed.state, ErasureState::Closed, "{at}");
            assert!(closed.key.is_some() && closed.images == 2, "{at}: {closed:?}");
        }
    }

    async fn two_processes_finish_one_erasure_once(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("ada").await;
        house.requests.erasure_begin(&ada, None).await.unwrap();
        let (a, b) = tokio::join!(house.requests.tick(), house.requests.tick());
        a.unwrap();
        b.unwrap();
        house.wait(1);
        house.requests.tick().await.unwrap();
        assert_eq!(house.erasure().await.state, ErasureState::Closed);
        assert_eq!(house.logged(&flux(), "erasure.completed").await.len(), 1);
    }

    async fn an_erasure_can_be_taken_back_until_it_begins(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("ada").await;
        let filed = house.ask(&ada, LATER).await.request;
        let me = Actor::Subject(ada.subject);
        let back = house.requests.cancel(&ada, filed.id, &me).await.unwrap();
        assert_eq!(back.state, State::Withdrawn);
        house.wait(100);
        house.requests.tick().await.unwrap();
        assert!(house.subjects.get(&ada).await.is_ok());

        let again = house.ask(&ada, LATER).await;
        assert!(!again.again, "what was taken back is not open");
        let waived = house.requests.waive(&ada, again.request.id).await.unwrap();
        assert_eq!(waived.state, State::Closed);
        assert!(house.requests.cancel(&ada, filed.id, &me).await.is_err());
        assert!(house.requests.file(&ada, asked(&ada, ERASE, None)).await.is_err());
    }

    async fn a_legal_hold_keeps_a_person_until_it_is_lifted(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("ada").await;
        let retention = Retention::new(
            house.db.main.clone(),
            house.vault.clone(),
            house.ledger.clone(),
            vouchsafe::policy::Library::new(),
            house.clock.clone(),
            vouchsafe::base::Entropy::system(),
        );
        let new = NewHold {
            untold: None,
            subject: Some(ada.subject),
            category: None,
            matter: "case 12/26".to_owned(),
            reason: "a claim is before the court".to_owned(),
            review_at: house.now().plus(TimeDelta::days(30)),
        };
        let staff = StaffId::new(&house.clock, &vouchsafe::base::Entropy::system());
        let hold = retention.hold(&flux(), new, staff, Role::Compliance).await.unwrap();
        let request = house.ask(&ada, ERASE).await.request;
        assert_eq!(request.state, State::Working);
        assert!(request.problem.as_deref().unwrap().contains("hold"), "{:?}", request.problem);
        assert_eq!(house.holds(&ada, "output-image").await, 1);
        assert!(house.requests.erase(&ada, Role::Service).await.unwrap().is_none());

        retention.release(&flux(), hold.id, staff, Role::Compliance).await.unwrap();
        house.wait(1);
        house.requests.tick().await.unwrap();
        assert_eq!(house.request(&flux(), request.id).await.state, State::Closed);
    }

    async fn the_same_address_may_come_back_as_somebody_new(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        house.ask(&ada, ERASE).await;
        let fresh = house.person(&flux(), "ada").await;
        assert_ne!(fresh.subject, ada.subject);
        let list = house.requests.list(&fresh, None, PageSize::default()).await.unwrap();
        assert!(list.items.is_empty());
    }

    async fn an_account_ended_by_a_rule_is_erased_without_a_request(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.full_life("ada").await;
        let erasure = house.requests.erase(&ada, Role::Service).await.unwrap().unwrap();
        assert_eq!((erasure.state, erasure.request), (ErasureState::Closed, None::<RequestId>));
        let (issued, _) = house.requests.receipt(erasure.receipt.unwrap()).await.unwrap();
        assert_eq!(issued.kind, IssuedKind::Erasure);
    }
}
