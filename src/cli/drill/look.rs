//! Looking, from the outside, whether what must hold does.

use std::fs;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::TryStreamExt as _;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::claims::Claims;
use super::town::{Person, TRAINING, Town};
use crate::backup;
use crate::blobs::KeyPrefix;
use crate::cli::needles;
use crate::crypto::{Context, open_file, sha256};
use crate::edge::Edge;
use crate::keystore::Owner as KeyOwner;
use crate::ledger::{Checkpoint, verify_folder};
use crate::vault::Owner;
use crate::{http, web};

pub(super) const SHUT: &str = "until then every address says 503 and why, and /readyz is not ready";
pub(super) const UNSIGNED: &str = "it refuses to sign a smaller tree";
pub(super) const INCOMPLETE: &str = "with a part of the published ledger missing it stays shut";
pub(super) const OPEN: &str = "when it is done again, the service answers";
pub(super) const GONE: &str = "whoever was erased is unknown, and nothing of theirs opens";
pub(super) const DEAD: &str = "no blob of theirs, here or in any backup, opens with any key of the keystore";
pub(super) const TRACES: &str = "no wrapped key of theirs lies in any file";
pub(super) const CLEAR: &str = "nobody's words or pictures lie in any file or backup in clear";
pub(super) const SAME: &str = "what should be there is there, bit for bit, and nothing else";
pub(super) const WORDS: &str =
    "consents that were withdrawn are withdrawn, keys that were revoked are revoked";
pub(super) const LOG: &str =
    "the ledger goes on from the head that was signed before, and hashes to its root";

/// Addresses of all sorts: pages, the API, the ledger, the desk.
const ADDRESSES: [&str; 6] = [
    "/",
    "/flux-kontext/policy",
    "/v1/policies/flux-kontext",
    "/ledger",
    "/ledger/checkpoint",
    "/flux-kontext/desk",
];
/// The longest answer that is read.
const MOST: usize = 4 << 20;

async fn ask(routes: &Router, path: &str) -> anyhow::Result<(StatusCode, String)> {
    let request = Request::get(path).header("accept", "application/json").body(Body::empty())?;
    let answer = routes.clone().oneshot(request).await?;
    let status = answer.status();
    let body = http_body_util::Limited::new(answer.into_body(), MOST).collect().await;
    let body = body.map_err(|e| anyhow::anyhow!("{path}: {e}"))?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// What `serve` serves.
async fn pages_and_api(town: &Town) -> anyhow::Result<Router> {
    let edge = Edge::new(town.app.clone()).await?;
    Ok(http::routes(&edge).merge(web::router(edge)))
}

/// What a service answers before it is up to date.
pub(super) async fn shut(town: &Town, claims: &mut Claims) -> anyhow::Result<()> {
    let routes = pages_and_api(town).await?;
    for path in ADDRESSES {
        let (status, said) = ask(&routes, path).await?;
        let told =
            status == StatusCode::SERVICE_UNAVAILABLE && said.contains("whoever was erased stays erased");
        claims.look(SHUT, told, || format!("{path} answers {status}: {said}"));
    }
    let (ready, said) = ask(&routes, "/readyz").await?;
    let told = ready == StatusCode::SERVICE_UNAVAILABLE && said.contains("backup");
    claims.look(SHUT, told, || format!("/readyz answers {ready}: {said}"));
    Ok(())
}

/// What it answers afterwards.
pub(super) async fn open(town: &Town, claims: &mut Claims) -> anyhow::Result<()> {
    let routes = pages_and_api(town).await?;
    for path in ["/readyz", "/", "/v1/policies/flux-kontext"] {
        let (status, said) = ask(&routes, path).await?;
        let answered = status.is_success() || status.is_redirection();
        claims.look(OPEN, answered, || format!("{path} answers {status}: {said}"));
    }
    Ok(())
}

/// What was put back: the step up to which things are there, in the database and in the keystore.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) data: usize,
    pub(super) keys: usize,
}

