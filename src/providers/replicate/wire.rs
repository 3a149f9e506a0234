//! What Replicate's answers look like.

use serde::Deserialize;
use serde_json::Value;

use super::{Failure, State};
use crate::base::Timestamp;
use crate::egress::Url;

/// A prediction. Texts that may echo the user's (logs, error) are not kept, but for a flag.
#[derive(Deserialize)]
pub(super) struct Prediction {
    pub(super) id: String,
    pub(super) model: Option<String>,
    status: String,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    data_removed: bool,
    completed_at: Option<String>,
    created_at: Option<String>,
}

impl Prediction {
    pub(super) fn state(&self) -> State {
        match self.status.as_str() {
            "starting" => State::Queued(None),
            "succeeded" if self.data_removed => State::Gone,
            "succeeded" => State::Done,
            "failed" => State::Failed(Failure::Fault),
            "canceled" => State::Failed(Failure::Cancelled),
            // The deadline came before the start.
            "aborted" => State::Failed(Failure::TimedOut),
            // `processing`, and whatever they will add: not ended as far as we know.
            _ => State::Running,
        }
    }

    /// Where the results are, as links or `data:` URLs: one string for Kontext, a list for other models.
    pub(super) fn outputs(&self) -> Option<Vec<&str>> {
        let texts: Vec<&str> = match &self.output {
            Value::String(one) => vec![one.as_str()],
            Value::Array(many) => many.iter().map(Value::as_str).collect::<Option<_>>()?,
            _ => return None,
        };
        ((1..=4).contains(&texts.len()) && texts.iter().any(|t| Url::parse(t).is_ok())).then_some(texts)
    }

    pub(super) fn seed(&self) -> Option<u64> {
        self.input.get("seed")?.as_u64()
    }

    pub(super) fn prompt(&self) -> Option<&str> {
        self.input.get("prompt")?.as_str()
    }

    /// True if it says that its data were removed, and shows none.
    pub(super) fn is_empty(&self) -> bool {
        let nothing = |v: &Value| {
            v.is_null()
                || v.as_object().is_some_and(serde_json::Map::is_empty)
                || v.as_array().is_some_and(Vec::is_empty)
        };
        self.data_removed && nothing(&self.output) && nothing(&self.input)
    }

    /// When it ended, or if that is not told, when it began.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        let text = self.completed_at.as_deref().or(self.created_at.as_deref())?;
        Timestamp::parse_rfc3339(text)
    }
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Listed<T> {
    pub(super) results: Vec<T>,
    pub(super) next: Option<String>,
}

/// An uploaded file.
#[derive(Deserialize)]
pub(super) struct File {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) urls: FileLinks,
}

/// A file's links.
#[derive(Deserialize)]
pub(super) struct FileLinks {
    pub(super) get: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(rest: &str) -> Prediction {
        serde_json::from_str(&format!(r#"{{"id":"p1",{rest}}}"#)).unwrap()
    }

    #[test]
    fn every_status_has_a_meaning_and_a_new_one_is_not_an_end() {
        for (status, state) in [
            ("starting", State::Queued(None)),
            ("processing", State::Running),
            ("succeeded", State::Done),
            ("failed", State::Failed(Failure::Fault)),
            ("canceled", State::Failed(Failure::Cancelled)),
            ("aborted", State::Failed(Failure::TimedOut)),
            ("thinking", State::Running),
        ] {
            assert_eq!(prediction(&format!(r#""status":"{status}""#)).state(), state, "{status}");
        }
        assert_eq!(prediction(r#""status":"succeeded","data_removed":true"#).state(), State::Gone);
    }

    #[test]
    fn an_output_is_a_string_or_a_list_of_strings() {
        let count = |output: &str| {
            prediction(&format!(r#""status":"succeeded","output":{output}"#)).outputs().map(|o| o.len())
        };
        assert_eq!(count(r#""https://replicate.delivery/a.png""#), Some(1));
        assert_eq!(
            count(r#"["https://replicate.delivery/a.png","https://replicate.delivery/b.png"]"#),
            Some(2)
        );
        for odd in ["null", "[]", "[1]", "{}", r#""nonsense""#] {
            assert_eq!(count(odd), None, "{odd}");
        }
    }

    #[test]
    fn removed_means_said_and_seen() {
        assert!(
            prediction(r#""status":"succeeded","data_removed":true,"output":null,"input":{}"#).is_empty()
        );
        for left in [
            r#""data_removed":true,"output":"https://x/""#,
            r#""data_removed":true,"input":{"prompt":"a"}"#,
            r#""data_removed":false"#,
        ] {
            assert!(!prediction(&format!(r#""status":"succeeded",{left}"#)).is_empty(), "{left}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(text in ".{0,200}", output in ".{0,40}") {
            let _ = serde_json::from_str::<Prediction>(&text);
            let json = serde_json::json!({"id": "p", "status": text, "output": output, "completed_at": output});
            if let Ok(p) = serde_json::from_value::<Prediction>(json) {
                let _ = (p.state(), p.outputs(), p.ended(), p.is_empty(), p.seed());
            }
        }
    }
}
