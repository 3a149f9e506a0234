//! Who else was told of something, how it stands there, and what stays.

use super::found::Found;
use super::seat::Seat;
use crate::disclosure::Disclosed;
use crate::edge::Fault;
use crate::elsewhere::{Task, TaskState};
use crate::policy::Policy;
use crate::requests::{Erasure, Request};
use crate::speech::Tongue;
use crate::vault::Owner;
use crate::web::shape::requests::{recipient, staying, staying_elsewhere};
use crate::web::view::{Count, Recipient, State, Stays};

/// Whoever got something of the person, and how their copies stand.
pub(super) async fn recipients(
    seat: &Seat,
    request: &Request,
    (told, found): (&[Task], &Found),
) -> Result<Vec<Recipient>, Fault> {
    let mut all: Vec<Recipient> = told.iter().map(|task| with_its_clock(&found.policy, task)).collect();
    let Some(subject) = request.subject else { return Ok(all) };
    let sent = seat.edge.app.disclosures.of(&Owner::new(&seat.tenant, subject)).await?;
    for processor in found.policy.processors().filter(|p| p.is_recipient()) {
        let theirs = told.iter().any(|task| task.processor == processor.id);
        let of = |d: &&Disclosed| d.processor == processor.id && !theirs;
        let mine: Vec<_> = sent.iter().filter(of).collect();
        let left = mine.iter().filter(|d| d.deleted_at.is_none()).count();
        if mine.is_empty() {
            continue;
        }
        let copies = Count(mine.len() as u64).of("copy", "copies");
        let (state, says) = match left {
            0 => (State::Kept, format!("{copies} sent, all known to be gone.")),
            left => (State::Waiting, format!("{copies} sent, {left} not known to be gone.")),
        };
        let at = mine.iter().filter_map(|d| d.deleted_at).max().filter(|_| left == 0);
        all.push(Recipient { name: processor.name.clone(), says, state, at: at.map(Into::into) });
    }
    Ok(all)
}

/// How it stands at a recipient, by when it must be done, and when it is tried again.
pub(super) fn with_its_clock(policy: &Policy, task: &Task) -> Recipient {
    let mut shown = recipient(Tongue::English, policy, task);
    if task.state == TaskState::Open {
        shown.says = format!("{} Due {}.", shown.says, task.due_at.in_words());
    }
    if let Some(next) = task.next_at.filter(|_| task.state != TaskState::Done) {
        shown.says =
            format!("{} Next try {}, after {} that failed.", shown.says, next.in_words(), task.tries);
    }
    if let Some(proof) = &task.proof {
        shown.says = format!("{} Proof: {proof}.", shown.says);
    }
    shown
}

/// What stays, here and elsewhere.
pub(super) fn stays(erasure: Option<&Erasure>, told: &[Task], found: &Found) -> Vec<Stays> {
    let here = erasure.and_then(|e| e.stays.as_ref()).map(|stays| staying(Tongue::English, stays));
    let there = told.iter().filter_map(|task| staying_elsewhere(Tongue::English, &found.policy, task));
    here.into_iter().chain(there).collect()
}
