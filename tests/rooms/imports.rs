//! An archive from elsewhere, brought in: what it holds is taken once, what it is not allowed to be is refused, and a
//! refusal changes nothing.

use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use proptest::prelude::*;
use serde_json::{Value, json};
use vouchsafe::archive::{Archive, Body, Contents, File, Layout, Most};
use vouchsafe::imports::{Imports, Parts, Settings};
use vouchsafe::vault::Actor;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::archive_fixture::{Shelf, head, laid_out, signer, whole};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::{OTHER_TENANT, Person, photograph};
use crate::support::call::Answer;

/// Somebody with an edit, its result, and a picture that was not edited; and everything of theirs, taken home.
async fn moving(app: &TestApp) -> (Person, Vec<u8>) {
    let ada = app.person("ada@example.org").await;
    let image = app.upload(&ada, 1).await;
    app.edit(&ada, &image).await;
    app.settle().await;
    app.upload(&ada, 2).await;
    let filed = app.post("/v1/requests").by(&ada).json(&json!({ "right": "portability" })).send().await;
    app.settle().await;
    let path = format!("/v1/requests/{}/archive", filed.json()["id"].as_str().unwrap());
    let zip = app.get(&path).by(&ada).send().await;
    assert_eq!(zip.status, 200, "{}", zip.text());
    (ada, zip.body.to_vec())
}

async fn sent(app: &TestApp, by: &Person, path: &str, zip: &[u8]) -> Answer {
    app.post(path).by(by).body("application/zip", Bytes::copy_from_slice(zip)).send().await
}

/// The room as another replica has it.
fn replica(app: &TestApp) -> Imports {
    Imports::new(Parts {
        db: app.app.db.clone(),
        vault: app.app.vault.clone(),
        editing: app.app.editing.clone(),
        ledger: app.app.ledger.clone(),
        own_key: signer().verifying(),
        folder: app.data(),
        settings: Settings::default(),
        clock: app.app.clock.clone(),
        entropy: app.app.entropy.clone(),
    })
}

async fn holds(app: &TestApp, person: &Person) -> Vec<(String, i64, i64)> {
    let all = app.app.vault.holdings(&person.owner).await.unwrap();
    all.into_iter().map(|h| (h.category, h.images, h.records)).collect()
}

fn tally(told: &Value) -> [u64; 3] {
    ["new", "here", "refused"].map(|n| told[n].as_u64().unwrap())
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644)
}

fn files(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..zip.len())
        .map(|n| {
            let mut entry = zip.by_index(n).unwrap();
            let mut body = Vec::new();
            entry.read_to_end(&mut body).unwrap();
            (entry.name().unwrap().into_owned(), body)
        })
        .collect()
}

fn packed(files: &[(String, Vec<u8>)], more: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in files {
        out.start_file(name.as_str(), stored()).unwrap();
        out.write_all(body).unwrap();
    }
    more(&mut out);
    out.finish().unwrap().into_inner()
}

/// An archive that somebody with a key of their own signed, with these files.
async fn signed(files: &[(&str, &str, Vec<u8>)]) -> Vec<u8> {
    let files = files.iter().map(|(path, media_type, body)| File {
        path: (*path).to_owned(),
        title: "a file".to_owned(),
        media_type: (*media_type).to_owned(),
        facts: None,
        original_name: None,
        body: Body::Bytes(body.clone().into()),
    });
    let layout = Layout::new(Contents { head: head(), files: files.collect() }, &signer()).unwrap();
    whole(&layout, &Arc::new(Shelf::new(4096))).await
}

/// A list of pictures, as an archive has it.
fn pictures(all: &[(&str, &[u8])]) -> Vec<u8> {
    let each = all.iter().map(|(path, bytes)| {
        json!({
            "path": path, "id": "obj_1", "category": "output-image", "media_type": "image/jpeg",
            "bytes": bytes.len(), "sha256": hex::encode(vouchsafe::crypto::sha256(bytes)), "width": null,
            "height": null, "at": "2026-11-01T00:00:00Z", "ends": null, "original_name": null, "caption": null,
        })
    });
    json!({ "schema": "vouchsafe/archive-images/1", "images": each.collect::<Vec<_>>() }).to_string().into()
}

