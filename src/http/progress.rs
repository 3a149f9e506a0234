//! How an edit gets on, as a stream of events (the HTML standard's server-sent events). The database is what is told;
//! the process's own steps only say when to look.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse as _, Response, Sse};
use futures_util::stream;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Named;
use super::edits::edit;
use super::guard::Turns;
use crate::base::EditId;
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::editing::{Edit, Step};
use crate::subjects::Scope;
use crate::vault::Owner;

/// How long to hear nothing before the database is asked: the edit may run in another process.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long a listener whose stream broke off should wait before it comes back.
const COME_BACK: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(events))
}

/// How an edit gets on
///
/// Server-sent events, each with the edit as its data: first `progress` with how it stands now, one more for each
/// change, and at its end `succeeded`, `failed` or `cancelled`, after which the stream ends. Whoever comes back with
/// `Last-Event-ID` is not told that again; after the end there is nothing more to tell, and the answer is 204.
#[utoipa::path(get, path = "/v1/edits/{id}/events", tag = "edits",
    params(("id" = String, Path), ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event heard.")),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = super::edits::Edit),
        (status = 204, description = "It is over, and its end was heard."),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn events(
    State(edge): State<Edge>,
    Extension(turns): Extension<Turns>,
    caller: UserCaller,
    Named(id): Named<EditId>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    caller.allows(Scope::Edits)?;
    // Listens before it looks, so that no step falls between.
    let steps = edge.app.editing.progress().listen();
    let found = edge.app.editing.get(&caller.owner, id).await?;
    let told = headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    if found.state.is_over() && told.as_deref() == Some(&name_of(&found)) {
        // What the HTML standard calls the end of it: a browser does not come back.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let closing = turns.closing().clone();
    let watch = Watch { edge, owner: caller.owner, id, steps, closing, told, over: false };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// The id of the event that says how an edit stands.
fn name_of(edit: &Edit) -> String {
    format!("{}-{}", edit.state.as_str(), edit.progress)
}

struct Watch {
    edge: Edge,
    owner: Owner,
    id: EditId,
    steps: Receiver<Step>,
    closing: CancellationToken,
    /// The id of the event that was told last.
    told: Option<String>,
    over: bool,
}

impl Watch {
    /// The next event; `None` after the last one, when the edit is gone, and when the service stops.
    async fn next(&mut self) -> Option<Event> {
        while !self.over && !self.closing.is_cancelled() {
            let found = self.edge.app.editing.get(&self.owner, self.id).await.ok()?;
            let id = name_of(&found);
            if self.told.as_ref() != Some(&id) {
                self.over = found.state.is_over();
                let name = if self.over { found.state.as_str() } else { "progress" };
                let event = Event::default().id(&id).event(name).retry(COME_BACK);
                self.told = Some(id);
                return event.json_data(edit(found)).ok();
            }
            if found.state.is_over() {
                // Its end was told to whoever came back with it.
                return None;
            }
            self.wait().await;
        }
        None
    }

    /// Waits for a step of this edit, or for as long as it is well not to ask.
    async fn wait(&mut self) {
        let later = tokio::time::sleep(ASK_AGAIN);
        tokio::pin!(later);
        loop {
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = &mut later => return,
                step = self.steps.recv() => match step {
                    Ok(step) if step.edit != self.id => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => return later.await,
                },
            }
        }
    }
}
