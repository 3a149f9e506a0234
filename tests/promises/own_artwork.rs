//! Artwork lies sealed under its owner's own key, comes back whole, and goes one by one when they say so.

use super::{TENANTS, count, document, edited, entries, fact, held, kept};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::OTHER_TENANT;
use crate::support::house::{count_in, files_below};
use vouchsafe::imaging::{DigitalSourceType, read_mark};

#[test]
fn both_documents_give_it_to_its_owner_to_read_delete_and_take_along() {
    for tenant in TENANTS {
        let output = document(tenant).category("output-image").unwrap().clone();
        let may: Vec<_> = output.subject_may.iter().map(|m| m.as_str()).collect();
        assert_eq!(may, ["read", "delete", "export"], "{tenant}");
    }
}

each_app! {
    async fn a_piece_is_sealed_and_comes_back_in_full(app: TestApp) {
        let ada = app.person_of(OTHER_TENANT, "ada@example.org").await;
        let done = edited(&app, &ada, 1).await;
        let files = files_below(&app.data().join("blobs"));
        assert_eq!(files.len(), 1);
        let sealed = std::fs::read(&files[0]).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
        let path = format!("/v1/images/{}", done["output"].as_str().unwrap());
        let whole = app.get(&path).by(&ada).send().await;
        assert!(whole.body.starts_with(b"\xff\xd8\xff"), "what is stored is no picture, what comes back is one");
        for part in whole.body.chunks(64).take(200) {
            assert!(!sealed.windows(part.len()).any(|w| w == part), "a part of the picture lies there in clear");
        }
        // The studio is no AI, and the mark says what is so.
        assert_eq!(read_mark(&whole.body), Some(DigitalSourceType::HumanEdits));
        let small = app.get(&format!("{path}/small")).by(&ada).send().await;
        assert!(small.body.len() < whole.body.len(), "the whole one is the whole one");
        kept(&app, OTHER_TENANT, "sealed-at-rest").await;
        kept(&app, OTHER_TENANT, "ai-marked").await;
    }

    async fn one_piece_goes_key_first_and_the_others_stay(app: TestApp) {
        let ada = app.person_of(OTHER_TENANT, "ada@example.org").await;
        let eve = app.person_of(OTHER_TENANT, "eve@example.org").await;
        let (first, second) = (edited(&app, &ada, 1).await, edited(&app, &ada, 2).await);
        let (gone, stays) = (first["output"].as_str().unwrap(), second["output"].as_str().unwrap());
        let path = format!("/v1/images/{gone}");
        assert_eq!(app.delete(&path).by(&eve).send().await.problem(404), "not-found", "not by anybody else");
        let keys = keystore(&app).await;
        let of_it = format!("SELECT COUNT(*) FROM item_key WHERE item LIKE '{gone}%'");
        assert_eq!(count_in(&keys, &of_it).await, 1);
        assert_eq!(app.delete(&path).by(&ada).send().await.status, 204);
        assert_eq!(count_in(&keys, &of_it).await, 0, "its key is destroyed with the answer");
        assert_eq!(app.get(&path).by(&ada).send().await.problem(404), "not-found");
        app.settle().await;
        assert_eq!((held(&app, &ada.owner, "output-image").await, app.blobs().await.len()), (1, 1));
        assert_eq!(app.get(&format!("/v1/images/{stays}")).by(&ada).send().await.status, 200);
        let erased = entries(&app, "object.erased").await;
        assert!(erased.iter().any(|e| fact(e, "object") == gone));
        assert_eq!(count(&app, &format!("SELECT COUNT(*) FROM object WHERE id = '{gone}'")).await, 0);
        keys.close().await;
    }
}

/// The keys' own database, opened beside the service.
async fn keystore(app: &TestApp) -> vouchsafe::store::Db {
    use vouchsafe::store::{Db, KEYSTORE, PostgresSettings, SqliteSettings};
    match &app.app.config.store.keystore_postgres {
        Some(url) => {
            Db::postgres(&PostgresSettings { url: url.clone(), connections: 1 }, &KEYSTORE).await.unwrap()
        }
        None => {
            let path = app.data().join("keystore.db");
            Db::sqlite(SqliteSettings { path: &path, readers: 1 }, &KEYSTORE).await.unwrap()
        }
    }
}
