//! What a provider may send instead of a picture, and what may come in at a webhook's address.

use bytes::Bytes;
use serde_json::{Value, json};
use vouchsafe::fakes::{At, Delivery, FakeFal, FakeReplicate, Fault};
use vouchsafe::imaging::{self, DigitalSourceType, Format, Limits};

use super::editing_stage::Scene;
use super::providers_stage::picture;
use crate::each_scene;

/// A chunk of a PNG, with its checksum.
fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&crc32fast::hash(&out[4..]).to_be_bytes());
    out
}

/// A small PNG with other dimensions in its header, or with a chunk behind it.
fn png(size: Option<(u32, u32)>, extra: Option<Vec<u8>>) -> Vec<u8> {
    let real = picture(8, 8);
    let mut header = real[16..29].to_vec();
    if let Some((width, height)) = size {
        header[..4].copy_from_slice(&width.to_be_bytes());
        header[4..8].copy_from_slice(&height.to_be_bytes());
    }
    let mut out = real[..8].to_vec();
    out.extend(chunk(*b"IHDR", &header));
    out.extend(extra.unwrap_or_default());
    out.extend_from_slice(&real[33..]);
    out
}

fn animated() -> Vec<u8> {
    let frames = [&2_u32.to_be_bytes()[..], &0_u32.to_be_bytes()].concat();
    png(None, Some(chunk(*b"acTL", &frames)))
}

