//! The door: what comes in, who may see it, and what does not open.

use std::fs;

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::base::PageSize;
use vouchsafe::jobs::Task;
use vouchsafe::keystore;
use vouchsafe::on;
use vouchsafe::policy::{Fact, Role};
use vouchsafe::vault::{Access, Actor, Doomed, Error, ItemKind, Owner, Record};

use super::keystore::{residue, wrapped};
use crate::each_house;
use crate::support::Backend;
use crate::support::house::{House, SERVICE, count_in, new_record, other_tenant, run_in};

/// As the person themself, putting something right.
async fn read(house: &House, owner: &Owner, id: vouchsafe::base::RecordId) -> Result<Record, Error> {
    let actor = Actor::Subject(owner.subject);
    house.app.vault.record(owner, &Access { actor: &actor, purpose: "rights" }, id).await
}

each_house! {
    async fn what_is_stored_is_read_again_whole_and_in_ranges(house: House) {
        let ada = house.person("ada").await;
        // More than two chunks of the file format, and not a whole number of them.
        let picture: Vec<u8> = (0..200_001_u32).map(|n| (n % 251) as u8).collect();
        let stored = house.object(&ada, &picture).await;
        assert_eq!(stored.meta.len, 200_001);
        assert_eq!(house.bytes(&ada, &stored).await.unwrap(), picture);
        for (from, to) in [(0, 1), (65_535, 65_537), (131_000, 131_100), (199_990, 200_001), (5, 5)] {
            let open = house.app.vault.open_object(&ada, &SERVICE, stored.id, Some(from..to)).await.unwrap();
            let got = open.read(1 << 20).await.unwrap();
            let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
            assert_eq!(got.expose()[..], picture[from..to], "{from}..{to}");
        }
        assert_eq!(house.entries("object.stored").await, 1);
        let file = fs::read(&house.blob_files()[0]).unwrap();
        assert!(!file.windows(16).any(|w| w == &picture[..16]), "stored in clear");
    }

    async fn more_bytes_than_allowed_leave_nothing(house: House) {
        let ada = house.person("ada").await;
        let new = vouchsafe::vault::NewObject {
            most_bytes: 10, ..crate::support::house::new_object("output-image")
        };
        let body = futures_util::stream::iter([Ok::<_, Error>(bytes::Bytes::from_static(b"eleven bytes"))]);
        assert!(matches!(house.app.vault.put_object(&ada, new, body).await, Err(Error::TooLarge(10))));
        assert_eq!(house.count("SELECT COUNT(*) FROM object").await, 0);
        assert!(house.blob_files().is_empty());
    }

    async fn a_body_that_breaks_off_leaves_nothing(house: House) {
        let ada = house.person("ada").await;
        let body = futures_util::stream::iter([
            Ok(bytes::Bytes::from(vec![7; 300_000])),
            Err(Error::Damaged),
        ]);
        let new = crate::support::house::new_object("output-image");
        assert!(matches!(house.app.vault.put_object(&ada, new, body).await, Err(Error::Damaged)));
        assert_eq!(house.count("SELECT COUNT(*) FROM object").await, 0);
        assert!(house.blob_files().is_empty());
        let keys = house.keystore().await;
        // What is left is the profile's.
        assert_eq!(crate::support::house::count_in(&keys, "SELECT COUNT(*) FROM item_key").await, 1);
    }

    async fn nothing_undeclared_is_stored(house: House) {
        let ada = house.person("ada").await;
        let undeclared = house.try_object(&ada, "face-print", b"x").await;
        assert!(matches!(undeclared, Err(Error::Refused(_))), "{undeclared:?}");
        let record = new_record("shoe-size", json!({ "eu": 38 }));
        assert!(matches!(house.app.vault.add_record(&ada, record).await, Err(Error::Refused(_))));
        let record = new_record("prompt", json!({ "text": "a hat", "mood": "sad" }));
        let refused = house.app.vault.add_record(&ada, record).await;
        assert!(matches!(refused, Err(Error::Undeclared { ref field, .. }) if field == "mood"), "{refused:?}");
        // Nor by way of a correction.
        let actor = Actor::Subject(ada.subject);
        let access = Access { actor: &actor, purpose: "rights" };
        let profile = house.app.vault.record_named(&ada, &access, "account", "profile").await.unwrap().unwrap();
        let more = json!({ "email": "a@example.org", "religion": "none" });
        let refused = house.app.vault.amend_record(&ada, &access, &profile, &more).await;
        assert!(matches!(refused, Err(Error::Undeclared { ref field, .. }) if field == "religion"), "{refused:?}");
        let scalar = new_record("prompt", json!("no fields at all"));
        assert!(house.app.vault.add_record(&ada, scalar).await.is_err(), "fields cannot be checked");
    }

    async fn what_is_somebody_elses_is_not_there(house: House) {
        let ada = house.person("ada").await;
        let picture = house.object(&ada, b"a picture").await;
        let prompt = house.prompt(&ada, "a hat").await;
        let record = read(&house, &ada, prompt).await.unwrap();
        let eve = house.person("eve").await;
        let elsewhere = house.person_of(&other_tenant(), "eve").await;
        let same_id = Owner::new(&other_tenant(), ada.subject);
        for (stranger, who) in [(&eve, "eve"), (&elsewhere, "eve of another app"), (&same_id, "a made-up ada")] {
            let actor = Actor::Subject(stranger.subject);
            let access = Access { actor: &actor, purpose: "rights" };
            let vault = &house.app.vault;
            let gone = |r: Result<(), Error>, what: &str| {
                assert!(matches!(r, Err(Error::NotFound)), "{who} {what}: {r:?}");
            };
            gone(vault.object(stranger, &access, picture.id).await.map(drop), "looks");
            gone(vault.open_object(stranger, &access, picture.id, None).await.map(drop), "opens");
            gone(vault.record(stranger, &access, prompt).await.map(drop), "reads");
            gone(vault.amend_record(stranger, &access, &record, &json!({ "text": "x" })).await, "amends");
            gone(vault.erase_object(stranger, picture.id, Role::Subject).await, "erases the picture");
            gone(vault.erase_record(stranger, prompt, Role::Subject).await, "erases the record");
            let mut tx = house.app.db.begin().await.unwrap();
            gone(vault.set_parent(&mut tx, stranger, picture.id, "edt_x").await, "takes");
            drop(tx);
        }
        // A stranger who names the right owner is as far.
        let actor = Actor::Subject(eve.subject);
        let access = Access { actor: &actor, purpose: "rights" };
        assert!(matches!(house.app.vault.object(&ada, &access, picture.id).await, Err(Error::NotFound)));
        let actor = Actor::App(eve.subject);
        let access = Access { actor: &actor, purpose: "provide-edits" };
        assert!(matches!(house.app.vault.object(&ada, &access, picture.id).await, Err(Error::NotFound)));
        assert_eq!(house.bytes(&ada, &picture).await.unwrap(), b"a picture");
    }

    async fn staff_read_what_the_document_lets_them_and_each_look_is_on_the_ledger(house: House) {
        let ada = house.person("ada").await;
        let prompt = house.prompt(&ada, "a hat").await;
        let support = Actor::Staff(house.staff(Role::Support).await, Role::Support);
        let access = Access { actor: &support, purpose: "support" };
        let vault = &house.app.vault;
        // Only while the person waits for an answer: so the document says.
        assert!(matches!(vault.record_named(&ada, &access, "account", "profile").await, Err(Error::Refused(_))));
        house.question(&ada).await;
        assert!(matches!(vault.record_named(&ada, &access, "account", "profile").await, Err(Error::Refused(_))));
        crate::support::house::reason(&house.app.requests, &ada, &access).await;
        assert!(vault.record_named(&ada, &access, "account", "profile").await.unwrap().is_some());
        let looks = house.leaves("read.staff").await;
        assert_eq!(looks.len(), 1);
        assert!(looks[0].contains("account") && !looks[0].contains("ada"), "{}", looks[0]);
        assert!(matches!(vault.record(&ada, &access, prompt).await, Err(Error::Refused(_))));
        let other_purpose = Access { actor: &support, purpose: "training" };
        assert!(vault.record_named(&ada, &other_purpose, "account", "profile").await.is_err());
        let no_purpose = Access { actor: &support, purpose: "curiosity" };
        assert!(vault.record_named(&ada, &no_purpose, "account", "profile").await.is_err());
        assert_eq!(house.entries("read.refused").await, 5);
        assert_eq!(house.entries("read.staff").await, 1);
    }

    async fn a_purpose_that_nobody_agreed_to_opens_nothing(house: House) {
        let ada = house.person("ada").await;
        let prompt = house.prompt(&ada, "a hat").await;
        let access = Access { actor: &Actor::Service, purpose: "training" };
        let refused = house.app.vault.record(&ada, &access, prompt).await;
        assert!(matches!(refused, Err(Error::NoConsent { .. })), "{refused:?}");
        house.app.consents.set(&ada, "training", true, "test").await.unwrap();
        assert!(house.app.vault.record(&ada, &access, prompt).await.is_ok());
        house.app.consents.set(&ada, "training", false, "test").await.unwrap();
        assert!(house.app.vault.record(&ada, &access, prompt).await.is_err());
        assert_eq!(house.entries("read.refused").await, 2);
    }

    async fn a_restricted_persons_data_are_only_kept(house: House) {
        let ada = house.person("ada").await;
        let prompt = house.prompt(&ada, "a hat").await;
        let picture = house.object(&ada, b"a picture").await;
        let by = Actor::Subject(ada.subject);
        house.app.subjects.restrict(&ada, true, &by).await.unwrap();
        let vault = &house.app.vault;
        assert!(matches!(vault.record(&ada, &SERVICE, prompt).await, Err(Error::Restricted)));
        assert!(matches!(vault.open_object(&ada, &SERVICE, picture.id, None).await, Err(Error::Restricted)));
        let support = Actor::Staff(house.staff(Role::Support).await, Role::Support);
        let access = Access { actor: &support, purpose: "support" };
        house.question(&ada).await;
        crate::support::house::reason(&house.app.requests, &ada, &access).await;
        let refused = vault.record_named(&ada, &access, "account", "profile").await;
        assert!(matches!(refused, Err(Error::Restricted)));
        // Their owner still sees them, and what a law demands is still done.
        assert!(read(&house, &ada, prompt).await.is_ok());
        let rights = Access { actor: &Actor::Service, purpose: "rights" };
        assert!(vault.record(&ada, &rights, prompt).await.is_ok());
        house.app.subjects.restrict(&ada, false, &by).await.unwrap();
        assert!(vault.record(&ada, &SERVICE, prompt).await.is_ok());
        assert_eq!(house.entries("restriction.set").await, 2);
    }

    async fn lists_come_in_pages_and_end(house: House) {
        let ada = house.person("ada").await;
        for n in 0..5 {
            house.object(&ada, &[n]).await;
            house.prompt(&ada, &n.to_string()).await;
        }
        let size = PageSize::new(2).unwrap();
        let (mut seen, mut after) = (0, None::<String>);
        loop {
            let page = house.app.vault.objects(&ada, &SERVICE, "output-image", (after.as_deref(), size)).await.unwrap();
            seen += page.items.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, 5);
        let newest = house.app.vault.newest_objects(&ada, &SERVICE, "output-image", (None, size)).await.unwrap();
        assert_eq!(newest.items.len(), 2);
        assert!(newest.items[0].id.to_string() > newest.items[1].id.to_string(), "the newest first");
        let next = (newest.next.as_deref(), PageSize::default());
        let rest = house.app.vault.newest_objects(&ada, &SERVICE, "output-image", next).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (3, None));
        let all = house.app.vault.records(&ada, &SERVICE, "prompt", (None, size)).await.unwrap();
        assert!(all.next.is_some());
    }

    async fn a_corrected_value_is_gone_with_its_key(house: House) {
        let ada = house.person("ada").await;
        let actor = Actor::Subject(ada.subject);
        let access = Access { actor: &actor, purpose: "rights" };
        let record = house.app.vault.record_named(&ada, &access, "account", "profile").await.unwrap().unwrap();
        let copy = sealed_of(&house, &record).await;
        let new = json!({ "email": "ada@example.org", "name": "Ada", "username": "countess" });
        house.app.vault.amend_record(&ada, &access, &record, &new).await.unwrap();
        let now = read(&house, &ada, record.id).await.unwrap();
        assert_eq!((now.revision, &now.value), (2, &new));
        // Whoever puts the copied row back has a row that nothing opens.
        put_back(&house, &record, &copy).await;
        assert!(matches!(read(&house, &ada, record.id).await, Err(Error::NotFound)));
        assert_eq!(house.entries("rectification.made").await, 1);
    }

    async fn of_two_corrections_one_wins(house: House) {
        let ada = house.person("ada").await;
        let id = house.prompt(&ada, "a hat").await;
        let record = read(&house, &ada, id).await.unwrap();
        let access = Access { actor: &Actor::Service, purpose: "rights" };
        let vault = &house.app.vault;
        let (one, two) = (json!({ "text": "one" }), json!({ "text": "two" }));
        let (first, second) = tokio::join!(
            vault.amend_record(&ada, &access, &record, &one),
            vault.amend_record(&ada, &access, &record, &two),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let now = read(&house, &ada, id).await.unwrap();
        assert_eq!(now.value, if first.is_ok() { one } else { two });
        assert_eq!(now.revision, 2);
    }

    async fn a_correction_that_was_cut_short_can_be_made_again(house: House) {
        let ada = house.person("ada").await;
        let id = house.prompt(&ada, "a hat").await;
        let record = read(&house, &ada, id).await.unwrap();
        let access = Access { actor: &Actor::Service, purpose: "rights" };
        // The ledger takes nothing, so the change is not made: after its key was.
        house.run("ALTER TABLE ledger_entry RENAME TO away").await;
        assert!(house.app.vault.amend_record(&ada, &access, &record, &json!({ "text": "x" })).await.is_err());
        house.run("ALTER TABLE away RENAME TO ledger_entry").await;
        assert_eq!(read(&house, &ada, id).await.unwrap().value, json!({ "text": "a hat" }));
        house.app.vault.amend_record(&ada, &access, &record, &json!({ "text": "a cap" })).await.unwrap();
        assert_eq!(read(&house, &ada, id).await.unwrap().value, json!({ "text": "a cap" }));
    }

    /// The erasure has listed the row when the correction puts another one there.
    async fn an_erasure_destroys_the_key_of_the_row_as_it_is_and_not_as_it_was_listed(house: House) {
        let ada = house.person("ada").await;
        let id = house.prompt(&ada, "a hat").await;
        let record = read(&house, &ada, id).await.unwrap();
        let listed = Doomed {
            kind: ItemKind::Record { revision: record.revision },
            subject: ada.subject,
            id: id.to_string(),
            category: "prompt".to_owned(),
            rule: None,
            due_at: None,
            kfp: None,
        };
        let access = Access { actor: &Actor::Service, purpose: "rights" };
        house.app.vault.amend_record(&ada, &access, &record, &json!({ "text": "a cap" })).await.unwrap();
        let owner = keystore::Owner { tenant: &ada.tenant, subject: ada.subject };
        let newest = house.app.keys.item(owner, &format!("{id}#2")).await.unwrap().fingerprint;
        assert_eq!(house.app.vault.erase(&ada.tenant, &[listed], Role::Service).await.unwrap(), 1);
        let keys = house.keystore().await;
        let left = format!("SELECT COUNT(*) FROM item_key WHERE item LIKE '{id}#%'");
        assert_eq!(count_in(&keys, &left).await, 0, "the key of the correction outlives the record");
        let said = house.leaves("object.erased").await;
        assert!(said.len() == 1 && said[0].contains(&newest.to_string()), "{said:?}");
    }

    async fn a_key_that_does_not_open_stops_no_rotation_and_waits_for_a_hand(house: House) {
        let ada = house.person("ada").await;
        let id = house.prompt(&ada, "a hat").await;
        let keys = house.keystore().await;
        run_in(&keys, &format!("UPDATE item_key SET wrapped = kfp WHERE item = '{id}#1'")).await;
        for _ in 0..3 {
            house.advance(TimeDelta::days(8));
            house.pass(Task::Epochs).await;
        }
        assert_eq!(house.entries("epoch.destroyed").await, 2);
        let waits = "SELECT COUNT(*) FROM job WHERE kind = 'unread-row' AND state = 'quarantined'";
        assert_eq!(house.count(waits).await, 1, "said once");
        let found = read(&house, &ada, id).await;
        assert!(matches!(found, Err(Error::Keys(keystore::Error::Damaged))), "{found:?}");
        assert_eq!(house.entries("object.erased").await, 0);
        house.app.vault.erase_record(&ada, id, Role::Service).await.unwrap();
        assert!(house.app.keys.aside().await.unwrap().is_empty());
    }

    /// What the ledger calls them by comes from it.
    async fn what_somebody_has_whose_key_is_damaged_is_erased_all_the_same(house: House) {
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        let (hers, his) = (house.object(&ada, b"a picture").await, house.object(&bob, b"another").await);
        let keys = house.keystore().await;
        let of_ada = format!("subject = '{}' AND class = 'proof'", ada.subject);
        run_in(&keys, &format!("UPDATE subject_key SET wrapped = kfp WHERE {of_ada}")).await;
        for (owner, object) in [(&ada, &hers), (&bob, &his)] {
            house.app.vault.erase_object(owner, object.id, Role::Service).await.unwrap();
        }
        assert_eq!(house.entries("object.erased").await, 2);
        assert_eq!(house.count("SELECT COUNT(*) FROM object").await, 0);
    }

    async fn bytes_that_no_row_knows_and_whose_key_does_not_open_are_deleted(house: House) {
        let ada = house.person("ada").await;
        house.object(&ada, &vec![7; 70_000]).await;
        house.run("DELETE FROM object").await;
        run_in(&house.keystore().await, "UPDATE item_key SET wrapped = kfp").await;
        let found = house.app.vault.reconcile_blobs().await.unwrap();
        assert_eq!((found.deleted, found.waiting), (1, 0));
        assert!(house.blob_files().is_empty());
    }

    async fn a_blob_in_anothers_place_does_not_open(house: House) {
        let ada = house.person("ada").await;
        let (ones, twos) = (vec![1; 70_000], vec![2; 70_000]);
        let (one, two) = (house.object(&ada, &ones).await, house.object(&ada, &twos).await);
        let files = house.blob_files();
        let (a, b) = (fs::read(&files[0]).unwrap(), fs::read(&files[1]).unwrap());
        fs::write(&files[0], &b).unwrap();
        fs::write(&files[1], &a).unwrap();
        for object in [&one, &two] {
            assert!(matches!(house.bytes(&ada, object).await, Err(Error::Damaged)), "swapped");
        }
        fs::write(&files[0], &a).unwrap();
        fs::write(&files[1], &b).unwrap();
        assert_eq!(house.bytes(&ada, &one).await.unwrap(), ones);
        for cut in [0, 1, 100, a.len() / 2, a.len() - 1] {
            for (file, whole) in files.iter().zip([&a, &b]) {
                fs::write(file, &whole[..cut.min(whole.len() - 1)]).unwrap();
            }
            assert!(house.bytes(&ada, &one).await.is_err(), "cut at {cut}");
        }
        for (file, whole) in files.iter().zip([&a, &b]) {
            let mut longer = whole.clone();
            longer.push(0);
            fs::write(file, longer).unwrap();
        }
        // Only as many bytes as were stored are asked for, so a tail that somebody hung on is not even read.
        assert!(house.bytes(&ada, &one).await.is_ok_and(|b| b == ones));
        for n in 0..40 {
            for (file, whole) in files.iter().zip([&a, &b]) {
                let mut changed = whole.clone();
                let at = n * (changed.len() - 1) / 39;
                changed[at] ^= 1;
                fs::write(file, changed).unwrap();
            }
            assert!(house.bytes(&ada, &one).await.is_err(), "bit {n}");
        }
    }

    async fn a_row_in_anothers_place_does_not_open(house: House) {
        let (ada, eve) = (house.person("ada").await, house.person("eve").await);
        let (hers, evils) = (house.prompt(&ada, "a hat").await, house.prompt(&eve, "a cap").await);
        let mine = house.prompt(&ada, "another").await;
        // Everything that says where a value belongs is bound into it: the row's id, its owner, category and revision.
        let swap = |from: String, to: String| {
            format!(
                "UPDATE record SET sealed = (SELECT r.sealed FROM record r WHERE r.id = '{from}') WHERE id = '{to}'"
            )
        };
        house.run(&swap(mine.to_string(), hers.to_string())).await;
        assert!(matches!(read(&house, &ada, hers).await, Err(Error::Damaged)));
        house.run(&swap(evils.to_string(), mine.to_string())).await;
        assert!(matches!(read(&house, &ada, mine).await, Err(Error::Damaged)));
        house.run(&format!("UPDATE record SET subject = '{}' WHERE id = '{evils}'", ada.subject)).await;
        assert!(read(&house, &ada, evils).await.is_err());
        house.run(&format!("UPDATE record SET subject = '{}', category = 'account' WHERE id = '{evils}'", eve.subject)).await;
        assert!(read(&house, &eve, evils).await.is_err());
        house.run(&format!("UPDATE record SET category = 'prompt' WHERE id = '{evils}'")).await;
        assert_eq!(read(&house, &eve, evils).await.unwrap().value, json!({ "text": "a cap" }), "the control");
    }

    async fn a_store_that_fails_is_not_called_damage(house: House) {
        let ada = house.person("ada").await;
        let picture = house.object(&ada, b"a picture").await;
        let file = house.blob_files().remove(0);
        let whole = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let failed = house.bytes(&ada, &picture).await;
        assert!(matches!(failed, Err(Error::Blobs(_))), "{failed:?}");
        fs::remove_dir(&file).unwrap();
        let gone = house.bytes(&ada, &picture).await;
        assert!(matches!(gone, Err(Error::Damaged)), "its row is there, so it was not erased: {gone:?}");
        fs::write(&file, &whole).unwrap();
        assert_eq!(house.bytes(&ada, &picture).await.unwrap(), b"a picture");
        fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        let cut = house.bytes(&ada, &picture).await;
        assert!(matches!(cut, Err(Error::Damaged)), "{cut:?}");
    }

    async fn of_two_facts_that_come_at_once_neither_is_lost(house: House) {
        let ada = house.person("ada").await;
        let picture = house.object(&ada, b"a picture").await;
        let mut tx = house.app.db.begin().await.unwrap();
        house.app.vault.set_parent(&mut tx, &ada, picture.id, "edt_1").await.unwrap();
        tx.commit().await.unwrap();
        let now = house.now();
        let mut first = house.app.db.begin().await.unwrap();
        house.app.vault.happened(&mut first, &ada, "edt_1", &[(Fact::EditSucceeded, now)]).await.unwrap();
        let (vault, db, owner) = (house.app.vault.clone(), house.app.db.clone(), ada.clone());
        #[expect(clippy::disallowed_methods, reason = "the second writer, who waits for the first")]
        let second = tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            vault.happened(&mut tx, &owner, "edt_1", &[(Fact::EditEnded, now)]).await.unwrap();
            tx.commit().await.unwrap();
        });
        if !house.app.db.is_sqlite() {
            let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event_type = 'Lock'";
            while house.count(waiting).await == 0 {
                tokio::task::yield_now().await;
            }
        }
        first.commit().await.unwrap();
        second.await.unwrap();
        let facts = house.app.vault.object(&ada, &SERVICE, picture.id).await.unwrap().item.facts;
        for fact in [Fact::EditSucceeded, Fact::EditEnded] {
            assert_eq!(facts.get(fact), Some(now), "{fact}");
        }
    }
}

