//! A person with a little of everything, and a place their images are read from.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use vouchsafe::archive::{
    Access, Authority, Body, Category, Consent, Controller, Error, File, Head, Image, Layout, Plaintext,
    Provenance, Purpose, Recipient, Record, Right, Signer, Source, Stored, TakeHome, Withheld,
};
use vouchsafe::base::{Clock, Entropy, ObjectId, Secret, Timestamp};
use vouchsafe::crypto::sha256;

pub(super) fn at(s: &str) -> Timestamp {
    Timestamp::parse_rfc3339(s).unwrap()
}

pub(super) fn signer() -> Signer {
    Signer::new("photos.example/take-home", &Secret::new([7; 32])).unwrap()
}

/// Images in memory, given in pieces of a fixed length.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) files: HashMap<ObjectId, Bytes>,
    pub(super) piece: usize,
    pub(super) opened: AtomicUsize,
    pub(super) authenticates: bool,
    /// Fails after this many bytes of any file.
    pub(super) breaks_after: Option<usize>,
}

impl Source for Shelf {
    fn open(&self, object: ObjectId) -> BoxFuture<'static, io::Result<Plaintext>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let Some(bytes) = self.files.get(&object).cloned() else {
            return async { Err(io::ErrorKind::NotFound.into()) }.boxed();
        };
        let given = self.breaks_after.map_or(bytes.clone(), |n| bytes.slice(..n.min(bytes.len())));
        let mut pieces: Vec<io::Result<Bytes>> =
            given.chunks(self.piece.max(1)).map(|p| Ok(given.slice_ref(p))).collect();
        if self.breaks_after.is_some() {
            pieces.push(Err(io::Error::other("a chunk did not open")));
        }
        async move { Ok(stream::iter(pieces).boxed()) }.boxed()
    }

    fn authenticates(&self) -> bool {
        self.authenticates
    }
}

impl Shelf {
    pub(super) fn new(piece: usize) -> Self {
        Self { piece, ..Self::default() }
    }

    /// Puts a file on the shelf, as ingest would record it.
    pub(super) fn put(&mut self, bytes: impl Into<Bytes>) -> Stored {
        let bytes = bytes.into();
        let (clock, _) = Clock::manual(at("2026-05-05T14:07:09Z"));
        let object = ObjectId::new(&clock, &Entropy::seeded(self.files.len() as u64));
        let stored = Stored {
            object,
            len: bytes.len() as u64,
            crc32: crc32fast::hash(&bytes),
            sha256: sha256(&bytes),
        };
        self.files.insert(object, bytes);
        stored
    }
}

pub(super) async fn read(layout: &Layout, range: Range<u64>, shelf: &Arc<Shelf>) -> Result<Vec<u8>, Error> {
    let source: Arc<dyn Source> = Arc::clone(shelf) as Arc<dyn Source>;
    let pieces: Vec<Bytes> = layout.stream(range, source)?.try_collect().await?;
    Ok(pieces.concat())
}

pub(super) async fn whole(layout: &Layout, shelf: &Arc<Shelf>) -> Vec<u8> {
    read(layout, 0..layout.len(), shelf).await.unwrap()
}

