//! A collection for training holds what people who agree at that moment have given, under their words and under nobody
//! else's; whoever takes theirs back is in no later one, and named in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use vouchsafe::crypto::sha256;
use vouchsafe::imaging::read_mark;
use vouchsafe::policy::{Policy, Role};
use vouchsafe::training::{Error, MANIFEST, Made, Manifest, SAMPLES, SIGNATURE, Sample};

use super::{document, edited, entries, fact, filed, kept, switch};
use crate::each_app;
use crate::support::app::{Person, TENANT};
use crate::support::house::files_below;
use crate::support::{Backend, TestApp};

async fn collect(app: &TestApp, name: &str) -> (Made, PathBuf) {
    let folder = app.folder().join(name);
    let made = app.app.training.export(&app.tenant(), None, &folder).await.unwrap();
    (made, folder)
}

async fn pseudonym(app: &TestApp, person: &Person) -> String {
    app.app.vault.subject_ref(&person.owner).await.unwrap().to_string()
}

/// Who is in a collection, after everything that its manifest says was counted in the folder, by hand.
fn counted(app: &TestApp, folder: &Path, made: &Made) -> BTreeSet<String> {
    let text = fs::read(folder.join(MANIFEST)).unwrap();
    assert_eq!(sha256(&text), made.sha256);
    let manifest: Manifest = serde_json::from_slice(&text).unwrap();
    let note = fs::read(folder.join(SIGNATURE)).unwrap();
    let said = app.app.requests.archive_key().open(&note).unwrap();
    assert_eq!(said.lines().last().unwrap(), hex::encode(made.sha256));
    let mut listed = BTreeSet::from([folder.join(MANIFEST), folder.join(SIGNATURE)]);
    for member in &manifest.people {
        let place = folder.join("people").join(&member.pseudonym);
        let samples = fs::read(place.join(SAMPLES)).unwrap();
        assert_eq!(hex::encode(sha256(&samples)), member.samples_sha256);
        listed.insert(place.join(SAMPLES));
        let mut images = 0;
        for line in String::from_utf8(samples).unwrap().lines() {
            let sample: Sample = serde_json::from_str(line).unwrap();
            let Some(file) = sample.file else { continue };
            let bytes = fs::read(place.join(&file)).unwrap();
            assert_eq!(Some(hex::encode(sha256(&bytes))), sample.sha256);
            assert_eq!((read_mark(&bytes), sample.bytes), (None, Some(bytes.len() as u64)));
            listed.insert(place.join(file));
            images += 1;
        }
        assert_eq!(images, member.images);
    }
    assert_eq!(files_below(folder).into_iter().collect::<BTreeSet<_>>(), listed, "a file that nobody lists");
    manifest.people.into_iter().map(|m| m.pseudonym).collect()
}

each_app! {
    async fn it_holds_what_those_who_agree_now_have_given_and_names_who_left(app: TestApp) {
        let mut people = Vec::new();
        for (seed, name) in ["ada", "bob", "cyd", "dan", "eve"].into_iter().enumerate() {
            let person = app.person(&format!("{name}@example.org")).await;
            edited(&app, &person, seed as u64).await;
            people.push(person);
        }
        let [ada, bob, cyd, dan, eve] = &people[..] else { panic!() };
        for person in [ada, cyd, dan, eve] {
            switch(&app, person, "training", true).await;
        }
        switch(&app, eve, "training", false).await;
        let restricted = filed(&app, dan, json!({ "right": "restriction", "on": true })).await;
        assert_eq!(restricted["right"], "restriction");

        let (made, folder) = collect(&app, "first").await;
        let names = [pseudonym(&app, ada).await, pseudonym(&app, cyd).await];
        assert_eq!(counted(&app, &folder, &made), names.clone().into());
        assert!(made.manifest.left.is_empty());
        let member = &made.manifest.people[0];
        assert_eq!((member.images, member.records), (1, 0));
        assert_eq!(member.given_under, document(TENANT).version());
        let given: BTreeSet<String> =
            entries(&app, "consent.given").await.iter().map(|e| e.leaf.id.to_string()).collect();
        assert!(made.manifest.people.iter().all(|m| given.contains(&m.consent.to_string())));
        let samples = fs::read_to_string(folder.join("people").join(&member.pseudonym).join(SAMPLES)).unwrap();
        assert!(samples.contains("make it warmer"), "the words stand with their picture: {samples}");
        let all: Vec<u8> = files_below(&folder).iter().flat_map(|f| fs::read(f).unwrap()).collect();
        for word in ["ada@example.org", &ada.owner.subject.to_string(), &bob.owner.subject.to_string()] {
            assert!(!all.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
        }
        let read = entries(&app, "training.read").await;
        assert_eq!(read.len(), 2, "each person who is read, and nobody else");
        assert!(read.iter().all(|e| fact(e, "collection") == made.manifest.collection.to_string()));
        let proof = entries(&app, "training.made").await;
        assert_eq!((proof.len(), fact(&proof[0], "sha256")), (1, hex::encode(made.sha256)));

        // No time passes between the word and the next collection.
        switch(&app, ada, "training", false).await;
        let (made, folder) = collect(&app, "second").await;
        assert_eq!(counted(&app, &folder, &made), [names[1].clone()].into());
        let left: Vec<&str> = made.manifest.left.iter().map(|l| l.pseudonym.as_str()).collect();
        assert_eq!(left, [names[0].as_str()]);

        // Who is erased has left as well; who comes back is not named any more.
        app.app.requests.erase(&cyd.owner, Role::Service).await.unwrap().unwrap();
        switch(&app, ada, "training", true).await;
        let (made, folder) = collect(&app, "third").await;
        assert_eq!(counted(&app, &folder, &made), [names[0].clone()].into());
        let left: Vec<&str> = made.manifest.left.iter().map(|l| l.pseudonym.as_str()).collect();
        assert_eq!(left, [names[1].as_str()]);
        app.settle().await;
        kept(&app, TENANT, "no-training-unconsented").await;
    }

    async fn it_is_refused_where_the_document_has_no_such_purpose_and_leaves_nothing(app: TestApp) {
        let tenant = app.tenant();
        let out = app.folder().join("out");
        let refused = app.app.training.export(&tenant, Some("nothing-of-the-kind"), &out).await;
        assert!(matches!(refused, Err(Error::NoPurpose)));
        let refused = app.app.training.export(&tenant, Some("improvement"), &out).await;
        assert!(matches!(refused, Err(Error::NotTraining(_))), "to learn what people use is not to teach a model");
        assert!(!out.exists());
        fs::create_dir(&out).unwrap();
        fs::write(out.join("mine"), "mine").unwrap();
        let refused = app.app.training.export(&tenant, None, &out).await;
        assert!(matches!(refused, Err(Error::NotEmpty(_))));
        assert_eq!(files_below(&out), [out.join("mine")]);
        assert!(entries(&app, "training.made").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_without_the_purpose_makes_no_collection() {
    let without = document(TENANT).source().replace("trains-models = true", "trains-models = false");
    let without =
        without.replace("purpose.training", "purpose.keepsakes").replace("\"training\"", "\"keepsakes\"");
    let policy = Policy::compile(&without).unwrap();
    let Some(app) = TestApp::open_under(Backend::Sqlite, |_| {}, vec![policy]).await else { return };
    let out = app.folder().join("out");
    let refused = app.app.training.export(&app.tenant(), None, &out).await;
    assert!(matches!(refused, Err(Error::NoPurpose)), "{refused:?}");
    assert!(!out.exists());
}