/// The people, each against what is remembered of them.
pub(super) async fn people(town: &Town, reach: Reach, claims: &mut Claims) -> anyhow::Result<()> {
    for person in &town.people {
        match person.gone {
            Some(_) => erased(town, person, claims).await?,
            None => living(town, person, reach, claims).await?,
        }
    }
    if let Some(key) = &town.revoked {
        let refused = town.app.subjects.api_key(key).await.is_err();
        claims.look(WORDS, refused, || "an app's key that was revoked is taken again".to_owned());
    }
    Ok(())
}

async fn erased(town: &Town, person: &Person, claims: &mut Claims) -> anyhow::Result<()> {
    let app = &town.app;
    let known = app.subjects.get(&person.owner).await.is_ok();
    claims.look(GONE, !known, || format!("{} is known again", person.word));
    for picture in &person.pictures {
        let opened = town.read(&person.owner, picture.id).await.is_ok();
        claims.look(GONE, !opened, || format!("a picture of {} opens", person.word));
    }
    let owner = KeyOwner { tenant: &person.owner.tenant, subject: person.owner.subject };
    let keys = app.keys.wrapped_of(owner).await?.len();
    claims.look(GONE, keys == 0, || format!("{} has {keys} keys again", person.word));
    Ok(())
}

async fn living(town: &Town, person: &Person, reach: Reach, claims: &mut Claims) -> anyhow::Result<()> {
    let reached = reach.data.min(reach.keys);
    for picture in &person.pictures {
        let should = picture.gone.is_none() && picture.came <= reached;
        let found = town.read(&person.owner, picture.id).await;
        let same = found.as_ref().is_ok_and(|bytes| sha256(bytes) == picture.sha256);
        let holds = if should { same } else { found.is_err() };
        claims.look(SAME, holds, || {
            let should = if should { "should open" } else { "should be gone" };
            format!("a picture of {} from step {} {should}", person.word, picture.came)
        });
    }
    if person.withdrew && person.came <= reached {
        let on = consents(town, &person.owner).await?;
        claims.look(WORDS, !on, || format!("{} is asked for nothing, and agrees again", person.word));
    }
    Ok(())
}

async fn consents(town: &Town, owner: &Owner) -> anyhow::Result<bool> {
    let choices = town.app.consents.choices(owner).await?;
    Ok(choices.iter().any(|c| c.purpose == TRAINING && c.on))
}

/// Every byte of the installation and of its backups, for everybody's words and for the wrapped keys of the erased.
pub(super) fn bytes(town: &Town, claims: &mut Claims) -> anyhow::Result<u64> {
    let words: Vec<&str> = town.people.iter().map(|p| p.word.as_str()).collect();
    let traces: Vec<&[u8]> = town
        .people
        .iter()
        .filter(|p| p.gone.is_some())
        .flat_map(|p| p.wrapped.iter().map(Vec::as_slice))
        .collect();
    // Control: what is planted is found.
    let control = town.data.join("planted-as-a-control");
    let planted = [
        words.first().map(|w| w.as_bytes()).unwrap_or_default(),
        traces.first().copied().unwrap_or_default(),
    ];
    fs::write(&control, planted.concat())?;
    let seen = needles::search(&town.data, &words)?;
    let keys = needles::search_bytes(&town.data, &traces)?;
    fs::remove_file(&control)?;
    let (in_words, in_keys) = (found_in(&seen.found, &control), found_in(&keys, &control));
    claims.look(CLEAR, in_words, || "the control was not found: the search finds nothing".to_owned());
    claims.look(TRACES, in_keys || traces.is_empty(), || "the control was not found".to_owned());
    for (word, path) in seen.found.iter().filter(|(_, path)| *path != control) {
        claims.look(CLEAR, false, || format!("{word} in {}", path.display()));
    }
    for (_, path) in keys.iter().filter(|(_, path)| *path != control) {
        claims.look(TRACES, false, || format!("a key in {}", path.display()));
    }
    let backups = needles::search(&town.kept, &words)?;
    for (word, path) in &backups.found {
        claims.look(CLEAR, false, || format!("{word} in {}", path.display()));
    }
    claims.look(CLEAR, true, String::new);
    Ok(seen.bytes + backups.bytes)
}

