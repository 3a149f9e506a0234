//! Erasing among many, and while everything else goes on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::stream;
use serde_json::json;
use vouchsafe::crypto::{Context, open_file};
use vouchsafe::keystore::{self, NewItem};
use vouchsafe::on;
use vouchsafe::policy::Facts;
use vouchsafe::requests::{Ask, ErasureState};
use vouchsafe::vault::{Access, Actor, NewObject, NewRecord, Owner};

use super::requests_house::{House, asked, flux};
use crate::each_database;
use crate::support::chance::{Chance, soaking, tell};
use crate::support::source;

const CATEGORY: &str = "output-image";

const LATE: &str = "INSERT INTO record (id, tenant, subject, category, name, revision, sealed, facts, policy_version, kfp, \
    created_at, updated_at) VALUES ('late', $1, $2, 'analytics', 'event', 1, $3, $4, $5, $6, 0, 0)";

/// A picture, and everything that it takes to try to open it without us.
struct Kept {
    context: Context,
    ciphertext: Vec<u8>,
    plain: Vec<u8>,
}

fn picture() -> NewObject<'static> {
    NewObject {
        category: CATEGORY,
        media_type: "image/jpeg",
        parent: None,
        facts: Facts::new(),
        size: Some((4, 3)),
        most_bytes: 1 << 20,
    }
}

impl House {
    async fn put(&self, owner: &Owner, plain: &[u8]) -> Result<String, vouchsafe::vault::Error> {
        let body = stream::iter([Ok::<_, vouchsafe::vault::Error>(Bytes::copy_from_slice(plain))]);
        Ok(self.vault.put_object(owner, picture(), body).await?.id.to_string())
    }

    /// Every file in which bytes of pictures lie.
    fn blob_files(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        source::walk(&self.db.folder().join("blobs"), &mut all);
        all.retain(|p| p.is_file());
        all
    }

    /// A picture as somebody with the bucket and the database would keep it.
    async fn keep(&self, owner: &Owner, id: &str, plain: &[u8]) -> Kept {
        let mut tx = self.db.main.read().await.unwrap();
        let (key,): (String,) = on!(tx, |c| sqlx::query_as("SELECT blob_key FROM object WHERE id = $1")
            .bind(id)
            .fetch_one(c)
            .await)
        .unwrap();
        let file = self.blob_files().into_iter().find(|f| name_of(f).ends_with(&key[2..])).unwrap();
        let context = Context {
            tenant: owner.tenant.to_string(),
            subject: owner.subject.to_string(),
            object: id.to_owned(),
            kind: CATEGORY.to_owned(),
            revision: 1,
        };
        Kept { context, ciphertext: fs::read(file).unwrap(), plain: plain.to_vec() }
    }

    /// Every key of pictures that can be had from the keystore, whoever they belong to.
    async fn reachable(&self, owners: &[Owner], ids: &BTreeMap<String, Vec<String>>) -> Vec<[u8; 16]> {
        let mut keys = Vec::new();
        for owner in owners {
            let names: Vec<&str> = ids[&owner.subject.to_string()].iter().map(String::as_str).collect();
            let of = keystore::Owner { tenant: &owner.tenant, subject: owner.subject };
            if let Ok(found) = self.keys.items(of, &names).await {
                keys.extend(found.into_values().map(|k| *k.key.expose().first_chunk::<16>().unwrap()));
            }
        }
        keys
    }

