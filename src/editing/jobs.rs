use serde_json::json;

use super::Edit;
use crate::base::{Clock, EditId, Entropy};
use crate::store::jobs::{NewJob, enqueue as put, wake as wake_job};
use crate::store::{Error, Tx};

/// Runs an edit. Payload: `{"edit": …, "subject": …}`.
pub const RUN: &str = "edit.run";

pub(super) async fn enqueue(tx: &mut Tx, clock: &Clock, entropy: &Entropy, edit: &Edit) -> Result<(), Error> {
    let id = edit.id.to_string();
    let payload = json!({ "edit": id, "subject": edit.owner.subject.to_string() });
    let job = NewJob {
        kind: RUN,
        payload: &payload,
        tenant: Some(edit.tenant()),
        unique_key: Some(&id),
        run_at: edit.created_at,
        deadline: None,
    };
    put(tx, clock, entropy, &job).await?;
    Ok(())
}

/// There is something to look at: an edit that waits for its next turn has it now.
pub(super) async fn wake(tx: &mut Tx, clock: &Clock, edit: EditId) -> Result<(), Error> {
    wake_job(tx, clock, (RUN, &edit.to_string())).await
}
