//! What an S3 error means to us.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::blobs::error::Error;

/// Codes of stores that ran out of room.
const FULL: [&str; 5] =
    ["EntityTooLarge", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "ServiceQuotaExceeded"];

/// Translates, keeping the operation, the status and the code: never a key, a bucket or the message of the store.
pub(super) fn translate<E: ProvideErrorMetadata>(
    doing: &'static str,
    e: &SdkError<E, HttpResponse>,
) -> Error {
    match e {
        SdkError::ServiceError(answer) => {
            from_answer(doing, answer.raw().status().as_u16(), answer.err().code().unwrap_or(""))
        }
        SdkError::TimeoutError(_) => Error::Unavailable(format!("{doing}: no answer in time")),
        SdkError::DispatchFailure(_) => Error::Unavailable(format!("{doing}: no connection")),
        SdkError::ResponseError(_) => Error::Unavailable(format!("{doing}: the answer broke off")),
        _ => Error::Internal(format!("{doing}: the request could not be made")),
    }
}

fn from_answer(doing: &'static str, status: u16, code: &str) -> Error {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let said = format!("{doing}: {status} {code}");
    match (status, code.as_str()) {
        (_, code) if FULL.contains(&code) => Error::Full,
        (507, _) => Error::Full,
        (_, "NoSuchBucket") | (401 | 403 | 405 | 501, _) => Error::Refused(said),
        (404, _) => Error::NotFound,
        (412, _) => Error::Exists,
        (416, _) => Error::OutOfRange,
        (400, "RequestTimeout" | "IncompleteBody") | (408 | 409 | 425 | 429 | 500..=599, _) => {
            Error::Unavailable(said)
        }
        _ => Error::Internal(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;

    #[test]
    fn an_answer_is_sorted_by_what_can_be_done_about_it() {
        for (status, code, kind) in [
            (404, "NoSuchKey", Kind::NotFound),
            (404, "NoSuchBucket", Kind::Upstream),
            (403, "ObjectLockedByBucketPolicy", Kind::Upstream),
            (412, "PreconditionFailed", Kind::Conflict),
            (409, "ConditionalRequestConflict", Kind::Unavailable),
            (416, "InvalidRange", Kind::Invalid),
            (429, "TooManyRequests", Kind::Unavailable),
            (503, "SlowDown", Kind::Unavailable),
            (507, "", Kind::Full),
            (400, "EntityTooLarge", Kind::Full),
            (501, "NotImplemented", Kind::Upstream),
            (400, "InvalidPart", Kind::Internal),
        ] {
            assert_eq!(from_answer("put", status, code).kind(), kind, "{status} {code}");
        }
        let text = from_answer("put", 403, "Access<script>Denied\n").to_string();
        assert!(text.ends_with("put: 403 AccessscriptDenied"), "{text}");
    }
}
