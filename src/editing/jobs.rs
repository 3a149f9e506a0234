use serde_json::json;

use super::Edit;
use crate::base::{Clock, Entropy};
use crate::store::jobs::{NewJob, enqueue as put};
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