pub(super) fn picture(seed: u32) -> Vec<u8> {
    let image = image::RgbImage::from_fn(96, 64, |x, y| {
        let byte = |n: u32| u8::try_from(n % 256).unwrap();
        image::Rgb([byte(x * 2 + seed * 60), byte(y * 3), byte((x + y) * seed)])
    });
    let mut out = io::Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

pub(super) fn head() -> Head {
    Head {
        tenant: "flux-kontext".parse().unwrap(),
        controller: Controller {
            name: "Flux Kontext".into(),
            address: "1 Example Street, Example City".into(),
            contact: "privacy@photos.example".into(),
        },
        made_at: at("2026-05-06T09:00:01Z"),
        reference: "7KX2M-9QWMT".into(),
        subject_pseudonym: "p-4f1c0a97".into(),
        policy_version: "2026-05-01".into(),
        key_at: signer().published_at(),
    }
}

fn image(shelf: &mut Shelf, seed: u32, name: Option<&str>) -> Image {
    Image {
        stored: shelf.put(picture(seed)),
        media_type: "image/png".into(),
        at: at("2026-05-05T14:07:09Z"),
        ends: Some(at("2026-05-07T14:07:09Z")),
        original_name: name.map(str::to_owned),
        alt: format!("Image {seed}"),
        caption: None,
        size: Some((96, 64)),
        missing: false,
    }
}

fn category(id: &str, title: &str, holds: &str, provenance: Provenance) -> Category {
    Category {
        id: id.into(),
        title: title.into(),
        holds: holds.into(),
        provenance,
        source: None,
        basis: "contract".into(),
        purposes: vec!["provide-edits".into()],
        recipients: vec![],
        rule: "Until you close your account".into(),
        records: vec![],
        images: vec![],
    }
}

fn record(id: &str, values: &serde_json::Value) -> Record {
    Record {
        id: id.into(),
        at: at("2026-05-01T08:00:00Z"),
        ends: None,
        values: values.as_object().unwrap().clone(),
    }
}

fn categories(shelf: &mut Shelf) -> Vec<Category> {
    let account = Category {
        records: vec![record("rec_1", &json!({"name": "=cmd|' /C calc'!A0", "email": "kim@photos.example"}))],
        ..category("account", "Your account", "Your name and how to reach you.", Provenance::Provided)
    };
    let credits = Category {
        records: vec![
            record("rec_2", &json!({"amount": -2})),
            record("rec_3", &json!({"amount": 10, "note": "a, \"b\"\nc"})),
        ],
        ..category("credits", "Your credits", "What you bought and what you used.", Provenance::Observed)
    };
    let uploads = Category {
        images: vec![image(shelf, 1, Some("../Rome.PNG")), image(shelf, 2, Some("rome.png\u{202e}"))],
        recipients: vec!["FAL.AI".into()],
        rule: "Until your edit has succeeded, at most 48 hours".into(),
        ..category("input-image", "Images you uploaded", "Each picture as you sent it.", Provenance::Provided)
    };
    let result =
        Image { ends: None, caption: Some("make the <b>sky</b> blue".into()), ..image(shelf, 3, None) };
    let results = Category {
        images: vec![result],
        ..category("output-image", "Results", "What your edits gave.", Provenance::Derived)
    };
    let usage = category("usage", "Usage", "Which tools you used.", Provenance::Observed);
    vec![account, credits, uploads, results, usage]
}

fn consent() -> Consent {
    Consent {
        purpose: "analytics".into(),
        title: "May we count which tools you use?".into(),
        state: "refused".into(),
        at: at("2026-05-01T08:00:01Z"),
        method: "privacy centre".into(),
        policy_version: "2026-05-01".into(),
        notice_sha256: "00".repeat(32),
        receipt: Some("receipts/consent-1.txt".into()),
    }
}

fn support() -> Access {
    Access {
        at: at("2026-05-04T10:00:00Z"),
        who: "support".into(),
        category: "account".into(),
        purpose: "support".into(),
        outcome: "allowed".into(),
        reason: Some("ticket 12".into()),
        entry: Some("ent_1".into()),
    }
}

fn recipient() -> Recipient {
    Recipient {
        name: "FAL.AI".into(),
        role: "runs the model that edits your image".into(),
        country: "United States".into(),
        safeguard: Some("Standard contractual clauses of 2021".into()),
        categories: vec!["input-image".into()],
        times: 1,
        last: Some(at("2026-05-05T14:08:00Z")),
        copies: Some("Its copy is confirmed deleted".into()),
    }
}

/// A person with two uploads of one name, a result, an account, credits, a consent and someone who read it.
pub(super) fn person(shelf: &mut Shelf) -> TakeHome {
    TakeHome {
        head: head(),
        purposes: vec![Purpose {
            id: "provide-edits".into(),
            title: "To edit the images you send us".into(),
            basis: "contract".into(),
            ground: "We need it for the contract with you, Article 6(1)(b)".into(),
            choice: None,
        }],
        categories: categories(shelf),
        recipients: vec![recipient()],
        rights: vec![Right { id: "erasure".into(), how: "Erase your account and everything in it".into() }],
        authority: Authority {
            name: "The supervisory authority of your country".into(),
            contact: "edpb.europa.eu".into(),
        },
        automated: vec![],
        withheld: vec![Withheld {
            what: "Notes of other people".into(),
            reason: "They are about someone else".into(),
            law: "Article 15(4) GDPR".into(),
            until: None,
        }],
        consents: vec![consent()],
        reads: vec![support()],
        attachments: vec![File {
            path: "receipts/consent-1.txt".into(),
            title: "Receipt of your refusal".into(),
            media_type: "text/plain".into(),
            facts: None,
            original_name: None,
            body: Body::Bytes(Bytes::from_static(b"a receipt\n")),
        }],
    }
}

/// The person's archive, laid out, and the shelf with the images.
pub(super) fn laid_out(piece: usize) -> (Layout, Arc<Shelf>) {
    let mut shelf = Shelf::new(piece);
    let contents = person(&mut shelf).contents().unwrap();
    (Layout::new(contents, &signer()).unwrap(), Arc::new(shelf))
}