async fn sealed_of(house: &House, record: &Record) -> Vec<u8> {
    let mut tx = house.app.db.read().await.unwrap();
    let (sealed,): (Vec<u8>,) = on!(tx, |c| sqlx::query_as("SELECT sealed FROM record WHERE id = $1")
        .bind(record.id.to_string())
        .fetch_one(c)
        .await)
    .unwrap();
    sealed
}

async fn put_back(house: &House, record: &Record, sealed: &[u8]) {
    let mut tx = house.app.db.begin().await.unwrap();
    on!(tx, |c| sqlx::query("UPDATE record SET sealed = $1, revision = $2 WHERE id = $3")
        .bind(sealed)
        .bind(record.revision)
        .bind(record.id.to_string())
        .execute(c)
        .await
        .map(|_| ()))
    .unwrap();
    tx.commit().await.unwrap();
}

/// Of a picture that is deleted, of a value that was corrected, and, once the epochs are seen to, of whatever was destroyed
/// besides. Nobody cuts the log here but the service.
#[tokio::test]
async fn no_byte_of_the_key_of_a_single_thing_is_left_in_a_file() {
    let house = House::open(Backend::Sqlite).await.unwrap();
    let (ada, keys) = (house.person("ada").await, house.keystore().await);
    let before = wrapped(&keys).await;
    let picture = house.object(&ada, b"a picture").await;
    let (id, other) = (house.prompt(&ada, "a hat").await, house.object(&ada, b"another").await);
    let made: Vec<_> = wrapped(&keys).await.into_iter().filter(|w| !before.contains(w)).collect();
    assert_eq!((made.len(), residue(house.data(), &made)), (3, 3), "the search must be able to find");

    house.app.vault.erase_object(&ada, picture.id, Role::Service).await.unwrap();
    assert_eq!(residue(house.data(), &made), 2);
    let record = read(&house, &ada, id).await.unwrap();
    let access = Access { actor: &Actor::Service, purpose: "rights" };
    house.app.vault.amend_record(&ada, &access, &record, &json!({ "text": "a cap" })).await.unwrap();
    assert_eq!(residue(house.data(), &made), 1);
    house.app.keys.destroy_items(&ada.tenant, &[&other.id.to_string()]).await.unwrap();
    house.pass(Task::Epochs).await;
    assert_eq!(residue(house.data(), &made), 0);
}