each_app! {
    async fn what_was_taken_home_comes_in_once_and_only_what_may(app: TestApp) {
        let (ada, zip) = moving(&app).await;
        let bob = app.person_of(OTHER_TENANT, "bob@example.org").await;
        let before = holds(&app, &bob).await;
        let consents = app.app.consents.history(&bob.owner).await.unwrap().len();

        let told = sent(&app, &bob, "/v1/imports/preview", &zip).await.json();
        assert_eq!(tally(&told["images"]), [2, 0, 0], "{told}");
        assert_eq!(tally(&told["records"]["prompt"]), [1, 0, 0]);
        // What the edit's record says, and the edit itself.
        assert_eq!(tally(&told["records"]["edit-history"]), [2, 0, 0]);
        assert_eq!((&told["from"]["tenant"], &told["from"]["signed_here"]), (&json!("flux-kontext"), &json!(true)));
        assert!(told["left"].as_array().unwrap().contains(&json!("credits")), "{told}");
        assert_eq!(holds(&app, &bob).await, before, "to look is not to take");

        let told = sent(&app, &bob, "/v1/imports", &zip).await.json();
        assert_eq!(tally(&told["images"]), [2, 0, 0]);
        assert!(told["entry"].as_str().is_some() && told["already_here"] == false);
        let after = holds(&app, &bob).await;
        let of = |name: &str| after.iter().find(|h| h.0 == name).map_or(0, |h| h.1 + h.2);
        assert_eq!((of("input-image"), of("prompt"), of("edit-history")), (2, 1, 2));
        assert_eq!(app.app.credits.balance(&bob.owner).await.unwrap(), 100, "no credits come along");
        assert_eq!(app.app.consents.history(&bob.owner).await.unwrap().len(), consents);

        let again = sent(&app, &bob, "/v1/imports", &zip).await.json();
        assert_eq!(tally(&again["images"]), [0, 2, 0]);
        assert_eq!(tally(&again["records"]["prompt"]), [0, 1, 0]);
        assert!(again["entry"].is_null() && again["already_here"] == true, "{again}");
        assert_eq!(holds(&app, &bob).await, after, "a second import adds nothing");

        // Who never left has it all.
        let own = sent(&app, &ada, "/v1/imports", &zip).await.json();
        assert_eq!([&own["images"], &own["records"]["prompt"], &own["records"]["edit-history"]].map(tally),
            [[0, 2, 0], [0, 1, 0], [0, 2, 0]]);
        let entries = app.ledger_kinds().await.into_iter().filter(|k| k == "import.taken").count();
        assert_eq!(entries, 1);
    }

    async fn a_stranger_signed_and_the_rest_of_a_broken_import_follows(app: TestApp) {
        let bob = app.person("bob@example.org").await;
        let (one, two) = (photograph(11), photograph(12));
        let listed = pictures(&[("images/a.jpg", &one), ("images/b.jpg", &two), ("images/c.jpg", b"no picture")]);
        let zip = signed(&[
            ("images.json", "application/json", listed),
            ("images/a.jpg", "image/jpeg", one.clone()),
            ("images/b.jpg", "image/jpeg", two),
            ("images/c.jpg", "image/jpeg", b"no picture".to_vec()),
        ]).await;
        // As if a call had broken off after the first picture.
        let upload = app.post("/v1/images").by(&bob).body("image/jpeg", one).send().await;
        assert_eq!(upload.status, 201);
        let told = sent(&app, &bob, "/v1/imports", &zip).await.json();
        assert_eq!(tally(&told["images"]), [1, 1, 1], "{told}");
        assert_eq!(told["from"]["signed_here"], false);
        assert!(told["from"]["signed_by"].as_str().unwrap().starts_with("photos.example/take-home+"));
    }

    async fn what_no_archive_of_ours_can_be_is_refused_and_changes_nothing(app: TestApp) {
        let (_, zip) = moving(&app).await;
        let bob = app.person_of(OTHER_TENANT, "bob@example.org").await;
        let before = holds(&app, &bob).await;
        let good = files(&zip);
        let central = |name: &[u8]| zip.windows(name.len()).rposition(|w| w == name).unwrap() - 46;
        let changed = |at: &[(usize, u8)]| {
            let mut bad = zip.clone();
            for (at, to) in at { bad[*at] ^= to; }
            bad
        };
        let answer = central(b"answer.json");
        let local = zip.windows(11).position(|w| w == b"answer.json").unwrap() - 30;
        let end = zip.len() - 22;
        let deep = format!("{{\"schema\":\"vouchsafe/archive-images/1\",\"images\":{}", "[".repeat(100_000));
        let many = format!("{{\"schema\":\"vouchsafe/archive-images/1\",\"images\":[{}1]}}", "1,".repeat(200_000));
        let long = [b"{\"x\":\"".to_vec(), vec![b'a'; 9 << 20], b"\"}".to_vec()].concat();
        let json = |text: Vec<u8>| async move { signed(&[("images.json", "application/json", text)]).await };
        let lies = pictures(&[("images/a.jpg", b"another")]);
        let cases = [
            ("names a parent", packed(&good, |z| z.start_file("../up.txt", stored()).unwrap())),
            ("a link", packed(&good, |z| z.add_symlink("link", "/etc/passwd", stored()).unwrap())),
            ("a bomb", packed(&good, |z| {
                z.start_file("bomb", stored().compression_method(CompressionMethod::Deflated)).unwrap();
                z.write_all(&vec![0; 10 << 20]).unwrap();
            })),
            ("overlapping", packed(&good, |z| z.shallow_copy_file("index.html", "again.html").unwrap())),
            ("encrypted", changed(&[(answer + 8, 1), (local + 6, 1)])),
            ("another CRC", changed(&[(answer + 16, 1), (local + 14, 1)])),
            ("a longer size", changed(&[(answer + 24, 1), (answer + 20, 1)])),
            ("fewer entries than there are", changed(&[(end + 8, 1), (end + 10, 1)])),
            ("more entries than fit", changed(&[(end + 9, 0xf0), (end + 11, 0xf0)])),
            ("a directory elsewhere", changed(&[(end + 16, 7)])),
            ("ZIP64 that is not there", changed(&[(end + 16, !zip[end + 16]), (end + 17, !zip[end + 17]),
                (end + 18, !zip[end + 18]), (end + 19, !zip[end + 19])])),
            ("cut short", zip[..zip.len() / 2].to_vec()),
            ("nested without end", json(deep.into_bytes()).await),
            ("numbers for pictures", json(many.into_bytes()).await),
            ("a document without end", json(long).await),
            ("a picture that is another", signed(&[
                ("images.json", "application/json", lies), ("images/a.jpg", "image/jpeg", b"this".to_vec()),
            ]).await),
            ("a file that is missing", signed(&[
                ("images.json", "application/json", pictures(&[("images/a.jpg", b"this")])),
            ]).await),
            ("nothing", Vec::new()),
            ("no archive", b"GIF89a, only a text".repeat(20)),
        ];
        for (what, bad) in cases {
            for path in ["/v1/imports/preview", "/v1/imports"] {
                let refused = sent(&app, &bob, path, &bad).await;
                assert!(matches!(refused.status, 400 | 413 | 422), "{what}: {} {}", refused.status, refused.text());
                refused.problem(refused.status);
            }
        }
        let twice = packed(&good, |_| {});
        let mut twice = twice;
        // The names differ in their last letter, and are then made the same.
        let name = b"consents.json";
        if let Some(at) = twice.windows(name.len()).position(|w| w == name) {
            twice[at..at + name.len()].copy_from_slice(b"answer.jsonxx");
        }
        assert!(matches!(sent(&app, &bob, "/v1/imports", &twice).await.status, 400 | 422));
        let wrong_type = app.post("/v1/imports").by(&bob).body("image/png", zip.clone()).send().await;
        assert_eq!(wrong_type.status, 415);
        assert_eq!(holds(&app, &bob).await, before, "a refusal changes nothing");
        let left = crate::support::house::files_below(&app.data());
        let left: Vec<_> = left.iter().map(|f| f.strip_prefix(app.data()).unwrap().to_owned()).collect();
        assert!(!left.iter().any(|f| f.to_string_lossy().contains("tmp")), "no archive lies on the disk: {left:?}");
        let mut restricted = json!({ "right": "restriction", "on": true });
        restricted["text"] = json!("keep it");
        assert_eq!(app.post("/v1/requests").by(&bob).json(&restricted).send().await.status, 201);
        assert_eq!(sent(&app, &bob, "/v1/imports", &zip).await.status, 403, "while restricted, nothing new is taken");
    }

    async fn the_page_looks_first_and_then_takes(app: TestApp) {
        let (_, zip) = moving(&app).await;
        let router = vouchsafe::http::routes(&app.edge).merge(vouchsafe::web::router(app.edge.clone()));
        let app = app.with_router(router);
        let bob = app.person("bob@example.org").await;
        let page = app.get("/flux-kontext/privacy/import").by(&bob).send().await;
        assert_eq!(page.status, 200);
        let html = page.text();
        let token = html.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let form = |token: &str, act: &str| {
            let part = |name: &str, value: &str| {
                format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
            };
            let file = b"--b\r\ncontent-disposition: form-data; name=\"archive\"; filename=\"home.zip\"\r\n\r\n".to_vec();
            [part("csrf", token), file, zip.clone(), b"\r\n".to_vec(), part("act", act), b"--b--\r\n".to_vec()].concat()
        };
        let send = async |token: &str, act: &str| {
            let call = app.post("/flux-kontext/privacy/import").by(&bob).header("accept", "text/html");
            call.body("multipart/form-data; boundary=b", form(token, act)).send().await
        };
        assert_eq!(send("stale", "take").await.status, 403);
        let before = holds(&app, &bob).await;
        let looked = send(&token, "look").await;
        assert!(looked.status == 200 && looked.text().contains("Nothing was taken yet."), "{}", looked.text());
        assert_eq!(holds(&app, &bob).await, before);
        let taken = send(&token, "take").await;
        assert!(taken.text().contains("It is here now."), "{}", taken.text());
        assert_ne!(holds(&app, &bob).await, before);
        let again = send(&token, "take").await;
        assert!(again.text().contains("All of it is here already."), "{}", again.text());
        assert!(!again.text().contains("It is here now."));
    }

    async fn two_replicas_at_once_take_an_archive_once(app: TestApp) {
        let (_, zip) = moving(&app).await;
        let bob = app.person_of(OTHER_TENANT, "bob@example.org").await;
        let actor = Actor::Subject(bob.owner.subject);
        // Each with turns of its own, as two processes have them: what they share is the database.
        let replicas: Vec<Imports> = (0..2).map(|_| replica(&app)).collect();
        let (owner, actor, zip) = (&bob.owner, &actor, &zip);
        let taken = replicas.iter().map(|replica| async move {
            let archive = stream::iter([Ok::<_, ()>(Bytes::copy_from_slice(zip))]);
            let spool = replica.receive(archive).await.unwrap();
            replica.take(owner, actor, &spool).await.unwrap()
        });
        let taken = futures_util::future::join_all(taken).await;
        let (second, first): (Vec<_>, Vec<_>) = taken.iter().partition(|brought| brought.is_here_already());
        let ([first], [second]) = (first.as_slice(), second.as_slice()) else { panic!("one takes it: {taken:?}") };
        assert_eq!((first.images.new, first.images.here, first.entry.is_some()), (2, 0, true), "{first:?}");
        assert_eq!((second.images.new, second.images.here, second.entry), (0, 2, None), "{second:?}");
        assert!(first.records.values().all(|t| t.here == 0) && second.records.values().all(|t| t.new == 0));
        let all = holds(&app, &bob).await;
        let of = |name: &str| all.iter().find(|h| h.0 == name).map_or(0, |h| h.1 + h.2);
        assert_eq!((of("input-image"), of("prompt"), of("edit-history")), (2, 1, 2));
        let entries = app.ledger_kinds().await.into_iter().filter(|k| k == "import.taken").count();
        assert_eq!(entries, 1);
    }

    async fn an_archive_that_breaks_off_or_never_ends_is_not_kept(app: TestApp) {
        let bob = app.person("bob@example.org").await;
        let pieces = vec![Ok(Bytes::from_static(b"PK")), Err("broken off")];
        let broken = app.app.imports.receive(stream::iter(pieces)).await;
        assert!(matches!(broken, Err(vouchsafe::imports::Error::BrokenOff)));
        let whole = app.app.imports.receive(stream::iter([Ok::<_, ()>(Bytes::from(vec![7; 200_000]))])).await.unwrap();
        let actor = Actor::Subject(bob.owner.subject);
        let refused = app.app.imports.take(&bob.owner, &actor, &whole).await;
        assert!(matches!(refused, Err(vouchsafe::imports::Error::Archive(_))), "{refused:?}");
    }
}

