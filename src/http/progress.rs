//! How an edit gets on, as a stream of events (the HTML standard's server-sent events). The database is what is told;
//! the process's own steps only say when to look.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Named;
use super::edits::edit;
use super::guard::Turns;
use crate::base::EditId;
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::editing::{EditState, Step};
use crate::subjects::Scope;
use crate::vault::Owner;

/// How long to hear nothing before the database is asked: the edit may run in another process.
const ASK_AGAIN: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(events))
}

/// How an edit gets on
///
/// Server-sent events, each with the edit as its data: first `progress` with how it stands now, one more for each
/// change, and at its end `succeeded`, `failed` or `cancelled`, after which the stream ends.
#[utoipa::path(get, path = "/v1/edits/{id}/events", tag = "edits", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn events(
    State(edge): State<Edge>,
    Extension(turns): Extension<Turns>,
    caller: UserCaller,
    Named(id): Named<EditId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    caller.allows(Scope::Edits)?;
    // Listens before it looks, so that no step falls between.
    let steps = edge.app.editing.progress().listen();
    edge.app.editing.get(&caller.owner, id).await?;
    let closing = turns.closing().clone();
    let watch = Watch { edge, owner: caller.owner, id, steps, closing, told: None, over: false };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Watch {
    edge: Edge,
    owner: Owner,
    id: EditId,
    steps: Receiver<Step>,
    closing: CancellationToken,
    told: Option<(EditState, i64)>,
    over: bool,
}

impl Watch {
    /// The next event; `None` after the last one, when the edit is gone, and when the service stops.
    async fn next(&mut self) -> Option<Event> {
        while !self.over && !self.closing.is_cancelled() {
            let found = self.edge.app.editing.get(&self.owner, self.id).await.ok()?;
            let stands = (found.state, found.progress);
            if self.told != Some(stands) {
                self.told = Some(stands);
                self.over = found.state.is_over();
                let name = if self.over { found.state.as_str() } else { "progress" };
                return Event::default().event(name).json_data(edit(found)).ok();
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
