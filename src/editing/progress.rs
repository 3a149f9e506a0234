use tokio::sync::broadcast;

use super::{Edit, EditState};
use crate::base::EditId;

/// How edits get on, told to whoever listens in this process. A listener that falls behind, or hears nothing, asks the
/// database: this only saves it the asking.
#[derive(Debug, Clone)]
pub struct Progress(broadcast::Sender<Step>);

/// A step of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub edit: EditId,
    /// How it stands.
    pub state: EditState,
    /// 0 to 100.
    pub percent: i64,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self(broadcast::channel(256).0)
    }

    pub(super) fn tell(&self, edit: &Edit) {
        // Nobody listening is no error.
        let _ = self.0.send(Step { edit: edit.id, state: edit.state, percent: edit.progress });
    }

    /// Listens to every edit of the process; the listener picks its own.
    pub fn listen(&self) -> broadcast::Receiver<Step> {
        self.0.subscribe()
    }
}
