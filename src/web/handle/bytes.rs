//! The bytes of pictures, for their owner alone: as they are, or as a smaller copy made on the way.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use crate::base::{Kind, ObjectId};
use crate::edge::{Fault, watched};
use crate::imaging::{self, Thumbnail};
use crate::vault::{Access, OpenObject};
use crate::web::page::{Answer, Person, id, with};
use crate::web::shape::pictures::{LARGE, SMALL, file_name};

/// How long a browser may put a picture aside. Signing out tells it to forget.
const ASIDE: &str = "private, max-age=600";

/// Turns at making smaller copies: each takes a decoded picture's memory.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(2)))
    }
}

/// `GET /images/{id}/small`
pub(crate) async fn small(person: Person, turns: Extension<Turns>, path: Path<(String, String)>) -> Answer {
    copy(&person, &turns, &path.0.1, SMALL).await
}

/// `GET /images/{id}/large`
pub(crate) async fn large(person: Person, turns: Extension<Turns>, path: Path<(String, String)>) -> Answer {
    copy(&person, &turns, &path.0.1, LARGE).await
}

/// `GET /images/{id}/file`
pub(crate) async fn file(person: Person, Path((_, object)): Path<(String, String)>) -> Answer {
    let open = open(&person, &object).await?;
    let name = file_name(&open.object);
    let (kind, len) = (open.object.meta.media_type.clone(), open.object.meta.len.to_string());
    let response = Body::from_stream(watched(open.bytes)).into_response();
    let response = typed(response, &kind);
    let response = with(response, header::CONTENT_LENGTH, &len);
    Ok(with(response, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\"")))
}

async fn open(person: &Person, object: &str) -> Result<OpenObject, Fault> {
    let object: ObjectId = id(object)?;
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: crate::editing::PURPOSE };
    Ok(person.edge.app.vault.open_object(&person.owner, &access, object, None).await?)
}

async fn copy(person: &Person, turns: &Turns, object: &str, edge: u32) -> Answer {
    let open = open(person, object).await?;
    let limits = *person.edge.app.editing.limits();
    let _turn = turns.0.acquire().await.map_err(|_| Fault::new(Kind::Unavailable))?;
    let bytes = open.read(u64::MAX).await?;
    let made = tokio::task::spawn_blocking(move || -> Result<Thumbnail, imaging::Refused> {
        let inspected =
            imaging::inspect(bytes.expose(), &imaging::Limits { max_bytes: usize::MAX, ..limits })?;
        imaging::thumbnail(bytes.expose(), &inspected, edge)
    })
    .await
    .map_err(|_| Fault::new(Kind::Internal))??;
    let response = typed(Body::from(made.bytes).into_response(), made.format.media_type());
    Ok(with(response, header::CACHE_CONTROL, ASIDE))
}

/// Bytes of a known kind, which no browser may take for a page.
fn typed(mut response: Response, kind: &str) -> Response {
    response.headers_mut().remove(header::CONTENT_TYPE);
    let response = with(response, header::CONTENT_TYPE, kind);
    with(response, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
}