fn good() -> Vec<u8> {
    use futures_util::FutureExt as _;
    static GOOD: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let (layout, shelf) = laid_out(4096);
        whole(&layout, &shelf).now_or_never().unwrap()
    });
    GOOD.clone()
}

const MOST: Most = Most { entries: 1_000, manifest: 1 << 20 };

#[test]
fn the_bounds_bind() {
    assert!(Archive::open_within(Cursor::new(good()), None, MOST).is_ok(), "the control");
    assert!(Archive::open_within(Cursor::new(good()), None, Most { entries: 3, ..MOST }).is_err());
    assert!(Archive::open_within(Cursor::new(good()), None, Most { manifest: 100, ..MOST }).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Up to eight bytes anywhere, more of them in the directory at the end; then perhaps a piece taken out or put in.
    #[test]
    fn a_mutated_archive_is_refused_or_says_what_it_said(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 1_u8..), 1..8),
        cut in any::<Option<(prop::sample::Index, u8)>>(),
        added in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let good = good();
        let mut bad = good.clone();
        for (at, late, by) in flips {
            let from = if late { bad.len() * 9 / 10 } else { 0 };
            let at = from + at.index(bad.len() - from);
            bad[at] ^= by;
        }
        if let Some((at, len)) = cut {
            let at = at.index(bad.len());
            let to = (at + usize::from(len)).min(bad.len());
            bad.splice(at..to, added);
        }
        let Ok(mut archive) = Archive::open_within(Cursor::new(&bad), None, MOST) else { return Ok(()) };
        let mut sound = Archive::open(Cursor::new(&good), None).unwrap();
        prop_assert_eq!(archive.manifest(), sound.manifest());
        for path in sound.manifest().files.iter().map(|f| f.path.clone()).collect::<Vec<_>>() {
            if let Ok(bytes) = archive.file(&path, 1 << 20) {
                prop_assert_eq!(bytes, sound.file(&path, 1 << 20).unwrap());
            }
        }
    }
}