/// Results that are no pictures we can give to anybody.
fn useless() -> Vec<(&'static str, Fault)> {
    let photograph = imaging::sample::photograph(3, "a provider's", Format::Jpeg).unwrap();
    let cut = photograph[..photograph.len() / 3].to_vec();
    let file = |kind, bytes: &[u8]| Fault::File(kind, bytes.to_vec());
    vec![
        ("twenty thousand pixels wide and high", file("image/png", &png(Some((20_000, 20_000)), None))),
        ("a header that lies about its size", file("image/png", &png(Some((4_000, 4_000)), None))),
        ("no height", file("image/png", &png(Some((8, 0)), None))),
        ("animated", file("image/png", &animated())),
        ("cut short", Fault::File("image/jpeg", cut)),
        (
            "a script that says it is a picture",
            file("image/jpeg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ),
        ("a page", file("image/png", b"<!doctype html><title>Bad gateway</title>")),
        ("another kind of picture", file("image/gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")),
        ("two bytes of one", file("image/jpeg", b"\xff\xd8")),
        ("a head without a body", file("image/jpeg", b"\xff\xd8\xff\xe0")),
    ]
}

impl<F> Scene<F> {
    async fn result(&self, ada: &crate::support::app::Person, edit: &str) -> Bytes {
        let done = self.edit(ada, edit).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        let output = done["output"].as_str().unwrap().to_owned();
        self.app.get(&format!("/v1/images/{output}")).by(ada).send().await.body
    }

    async fn changed(&self, delivery: &Delivery, name: &str, value: Option<&str>) -> u16 {
        let mut other = delivery.clone();
        other.headers.retain(|(n, _)| *n != name);
        let mut call = self.app.post(other.url.strip_prefix("https://vouchsafe.test").unwrap());
        for (n, v) in &other.headers {
            call = call.header(n, v);
        }
        if let Some(value) = value {
            call = call.header(name, value);
        }
        call.body("application/json", other.body).send().await.status
    }
}

each_scene! {
    async fn a_result_that_is_no_picture_is_given_to_nobody_and_not_paid_for(s: FakeFal) {
        let ada = s.ada().await;
        for (what, fault) in useless() {
            s.fake.fault(At::Output, fault);
            let (image, edit) = s.asked(&ada).await;
            s.fake.work();
            s.go_on(2).await;
            let ended = s.edit(&ada, &edit).await;
            assert_eq!((ended["state"].clone(), ended["outputs"].clone()), (json!("failed"), json!([])), "{what}: {ended}");
            assert!(ended["error"].as_str().is_some_and(|e| !e.is_empty()), "{what}");
            assert_eq!((s.credits(&ada).await, s.fake.held()), (100, Vec::<String>::new()), "{what}");
            assert!(s.opens(&ada, &image).await, "{what}: the upload is there to try again");
        }
        let listed = s.app.get("/v1/images?category=output-image").by(&ada).send().await.json();
        assert_eq!(listed["items"], json!([]));
        assert_eq!(s.fake.complaints(), Vec::<String>::new());
    }

    async fn what_a_result_carries_besides_its_picture_is_not_stored(s: FakeFal) {
        let ada = s.ada().await;
        let camera = imaging::sample::photograph(3, "canary-owner", Format::Jpeg).unwrap();
        let seen = imaging::inspect(&camera, &Limits::default()).unwrap();
        assert!(!seen.carries.is_empty(), "a control: it carries {:?}", seen.carries);
        let mut both = camera.clone();
        both.extend_from_slice(b"PK\x03\x04canary-archive");
        for (what, bytes) in [("a camera's", camera), ("with an archive behind it", both)] {
            s.fake.fault(At::Output, Fault::File("image/png", bytes));
            let (_, edit) = s.asked(&ada).await;
            s.fake.work();
            s.go_on(2).await;
            let stored = s.result(&ada, &edit).await;
            let seen = imaging::inspect(&stored, &Limits::default()).unwrap();
            assert_eq!(seen.format, Format::Jpeg, "{what}: what it is, not what it was called");
            assert_eq!(seen.mark, Some(DigitalSourceType::CompositeWithTrainedAlgorithmicMedia), "{what}");
            assert!(seen.carries.len() <= 1, "{what}: the mark, and nothing else: {:?}", seen.carries);
            assert!(!stored.windows(6).any(|w| w == b"canary"), "{what}");
        }
    }

    async fn the_same_bytes_of_two_people_are_two_pictures(s: FakeFal) {
        let (ada, ben) = (s.ada().await, s.app.person_of(s.tenant, "ben@example.org").await);
        let bytes = imaging::sample::photograph(3, "anybody's", Format::Jpeg).unwrap();
        let mut ids = Vec::new();
        for person in [&ada, &ben] {
            // Said to be another type: what it is wins.
            let answer = s.app.post("/v1/images").by(person).body("image/png", bytes.clone()).send().await;
            assert_eq!((answer.status, answer.json()["format"].clone()), (201, json!("jpeg")));
            ids.push(answer.json()["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(s.app.blobs().await.len(), 2, "nothing is shared, and nobody can tell that the other has it");
        assert_eq!(s.app.delete(&format!("/v1/images/{}", ids[0])).by(&ada).send().await.status, 204);
        assert!(s.opens(&ben, &ids[1]).await);
        assert!(!s.opens(&ada, &ids[1]).await);
    }

    async fn a_webhook_that_is_not_proven_changes_nothing_at_fal(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        let good = s.fake.outbox().pop().unwrap();
        let signature = good.headers.iter().find(|(n, _)| n.ends_with("signature")).unwrap().1.clone();
        let (time, id) = ("x-fal-webhook-timestamp", "x-fal-webhook-request-id");
        let now: i64 = good.headers.iter().find(|(n, _)| *n == time).unwrap().1.parse().unwrap();
        let long = "x".repeat(10_000);
        for (name, value, status) in [
            ("x-fal-webhook-signature", None, 401),
            ("x-fal-webhook-signature", Some(&signature[..64]), 401),
            ("x-fal-webhook-signature", Some(&*"0".repeat(128)), 401),
            ("x-fal-webhook-user-id", Some("somebody-else"), 401),
            (time, Some(&*(now - 360).to_string()), 401),
            (time, Some(&*(now + 360).to_string()), 401),
            (time, Some(&*(now + 1).to_string()), 401),
            (time, Some("-1"), 401),
            (time, Some("9223372036854775808"), 400),
            (time, Some("soon"), 400),
            (id, Some("a.b"), 400),
            (id, Some(&*long), 400),
        ] {
            assert_eq!(s.changed(&good, name, value).await, status, "{name}: {value:?}");
        }
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running", "none of it was believed");
        assert_eq!(s.deliver(&good).await, 202, "a control");
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
    }

    async fn a_webhook_that_is_not_proven_changes_nothing_at_replicate(s: FakeReplicate) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        let good = s.fake.outbox().pop().unwrap();
        let now: i64 = good.headers.iter().find(|(n, _)| n.ends_with("timestamp")).unwrap().1.parse().unwrap();
        let long = "x".repeat(10_000);
        for (name, value, status) in [
            ("webhook-signature", None, 401),
            ("webhook-signature", Some("v1,AAAA"), 401),
            ("webhook-signature", Some("v1a,AAAA"), 401),
            ("webhook-id", Some("msg_other"), 401),
            ("webhook-id", Some("msg.1"), 400),
            ("webhook-id", Some(&*long), 400),
            ("webhook-id", None, 400),
            ("webhook-timestamp", Some(&*(now - 360).to_string()), 401),
            ("webhook-timestamp", Some(&*(now + 1).to_string()), 401),
            ("webhook-timestamp", Some("9223372036854775808"), 400),
            ("webhook-timestamp", Some("never"), 400),
        ] {
            assert_eq!(s.changed(&good, name, value).await, status, "{name}: {value:?}");
        }
        let mut body = good.clone();
        body.body[10] ^= 1;
        assert_eq!(s.deliver(&body).await, 401, "the same id with another body");
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "running", "none of it was believed");
        assert_eq!((s.deliver(&good).await, s.deliver(&good).await), (202, 202), "a control, and once more");
        s.app.settle().await;
        assert_eq!(s.edit(&ada, &edit).await["state"], "succeeded");
        assert_eq!((s.fake.charges(), s.credits(&ada).await), (1, 99));
        s.go_on(1).await;
        for _ in 0..8 {
            s.pass(chrono::TimeDelta::minutes(15));
            s.app.settle().await;
        }
        assert_eq!(s.fake.held(), Vec::<String>::new());
    }

    async fn a_webhook_for_what_has_ended_or_was_erased_has_no_effect(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.fake.work();
        let late = s.fake.outbox().pop().unwrap();
        let stopped = s.app.post(&format!("/v1/edits/{edit}/cancel")).by(&ada).send().await;
        assert_eq!(stopped.status, 200);
        s.app.settle().await;
        assert_eq!(s.deliver(&late).await, 202);
        s.app.settle().await;
        let ended = s.edit(&ada, &edit).await;
        assert_eq!((ended["state"].clone(), ended["output"].clone()), (json!("cancelled"), Value::Null));
        assert_eq!((s.credits(&ada).await, s.fake.held()), (100, Vec::<String>::new()));
    }

    async fn stopping_an_edit_reaches_the_provider_at_once(s: FakeFal) {
        let ada = s.ada().await;
        let (_, edit) = s.asked(&ada).await;
        s.app.post(&format!("/v1/edits/{edit}/cancel")).by(&ada).send().await;
        // The edit's own turn, without any reconciler.
        vouchsafe::jobs::Jobs::new(s.app.app.clone()).work().await.unwrap();
        s.fake.work();
        assert!(s.fake.held().iter().all(|h| !h.starts_with("file")), "it was stopped there: {:?}", s.fake.held());
        s.go_on(4).await;
        assert_eq!((s.fake.held(), s.fake.complaints()), (Vec::<String>::new(), Vec::<String>::new()));
    }
}
