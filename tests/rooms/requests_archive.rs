//! Taking one's data home.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use futures_util::TryStreamExt as _;
use serde_json::Value;
use vouchsafe::archive::{self, Signature};
use vouchsafe::base::{Kind, RequestId, StaffId};
use vouchsafe::ledger::Fact;
use vouchsafe::policy::Role;
use vouchsafe::requests::{Archive, Ask, IssuedKind, State};
use vouchsafe::vault::{Access, Actor, Owner};

use super::requests_house::{House, flux};
use crate::each_database;
use crate::support::house::files_below;

impl House {
    async fn fetch(&self, owner: &Owner, archive: &Archive, from: u64) -> Vec<u8> {
        let stream = self.requests.deliver(owner, archive, Some(from..archive.len())).await.unwrap();
        let pieces: Vec<bytes::Bytes> = stream.try_collect().await.unwrap();
        pieces.concat()
    }

    async fn archive_of(&self, owner: &Owner, ask: Ask) -> (RequestId, BTreeMap<String, Vec<u8>>) {
        let request = self.ask(owner, ask).await.request;
        let archive = self.requests.archive(owner, request.id).await.unwrap();
        let bytes = self.fetch(owner, &archive, 0).await;
        (request.id, files(&bytes))
    }
}

fn files(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut file = zip.by_index(i).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn json(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

fn ids(answer: &Value, part: &str) -> Vec<String> {
    answer[part].as_array().unwrap().iter().map(|v| v["id"].as_str().unwrap().to_owned()).collect()
}

each_database! {
    async fn an_archive_is_whole_signed_and_proved(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        house.edit(&ada, "warm light, please").await;
        house.upload(&ada).await;
        house.consents.set(&ada, "training", true, "page").await.unwrap();
        house.wait(1);

        let request = house.ask(&ada, Ask::Access).await.request;
        assert_eq!(request.state, State::Fulfilled);
        let prepared = request.archive.unwrap();
        let archive = house.requests.archive(&ada, request.id).await.unwrap();
        assert!(archive.as_prepared);
        assert_eq!((archive.len(), archive.manifest_sha256()), (prepared.len, prepared.sha256));
        let bytes = house.fetch(&ada, &archive, 0).await;
        assert_eq!(bytes.len() as u64, archive.len());

        let report = archive::verify(Cursor::new(&bytes), Some(&house.requests.archive_key()));
        assert!(report.is_whole(), "{:?}", report.flaws);
        assert!(matches!(report.signature, Some(Signature::Trusted(_))));
        assert_eq!(report.images, 2, "the result, and the upload that is still here");
        assert_eq!(report.reference, request.reference);

        let files = files(&bytes);
        for path in ["index.html", "answer.json", "data/account.json", "data/account.csv", "data/prompt.json",
            "data/credits.csv", "data/edit-history.json", "consents.json", "data/rights-request.json"]
        {
            assert!(files.contains_key(path), "{path}: {:?}", files.keys());
        }
        let prompts = json(&files, "data/prompt.json");
        assert_eq!(prompts["records"][0]["values"]["text"], "warm light, please");
        assert_eq!(json(&files, "data/account.json").to_string().matches("ada@example.org").count(), 1);
        let consents = json(&files, "consents.json");
        assert_eq!((&consents["consents"][0]["purpose"], &consents["consents"][0]["state"]), (&"training".into(), &"given".into()));
        let captions = json(&files, "images.json").to_string();
        assert!(captions.contains("warm light, please"), "a result says which words made it");

        let done = house.request(&flux(), request.id).await;
        assert_eq!(done.state, State::Closed);
        let (issued, receipt) = house.requests.receipt(done.receipt.unwrap()).await.unwrap();
        assert_eq!(issued.kind, IssuedKind::Export);
        receipt.verify(house.ledger_key.verifier(), &[]).unwrap();
        let entry = &house.logged(&flux(), "export.delivered").await[0].leaf;
        assert_eq!(entry.facts.get("manifest-sha256"), Some(&Fact::Word(hex::encode(report.manifest_sha256.unwrap()))));
    }

    async fn a_broken_download_goes_on_where_it_stopped(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        house.edit(&ada, "invert").await;
        let request = house.ask(&ada, Ask::Portability).await.request;
        let first = house.requests.archive(&ada, request.id).await.unwrap();
        let whole = house.fetch(&ada, &first, 0).await;
        house.wait(26);
        house.ask(&ada, Ask::Restriction { on: true }).await;
        let second = house.requests.archive(&ada, request.id).await.unwrap();
        let half = first.len() / 2;
        assert_eq!(second.etag(), first.etag(), "what happened since is not in it");
        assert!(second.as_prepared);
        assert_eq!(whole[usize::try_from(half).unwrap()..], house.fetch(&ada, &second, half).await);
    }

    async fn a_second_fetch_is_not_a_second_delivery(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let request = house.ask(&ada, Ask::Access).await.request;
        for from in [0, 100, 0] {
            let archive = house.requests.archive(&ada, request.id).await.unwrap();
            house.fetch(&ada, &archive, from).await;
        }
        assert_eq!(house.logged(&flux(), "export.delivered").await.len(), 1);
        assert_eq!(house.requests.receipts(&ada).await.unwrap().len(), 1);
    }

    async fn what_was_erased_meanwhile_is_not_in_it(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let picture = house.edit(&ada, "invert").await;
        let request = house.ask(&ada, Ask::Access).await.request;
        let before = house.requests.archive(&ada, request.id).await.unwrap();
        house.vault.erase_object(&ada, picture, Role::Subject).await.unwrap();
        let stream = house.requests.deliver(&ada, &before, None).await.unwrap();
        let broken = stream.try_collect::<Vec<bytes::Bytes>>().await.unwrap_err();
        assert!(matches!(broken, archive::Error::Gone { .. }), "{broken:?}");
        let after = house.requests.archive(&ada, request.id).await.unwrap();
        assert!(!after.as_prepared);
        let bytes = house.fetch(&ada, &after, 0).await;
        let report = archive::verify(Cursor::new(&bytes), None);
        assert!(report.is_whole() && report.images == 0, "{:?}", report.flaws);
    }

    async fn a_picture_at_which_a_download_broke_off_is_a_gap_in_the_next(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        house.edit(&ada, "invert").await;
        let request = house.ask(&ada, Ask::Access).await.request;
        let before = house.requests.archive(&ada, request.id).await.unwrap();
        let blobs = files_below(&house.db.folder().join("blobs"));
        assert_eq!(blobs.len(), 1);
        let sound = std::fs::read(&blobs[0]).unwrap();
        let mut broken = sound.clone();
        *broken.last_mut().unwrap() ^= 1;
        std::fs::write(&blobs[0], &broken).unwrap();
        let stream = house.requests.deliver(&ada, &before, None).await.unwrap();
        let off = stream.try_collect::<Vec<bytes::Bytes>>().await.unwrap_err();
        assert!(matches!(off, archive::Error::Unreadable { .. }), "{off:?}");

        let after = house.requests.archive(&ada, request.id).await.unwrap();
        assert!(!after.as_prepared);
        let bytes = house.fetch(&ada, &after, 0).await;
        let report = archive::verify(Cursor::new(&bytes), Some(&house.requests.archive_key()));
        assert!(report.is_whole(), "{:?}", report.flaws);
        assert_eq!((report.gaps.len(), report.images), (1, 0), "{:?}", report.gaps);
        let again = house.requests.archive(&ada, request.id).await.unwrap();
        assert_eq!(again.etag(), after.etag(), "and so it stays");
        // Mended from a copy, it is in what is asked for anew.
        std::fs::write(&blobs[0], &sound).unwrap();
        let anew = house.ask(&ada, Ask::Access).await.request;
        assert_ne!(anew.id, request.id);
        let anew = house.requests.archive(&ada, anew.id).await.unwrap();
        let report = archive::verify(Cursor::new(house.fetch(&ada, &anew, 0).await), None);
        assert_eq!((report.gaps.len(), report.images), (0, 1));
    }

    async fn two_people_get_two_different_answers(db: TestDb) {
        let house = House::new(db).await;
        let (ada, bob) = (house.person(&flux(), "ada").await, house.person(&flux(), "bob").await);
        house.edit(&ada, "warm light").await;
        house.page_view(&bob).await;
        house.consents.set(&bob, "analytics", true, "page").await.unwrap();
        house.wait(1);
        let (_, adas) = house.archive_of(&ada, Ask::Access).await;
        let (_, bobs) = house.archive_of(&bob, Ask::Access).await;
        let (adas_answer, bobs_answer) = (json(&adas, "answer.json"), json(&bobs, "answer.json"));
        let (a, b) = (ids(&adas_answer, "categories"), ids(&bobs_answer, "categories"));
        assert!(a.contains(&"output-image".to_owned()) && !b.contains(&"output-image".to_owned()));
        assert!(b.contains(&"analytics".to_owned()) && !a.contains(&"analytics".to_owned()));
        for category in bobs_answer["categories"].as_array().unwrap() {
            assert!(category["retention"]["rule"].as_str().is_some_and(|r| r.len() > 5), "{category}");
        }
        let choice = |answer: &Value| {
            let all = answer["purposes"].as_array().unwrap().clone();
            all.into_iter().find(|p| p["id"] == "analytics").unwrap()["choice"].to_string()
        };
        assert!(choice(&bobs_answer).contains("Allowed since") && choice(&adas_answer).contains("Off"));
        for files in [&adas, &bobs] {
            let other = if files.contains_key("data/analytics.json") { "ada" } else { "bob" };
            let found = files.iter().find(|(_, bytes)| String::from_utf8_lossy(bytes).contains(&format!("{other}@")));
            assert!(found.is_none(), "nothing of another person");
        }
    }

    async fn the_archive_says_who_read_the_data(db: TestDb) {
        let house = House::new(db).await;
        let ada = house.person(&flux(), "ada").await;
        let staff = StaffId::new(&house.clock, &vouchsafe::base::Entropy::system());
        let clerk = Actor::Staff(staff, Role::Support);
        let access = |purpose| Access { actor: &clerk, purpose };
        house.requests.file(&ada, crate::support::house::question(&ada)).await.unwrap();
        crate::support::house::reason(&house.requests, &ada, &access("support")).await;
        house.subjects.profile(&ada, &access("support")).await.unwrap();
        assert!(house.subjects.profile(&ada, &access("training")).await.is_err());
        house.wait(1);
        let (_, files) = house.archive_of(&ada, Ask::Access).await;
        let reads = json(&files, "reads.json");
        let told: Vec<_> = reads["reads"].as_array().unwrap().iter()
            .map(|r| (r["who"].as_str().unwrap(), r["outcome"].as_str().unwrap()))
            .collect();
        assert!(told.contains(&("support", "allowed")) && told.contains(&("support", "refused")), "{told:?}");
        assert!(!reads.to_string().contains(&staff.to_string()), "a role, not a name");
    }

    async fn nobody_else_gets_an_archive_and_not_for_ever(db: TestDb) {
        let house = House::new(db).await;
        let (ada, bob) = (house.person(&flux(), "ada").await, house.person(&flux(), "bob").await);
        let request = house.ask(&ada, Ask::Access).await.request;
        assert_eq!(house.requests.archive(&bob, request.id).await.unwrap_err().kind(), Kind::NotFound);
        let other = house.ask(&ada, Ask::Restriction { on: true }).await.request;
        assert_eq!(house.requests.archive(&ada, other.id).await.unwrap_err().kind(), Kind::NotFound);
        assert!(house.requests.archive(&ada, request.id).await.is_ok(), "restriction does not keep one from one's own");
        house.wait(31 * 24);
        assert_eq!(house.requests.archive(&ada, request.id).await.unwrap_err().kind(), Kind::Gone);
        house.requests.tick().await.unwrap();
        assert_eq!(house.request(&flux(), request.id).await.state, State::Closed, "answered, though never fetched");
    }
}
