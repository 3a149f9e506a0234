//! Misbehaviour on demand.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

/// Which answer of a stand-in is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// To a submit or create.
    Submit,
    /// To a question for the state.
    Status,
    /// To a question for the result.
    Result,
    /// To a cancel.
    Cancel,
    /// To a deletion.
    Delete,
    /// To a fetch of a result's file.
    Output,
    /// To a fetch of the webhook keys.
    Keys,
    /// To an upload.
    Upload,
    /// To a question for the uploads that are there.
    Uploads,
}

/// What goes wrong, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is refused with this status and no sensible body; nothing happens.
    Status(u16),
    /// 429 with `Retry-After` of so many seconds.
    Busy(u32),
    /// The request takes effect, but the connection breaks before the answer.
    LoseAnswer,
    /// The same, and what it left is there only after the list was asked for once. To an upload at Replicate only.
    LandLate,
    /// The list goes on for ever. At Replicate's files only.
    NoEnd,
    /// A page of HTML with status 200.
    Html,
    /// An empty body with status 200.
    Empty,
    /// A body without end.
    Endless,
    /// A body that says it has five billion bytes.
    Vast,
    /// A redirect to this place.
    Redirect(String),
    /// These bytes, said to be of this type, with status 200.
    File(&'static str, Vec<u8>),
    /// The links in the answer lead to this base.
    ForeignLinks(String),
}

/// What becomes of the next job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plan {
    /// It succeeds.
    #[default]
    Succeed,
    /// It runs against the content rules.
    Refuse,
    /// It fails for a fault of the provider's.
    Break,
    /// It cannot be stopped: a cancel is taken and the job succeeds all the same.
    IgnoreCancel,
    /// It succeeds, and one of its files cannot be deleted.
    KeepFile,
    /// It succeeds, but no webhook comes.
    NoWebhook,
    /// It succeeds, and the first of its pictures is marked as against the content rules. FAL.AI only.
    Flag,
    /// It succeeds, and does not repeat what it was asked: FAL.AI an empty prompt, Replicate no input at all.
    Forget,
    /// It succeeds, and says that the first of its results lies at another place than its own.
    Astray,
    /// It succeeds, and its result stands in the answer. Replicate only.
    Inline,
}

/// Faults and plans to come.
#[derive(Debug, Default)]
pub(super) struct Script {
    faults: VecDeque<(At, Fault)>,
    plans: VecDeque<Plan>,
}

impl Script {
    pub(super) fn fault(&mut self, at: At, fault: Fault) {
        self.faults.push_back((at, fault));
    }

    pub(super) fn forgive(&mut self) {
        self.faults.clear();
    }

    /// How many faults have not come about.
    pub(super) fn left(&self) -> usize {
        self.faults.len()
    }

    pub(super) fn plan(&mut self, plan: Plan) {
        self.plans.push_back(plan);
    }

    /// Takes the next fault of a place.
    pub(super) fn take(&mut self, at: At) -> Option<Fault> {
        let n = self.faults.iter().position(|(place, _)| *place == at)?;
        self.faults.remove(n).map(|(_, fault)| fault)
    }

    pub(super) fn next_plan(&mut self) -> Plan {
        self.plans.pop_front().unwrap_or_default()
    }
}

impl Fault {
    /// The answer in place of the right one, for faults that replace it.
    pub(super) fn answer(&self) -> Response {
        match self {
            Self::Status(code) => {
                let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, "upstream error").into_response()
            }
            Self::Busy(seconds) => {
                let wait = [(header::RETRY_AFTER, seconds.to_string())];
                (StatusCode::TOO_MANY_REQUESTS, wait, r#"{"detail":"slow down"}"#).into_response()
            }
            Self::LoseAnswer | Self::LandLate | Self::NoEnd | Self::ForeignLinks(_) => broken(),
            Self::Html => {
                let kind = [(header::CONTENT_TYPE, "text/html")];
                (kind, "<!doctype html><title>Bad gateway</title>").into_response()
            }
            Self::File(kind, bytes) => ([(header::CONTENT_TYPE, *kind)], bytes.clone()).into_response(),
            Self::Empty => StatusCode::OK.into_response(),
            Self::Endless => Body::from_stream(endless()).into_response(),
            Self::Vast => {
                let length = [(header::CONTENT_LENGTH, "5000000000")];
                (length, Body::from_stream(endless())).into_response()
            }
            Self::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to.as_str())]).into_response(),
        }
    }

    /// True if the request takes effect all the same.
    pub(super) fn takes_effect(&self) -> bool {
        matches!(self, Self::LoseAnswer | Self::LandLate | Self::ForeignLinks(_))
    }
}

fn endless() -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    // Begins as a JPEG does, so that only the limit stops it.
    let head = stream::iter([Ok(Bytes::from_static(&[0xff, 0xd8, 0xff, 0xe0]))]);
    let tail = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 16 * 1024])));
    futures_util::StreamExt::chain(head, tail)
}

/// An answer whose connection breaks as soon as its body is asked for.
fn broken() -> Response {
    let gone: Result<Bytes, std::io::Error> = Err(std::io::ErrorKind::ConnectionReset.into());
    Body::from_stream(stream::iter([gone])).into_response()
}