    /// Erases somebody while a record of theirs is written as [`vouchsafe::vault::Vault::insert`] would, but for its look
    /// at how they stand, and not before their rows are cleared.
    async fn erase_beside_one_that_does_not_ask(&self, owner: &Owner) {
        let mut tx = self.db.main.read().await.unwrap();
        let (sealed, kfp, facts, version): (Vec<u8>, Vec<u8>, String, String) = on!(tx, |c| sqlx::query_as(
            "SELECT sealed, kfp, facts, policy_version FROM record WHERE subject = $1"
        )
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)
        .unwrap();
        drop(tx);
        let over = Cell::new(false);
        let erasing = async {
            // A second look that finds the record says so, and that is as well.
            let _ = self.requests.erase(owner, vouchsafe::policy::Role::Service).await;
            over.set(true);
        };
        let writing = async {
            let before = [ErasureState::Fenced, ErasureState::Listed, ErasureState::Destroyed];
            loop {
                let newest = self.requests.erasures(&owner.tenant, 1).await.unwrap().remove(0);
                let theirs = newest.subject == Some(owner.subject);
                if over.get() || (theirs && !before.contains(&newest.state)) {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let mut tx = self.db.main.begin().await.unwrap();
            on!(tx, |c| sqlx::query(LATE)
                .bind(owner.tenant.as_str())
                .bind(owner.subject.to_string())
                .bind(sealed)
                .bind(facts)
                .bind(version)
                .bind(kfp)
                .execute(c)
                .await
                .map(|_| ()))
            .unwrap();
            tx.commit().await.unwrap();
        };
        tokio::join!(erasing, writing);
    }

    async fn count(&self, keys: bool, statement: &'static str) -> i64 {
        let db = if keys { &self.db.keys } else { &self.db.main };
        let mut tx = db.read().await.unwrap();
        let (n,): (i64,) = on!(tx, |c| sqlx::query_as(statement).fetch_one(c).await).unwrap();
        n
    }
}

fn name_of(file: &std::path::Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

/// Whether any of these keys opens it, by the cipher and nothing of the vault.
fn opens(kept: &Kept, keys: &[[u8; 16]]) -> bool {
    keys.iter()
        .any(|key| open_file(&kept.ciphertext, &kept.context, key).is_ok_and(|plain| plain == kept.plain))
}

each_database! {
    /// T07: some among many are erased. Nothing of theirs opens with any key that can be had, and all of the others' does.
    async fn of_many_people_the_erased_are_unreadable_by_any_key_and_the_others_whole(db: TestDb) {
        let (people, each, every) = if soaking() { (1_000, 10, 10) } else { (40, 4, 5) };
        let chance = Chance::of("of_many_people_the_erased_are_unreadable");
        let house = House::new(db).await;
        let (mut owners, mut ids, mut kept) = (Vec::new(), BTreeMap::new(), Vec::new());
        for n in 0..people {
            let owner = house.person(&flux(), &format!("person{n}")).await;
            let mut own = Vec::new();
            for _ in 0..each {
                let plain = chance.bytes(1 + chance.below(600));
                let id = house.put(&owner, &plain).await.unwrap();
                kept.push((n, house.keep(&owner, &id, &plain).await));
                own.push(id);
            }
            ids.insert(owner.subject.to_string(), own);
            owners.push(owner);
        }
        let all = house.reachable(&owners, &ids).await;
        assert_eq!(all.len(), people * each);
        // The control: with the keys of before each of them opens.
        assert!(kept.iter().step_by(7).all(|(_, k)| opens(k, &all)), "the search must be able to find");

        for n in (0..people).step_by(every) {
            house.requests.erase(&owners[n], vouchsafe::policy::Role::Service).await.unwrap().unwrap();
        }
        let left = house.reachable(&owners, &ids).await;
        assert_eq!(left.len(), (people - people.div_ceil(every)) * each);
        let (mut tried, mut whole) = (0, 0);
        for (n, k) in &kept {
            if n % every == 0 {
                assert!(!opens(k, &left), "a picture of an erased person opens");
                tried += left.len();
                continue;
            }
            let owner = &owners[*n];
            let access = Access { actor: &Actor::Subject(owner.subject), purpose: "rights" };
            let id = k.context.object.parse().unwrap();
            let open = house.vault.open_object(owner, &access, id, None).await.unwrap();
            let pieces: Vec<Bytes> = futures_util::TryStreamExt::try_collect(open.bytes).await.unwrap();
            assert!(pieces.concat() == k.plain, "a picture of somebody else is not whole");
            whole += 1;
        }
        tell(&format!("{tried} openings refused, {whole} pictures of others whole"));
        assert_eq!(whole, (people - people.div_ceil(every)) * each);
        assert_eq!(house.blob_files().len(), whole, "bytes of the erased are still there");
    }

    /// T12: an erasure, and at the same moment uploads, records, an edit, a take-home copy, a word of consent, from the same
    /// person. When it is called done nothing of theirs is there, and nothing comes after.
    async fn nothing_that_races_an_erasure_outlives_it(db: TestDb) {
        let runs = if soaking() { 2_500 } else { 25 };
        let chance = Chance::of("nothing_that_races_an_erasure_outlives_it");
        let house = House::new(db).await;
        let (mut landed, mut refused) = (0, 0);
        for run in 0..runs {
            let owner = house.person(&flux(), &format!("racer{run}")).await;
            house.put(&owner, b"before").await.unwrap();
            let pauses: [usize; 6] = std::array::from_fn(|_| chance.below(40));
            let wait = |n: usize| async move {
                for _ in 0..n {
                    tokio::task::yield_now().await;
                }
            };
            let (house, owner) = (&house, &owner);
            let erasing = async {
                wait(pauses[0]).await;
                house.requests.erase(owner, vouchsafe::policy::Role::Service).await
            };
            let uploading = async {
                wait(pauses[1]).await;
                house.put(owner, b"late").await.is_ok()
            };
            let writing = async {
                wait(pauses[2]).await;
                let value = json!({ "page": "/", "duration": 1 });
                let new = NewRecord { category: "analytics", name: "event", value, parent: None, facts: Facts::new() };
                house.vault.add_record(owner, new).await.is_ok()
            };
            let editing = async {
                wait(pauses[3]).await;
                if run % 5 != 0 {
                    return false;
                }
                let picture = Bytes::from(vouchsafe::imaging::sample::shoot(&shot()).unwrap());
                house.editing.upload(owner, &Actor::Subject(owner.subject), picture).await.is_ok()
            };
            let asking = async {
                wait(pauses[4]).await;
                house.requests.file(owner, asked(owner, Ask::Access, None)).await.is_ok()
            };
            let agreeing = async {
                wait(pauses[5]).await;
                house.consents.set(owner, "analytics", true, "page").await.is_ok()
            };
            let (erased, others) = tokio::join!(erasing, async {
                let all = tokio::join!(uploading, writing, editing, asking, agreeing);
                [all.0, all.1, all.2, all.3, all.4]
            });
            for done in others {
                landed += usize::from(done);
                refused += usize::from(!done);
            }
            if erased.is_err() {
                house.hand.advance(TimeDelta::hours(1));
                house.requests.tick().await.unwrap();
            }
            let erasure = house.requests.erasures(&flux(), 1).await.unwrap().remove(0);
            assert_eq!(erasure.state, ErasureState::Closed, "run {run}, {pauses:?}: {erasure:?}");
            // Whoever comes now finds nobody, and leaves nothing.
            assert!(house.put(owner, b"after").await.is_err());
            let item = NewItem { item: "obj_after", kind: CATEGORY, key: None };
            let of = keystore::Owner { tenant: &owner.tenant, subject: owner.subject };
            assert!(house.keys.mint(of, vec![item]).await.is_err(), "a key was made after the erasure");
        }
        tell(&format!("{landed} of what raced got in before the fence and went with the rest, {refused} were refused"));
        assert!(landed > runs / 5 && refused > runs / 5, "the races were none: {landed} {refused}");
        // Whatever was cut off half-way is cleared by the sweeps.
        house.hand.advance(TimeDelta::days(2));
        for _ in 0..3 {
            house.vault.sweep_arrivals().await.unwrap();
            house.vault.visit_graves().await.unwrap();
            house.hand.advance(TimeDelta::days(2));
        }
        assert_eq!(house.blob_files(), Vec::<PathBuf>::new(), "bytes were left");
        assert_eq!(house.count(true, "SELECT COUNT(*) FROM item_key").await, 0, "keys were left");
        assert_eq!(house.count(true, "SELECT COUNT(*) FROM subject_key").await, 0, "keys were left");
        assert_eq!(house.count(false, "SELECT COUNT(*) FROM object").await, 0, "rows were left");
        assert_eq!(house.count(false, "SELECT COUNT(*) FROM record").await, 0, "rows were left");
        assert_eq!(house.count(false, "SELECT COUNT(*) FROM consent_event").await, 0, "rows were left");
        // A control: a writer that does not ask how a person stands before it writes, and is slow, leaves something.
        let owner = house.person(&flux(), "slow").await;
        Box::pin(house.erase_beside_one_that_does_not_ask(&owner)).await;
        assert_eq!(house.count(false, "SELECT COUNT(*) FROM record").await, 1, "it is what asking stops");
        // Another: without the fence of the keystore a key is made again.
        let owner = house.person(&flux(), "control").await;
        house.requests.erase(&owner, vouchsafe::policy::Role::Service).await.unwrap();
        let mut tx = house.db.keys.begin().await.unwrap();
        on!(tx, |c| sqlx::query("DELETE FROM fence").execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
        let of = keystore::Owner { tenant: &owner.tenant, subject: owner.subject };
        house.keys.create_subject(of).await.expect("the fence is what stops this");
        assert!(house.count(true, "SELECT COUNT(*) FROM subject_key").await > 0);
    }
}

fn shot() -> vouchsafe::imaging::sample::Shot<'static> {
    vouchsafe::imaging::sample::Shot { width: 32, height: 24, ..Default::default() }
}
