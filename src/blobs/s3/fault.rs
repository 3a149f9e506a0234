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
        // Connected, and silent from then on.
        SdkError::DispatchFailure(failed) if failed.is_timeout() => {
            Error::Unavailable(format!("{doing}: no answer in time"))
        }
        SdkError::DispatchFailure(_) => Error::Unavailable(format!("{doing}: no connection")),
        SdkError::ResponseError(_) => Error::Unavailable(format!("{doing}: the answer broke off")),
        _ => Error::Internal(format!("{doing}: the request could not be made")),
    }
}

/// The same of a list, of which 404 does not say that a blob is not there. `None` where it says that there is nothing to
/// be listed: some stores call a list of no uploads `NoSuchUpload`.
pub(super) fn translate_list<E: ProvideErrorMetadata>(
    doing: &'static str,
    e: &SdkError<E, HttpResponse>,
) -> Option<Error> {
    match translate(doing, e) {
        Error::NotFound if e.code() == Some("NoSuchUpload") => None,
        Error::NotFound => Some(Error::Unsupported(said(doing, 404, e.code().unwrap_or("")))),
        other => Some(other),
    }
}

fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(40).collect()
}

fn said(doing: &'static str, status: u16, code: &str) -> String {
    let code = plain(code);
    match status {
        200..=299 if code.is_empty() => {
            format!("{doing}: it answered {status} with something that is not S3")
        }
        _ if code.is_empty() => format!("{doing}: {status}"),
        _ => format!("{doing}: {status} {code}"),
    }
}

fn from_answer(doing: &'static str, status: u16, code: &str) -> Error {
    let said = said(doing, status, code);
    match (status, plain(code).as_str()) {
        (_, code) if FULL.contains(&code) => Error::Full,
        (507, _) => Error::Full,
        (405 | 501, _) | (_, "NotImplemented") => Error::Unsupported(said),
        (_, "NoSuchBucket") | (401 | 403, _) => Error::Refused(said),
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
    use aws_sdk_s3::error::{ConnectorError, ErrorMetadata};
    use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsError;
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;
    use crate::base::Kind;

    type Failed = SdkError<ListMultipartUploadsError, HttpResponse>;

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

    #[test]
    fn what_says_nothing_is_told_without_a_blank_and_what_is_not_s3_as_that() {
        let text = from_answer("look at the bucket", 403, "").to_string();
        assert!(text.ends_with("look at the bucket: 403"), "{text}");
        let text = from_answer("begin an upload", 200, "").to_string();
        assert!(text.ends_with("begin an upload: it answered 200 with something that is not S3"), "{text}");
        assert!(matches!(from_answer("ask", 405, ""), Error::Unsupported(_)));
    }

    #[test]
    fn a_store_that_is_silent_is_not_said_to_be_away() {
        let silent = Failed::dispatch_failure(ConnectorError::timeout("HTTP read".into()));
        assert!(translate("look", &silent).to_string().ends_with("look: no answer in time"));
        let away = Failed::dispatch_failure(ConnectorError::io("refused".into()));
        assert!(translate("look", &away).to_string().ends_with("look: no connection"));
    }

    #[test]
    fn a_list_that_is_not_found_is_empty_or_unknown_and_never_a_missing_blob() {
        let told = |code: &str| {
            let error = ListMultipartUploadsError::generic(ErrorMetadata::builder().code(code).build());
            let answer = HttpResponse::new(404_u16.try_into().unwrap(), SdkBody::empty());
            let failed = Failed::service_error(error, answer);
            translate_list("list uploads", &failed)
        };
        assert!(told("NoSuchUpload").is_none());
        assert!(matches!(told("NoSuchBucket"), Some(Error::Refused(_))));
        let other = told("NoSuchKey");
        assert!(matches!(&other, Some(Error::Unsupported(said)) if said == "list uploads: 404 NoSuchKey"));
    }
}