fn found_in<W>(found: &[(W, std::path::PathBuf)], path: &Path) -> bool {
    found.iter().any(|(_, p)| p == path)
}

/// Every key that can be had.
async fn keys(town: &Town) -> anyhow::Result<Vec<[u8; 16]>> {
    let (mut keys, mut last) = (Vec::new(), None);
    loop {
        let page = town.app.keys.keyed(last.as_deref()).await?;
        let Some(end) = page.last() else { return Ok(keys) };
        last = Some(end.item.clone());
        for keyed in page {
            let owner = KeyOwner { tenant: &keyed.tenant, subject: keyed.subject };
            // One whose person or epoch is gone is no key.
            if let Ok(found) = town.app.keys.item(owner, &keyed.item).await {
                keys.extend(found.key.expose().first_chunk::<16>());
            }
        }
    }
}

/// Every blob that there is, in the store and in every backup, tried with every key that can be had. Gives how many
/// were tried, and how many of them open.
pub(super) async fn blobs(town: &Town, claims: &mut Claims) -> anyhow::Result<(u64, u64)> {
    let keys = keys(town).await?;
    let (mut tried, mut opened) = (0, 0);
    let mut one = |bytes: &[u8], whence: &str, claims: &mut Claims| {
        let Some(context) = Context::of_header(bytes) else { return };
        tried += 1;
        let open = keys.iter().any(|key| open_file(bytes, &context, key).is_ok());
        opened += u64::from(open);
        let erased = town.people.iter().any(|p| {
            p.owner.subject.to_string() == context.subject
                && (p.gone.is_some()
                    || p.pictures.iter().any(|i| i.gone.is_some() && i.id.to_string() == context.object))
        });
        if erased {
            claims.look(DEAD, !open, || format!("a blob of {} in {whence} opens", context.subject));
        }
    };
    let mut listed = std::pin::pin!(town.app.blobs.list(KeyPrefix::all(), None));
    while let Some(blob) = listed.try_next().await? {
        let bytes = town.app.blobs.get(&blob.key, None).await?.collect(MOST).await?;
        one(&bytes, "the store", claims);
    }
    let by = town.standby().await?;
    for taken in &town.backups {
        let whence = taken.file.display().to_string();
        // A copy of the keystore whose epoch has passed opens for nobody.
        let looked = backup::blobs_of(&by, &taken.file, &taken.keys, |bytes| one(bytes, &whence, claims));
        if taken.what == backup::What::Data {
            looked?;
        }
    }
    claims.look(DEAD, opened > 0, || "no blob opens at all: the trial finds nothing".to_owned());
    Ok((tried, opened))
}

/// The ledger against the head that was signed before.
pub(super) async fn ledger(town: &Town, before: &Checkpoint, claims: &mut Claims) -> anyhow::Result<()> {
    let app = &town.app;
    app.ledger.sequence().await?;
    let head = app.ledger.checkpoint().await?;
    claims.look(LOG, head.size() >= before.size(), || {
        format!("{} entries are signed, and {} were", head.size(), before.size())
    });
    let folder = app.ledger.folder().unwrap_or(Path::new("")).to_owned();
    let key = app.ledger.verifier().clone();
    let report = verify_folder(&folder, &key, Some(before));
    let sound = report.as_ref().is_ok_and(|r| r.is_sound() && r.size == head.size());
    claims.look(LOG, sound, || format!("the published ledger: {report:?}"));
    let own = app.ledger.fsck().await?;
    claims.look(LOG, own.is_sound(), || format!("the database's ledger: {:?}", own.faults));
    let stands = app.ledger.stands_by(before.note()).await.is_ok();
    claims.look(LOG, stands, || "it does not stand by the head that it signed before".to_owned());
    Ok(())
}
