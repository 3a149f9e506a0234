//! What FAL.AI's answers look like. Every reader takes hostile bytes; none keeps text that may echo the user's.

use serde::Deserialize;

use super::{Failure, ProviderError, State};
use crate::egress::Reply;

/// The answer to a submit.
#[derive(Deserialize)]
pub(super) struct Accepted {
    pub(super) request_id: String,
    pub(super) status_url: Option<String>,
    pub(super) response_url: Option<String>,
    pub(super) cancel_url: Option<String>,
    pub(super) queue_position: Option<u32>,
}

/// The answer to a status.
#[derive(Deserialize)]
pub(super) struct Status {
    #[serde(rename = "status")]
    word: String,
    request_id: Option<String>,
    queue_position: Option<u32>,
    error: Option<serde_json::Value>,
    error_type: Option<String>,
}

impl Status {
    /// There is no status for failure: a job that failed is `COMPLETED` with an error beside it.
    pub(super) fn state(&self, id: &str) -> Result<State, ProviderError> {
        if self.request_id.as_ref().is_some_and(|own| own != id) {
            return Err(ProviderError::Garbled("status of another job"));
        }
        let failed = self.error_type.is_some() || self.error.as_ref().is_some_and(|e| !e.is_null());
        match self.word.as_str() {
            "IN_QUEUE" => Ok(State::Queued(self.queue_position)),
            "IN_PROGRESS" => Ok(State::Running),
            "COMPLETED" if failed => Ok(State::Failed(named(self.error_type.as_deref().unwrap_or_default()))),
            "COMPLETED" => Ok(State::Done),
            _ => Err(ProviderError::Garbled("status")),
        }
    }
}

/// A result. The echo of the prompt is left where it is.
#[derive(Deserialize)]
pub(super) struct Done {
    pub(super) images: Vec<Image>,
    pub(super) seed: Option<u64>,
    #[serde(default)]
    has_nsfw_concepts: Vec<bool>,
}

impl Done {
    pub(super) fn flagged(&self, n: usize) -> bool {
        self.has_nsfw_concepts.get(n).copied().unwrap_or(false)
    }
}

/// The part of a result, or of a history entry, that names a job.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) seed: Option<u64>,
    pub(super) prompt: Option<String>,
}

/// One picture of a result.
#[derive(Deserialize)]
pub(super) struct Image {
    url: String,
}

impl Image {
    /// Where it is: a link, or a `data:` URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    detail: serde_json::Value,
    error_type: Option<String>,
}

fn problem(reply: &Reply) -> Option<Problem> {
    serde_json::from_slice(&reply.body).ok()
}

/// True if the answer is an error of the model or the runner, replayed, and not one of the gateway itself.
pub(super) fn is_model_error(reply: &Reply) -> bool {
    problem(reply).is_some_and(|p| !p.detail.is_null() || p.error_type.is_some())
}

/// Which failure an error answer means: by its declared type, never by its text.
pub(super) fn failure(reply: &Reply) -> Failure {
    let header = reply.header("x-fal-error-type").map(str::to_owned);
    let body = problem(reply).and_then(|p| {
        let first = p.detail.get(0).and_then(|d| d.get("type")).and_then(|t| t.as_str()).map(str::to_owned);
        first.or(p.error_type)
    });
    match (body.or(header), reply.status) {
        (Some(kind), _) => named(&kind),
        (None, 402) => Failure::NoCredit,
        (None, 413) => Failure::InputTooLarge,
        (None, 504) => Failure::TimedOut,
        (None, 499) => Failure::Cancelled,
        (None, 400..500) => Failure::BadInput,
        (None, _) => Failure::Fault,
    }
}

fn named(kind: &str) -> Failure {
    match kind {
        "content_policy_violation" => Failure::ContentPolicy,
        "image_too_large" | "file_too_large" => Failure::InputTooLarge,
        "file_download_error" | "image_load_error" | "unsupported_image_format" => Failure::InputUnreadable,
        "generation_timeout" | "request_timeout" | "startup_timeout" => Failure::TimedOut,
        "client_cancelled" | "client_disconnected" => Failure::Cancelled,
        "internal_server_error"
        | "internal_error"
        | "downstream_service_error"
        | "downstream_service_unavailable"
        | "" => Failure::Fault,
        runner if runner.starts_with("runner_") => Failure::Fault,
        _ => Failure::BadInput,
    }
}

/// The answer to a payload deletion: one entry a file, with an exception if the file stays.
#[derive(Deserialize)]
pub(super) struct Deleted {
    #[serde(default)]
    cdn_delete_results: Vec<DeletedFile>,
}

#[derive(Deserialize)]
struct DeletedFile {
    exception: Option<String>,
}

impl Deleted {
    pub(super) fn survivors(&self) -> usize {
        self.cdn_delete_results.iter().filter(|f| f.exception.is_some()).count()
    }
}

/// A page of the request history.
#[derive(Deserialize)]
pub(super) struct History {
    pub(super) items: Vec<HistoryItem>,
    pub(super) next_cursor: Option<String>,
}

/// One entry of it.
#[derive(Deserialize)]
pub(super) struct HistoryItem {
    pub(super) request_id: String,
    #[serde(default)]
    json_input: serde_json::Value,
    #[serde(default)]
    json_output: serde_json::Value,
}

impl HistoryItem {
    /// True if the provider still shows content.
    pub(super) fn has_content(&self) -> bool {
        let empty = |v: &serde_json::Value| {
            v.is_null() || v.as_object().is_some_and(serde_json::Map::is_empty) || v.as_str() == Some("")
        };
        !empty(&self.json_input) || !empty(&self.json_output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::model::place;

    fn state(json: &str) -> Result<State, ProviderError> {
        serde_json::from_str::<Status>(json).unwrap().state("r1")
    }

    #[test]
    fn completed_is_not_success() {
        assert_eq!(state(r#"{"status":"COMPLETED"}"#), Ok(State::Done));
        assert_eq!(state(r#"{"status":"COMPLETED","error":null}"#), Ok(State::Done));
        assert_eq!(
            state(r#"{"status":"COMPLETED","error":"x","error_type":"content_policy_violation"}"#),
            Ok(State::Failed(Failure::ContentPolicy))
        );
        assert_eq!(state(r#"{"status":"COMPLETED","error":"x"}"#), Ok(State::Failed(Failure::Fault)));
        assert!(state(r#"{"status":"FAILED"}"#).is_err());
        assert!(state(r#"{"status":"COMPLETED","request_id":"r2"}"#).is_err());
    }

    #[test]
    fn a_file_with_an_exception_survives() {
        let json = r#"{"cdn_delete_results":[{"link":"a","exception":null},{"link":"b","exception":"no"}]}"#;
        assert_eq!(serde_json::from_str::<Deleted>(json).unwrap().survivors(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_readers_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), status in 100_u16..600) {
            let reply = Reply { status, headers: crate::egress::HeaderMap::new(), body: body.into() };
            let _ = failure(&reply);
            let _ = is_model_error(&reply);
            let _ = super::super::read::<Done>(&reply, "x");
            let _ = super::super::read::<Accepted>(&reply, "x");
        }

        #[test]
        fn no_link_makes_the_reader_panic(url in ".{0,80}") {
            let _ = place(&format!("data:{url}"), 1000);
            let _ = place(&url, 1000);
        }
    }
}
