//! Settings of a bucket that would break a promise without any request failing.

use aws_sdk_s3::types::{BucketVersioningStatus, ExpirationStatus, ObjectLockEnabled};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::S3;
use super::fault::translate;
use super::put::put;
use crate::blobs::check::{Finding, Level};
use crate::blobs::error::Error;
use crate::blobs::key::BlobKey;
use crate::blobs::settings::MIN_PART;

impl S3 {
    /// Looks at the bucket. What a vendor does not have cannot be wrong; what it will not tell is a warning. Where nothing
    /// is wrong so far, a blob goes through it in two parts: a small one, such as follows this, would not show that large
    /// ones are refused.
    pub(in crate::blobs) async fn check(&self) -> Result<Vec<Finding>, Error> {
        let asked = self.client.head_bucket().bucket(&self.bucket).send().await;
        asked.map_err(|e| match translate("look at the bucket", &e) {
            Error::NotFound => Error::Refused("look at the bucket: there is none of this name".to_owned()),
            e => e,
        })?;
        let mut found =
            vec![Finding::when(self.vendor.conditional_writes(), Level::Warning, "conditional", || {
                format!(
                    "{} cannot refuse to overwrite; keys are random, and looked up before a write",
                    self.vendor
                )
            })];
        if self.vendor.has_bucket_settings() {
            found.push(told("versioning", self.versioning().await));
            found.push(told("object-lock", self.object_lock().await));
            found.push(told("lifecycle", self.lifecycle().await));
        }
        // A bucket that is refused may keep what is written into it.
        if found.iter().all(|f| f.level < Level::Error) {
            let unwritten = |e: Error| Finding {
                level: Level::Error,
                about: "parts",
                text: format!("a blob in two parts could not be stored: {e}"),
            };
            found.push(self.in_parts().await.map_or_else(unwritten, |()| good("parts")));
        }
        Ok(found)
    }

    /// Writes and deletes a blob in two parts, the first as short as S3 lets it be whatever the settings say.
    async fn in_parts(&self) -> Result<(), Error> {
        let key = BlobKey::new(&self.entropy);
        let piece = Bytes::copy_from_slice(&self.entropy.bytes::<1024>());
        let pieces = (0..=MIN_PART / piece.len()).map(move |_| Ok::<_, Error>(piece.clone()));
        put(self, &key, stream::iter(pieces).boxed(), MIN_PART).await?;
        self.delete(&key).await.map(|_| ())
    }

    async fn versioning(&self) -> Result<Finding, Error> {
        let asked = self.client.get_bucket_versioning().bucket(&self.bucket).send().await;
        let answer = asked.map_err(|e| translate("ask for versioning", &e))?;
        let (level, text) = match answer.status() {
            Some(BucketVersioningStatus::Enabled) => {
                (Level::Error, "a deleted blob lives on as an old version; switch versioning off")
            }
            Some(_) => (Level::Warning, "versioning is suspended; versions from before may live on"),
            None => return Ok(good("versioning")),
        };
        Ok(Finding { level, about: "versioning", text: text.to_owned() })
    }

    async fn object_lock(&self) -> Result<Finding, Error> {
        let asked = self.client.get_object_lock_configuration().bucket(&self.bucket).send().await;
        let answer = match asked.map_err(|e| translate("ask for object lock", &e)) {
            // No configuration is the usual answer of a bucket without locks.
            Err(Error::NotFound) => return Ok(good("object-lock")),
            answer => answer?,
        };
        let on = answer.object_lock_configuration().and_then(|lock| lock.object_lock_enabled());
        Ok(Finding::when(on != Some(&ObjectLockEnabled::Enabled), Level::Error, "object-lock", || {
            "a locked blob cannot be erased when it is due; use a bucket without object lock".to_owned()
        }))
    }

    async fn lifecycle(&self) -> Result<Finding, Error> {
        let asked = self.client.get_bucket_lifecycle_configuration().bucket(&self.bucket).send().await;
        let answer = match asked.map_err(|e| translate("ask for lifecycle rules", &e)) {
            Err(Error::NotFound) => return Ok(no_abort_rule()),
            answer => answer?,
        };
        let on = |rule: &&aws_sdk_s3::types::LifecycleRule| *rule.status() == ExpirationStatus::Enabled;
        if answer.rules().iter().filter(on).any(|rule| rule.expiration().is_some()) {
            let text =
                "a rule of the bucket deletes objects by age; only the policy may decide when a blob goes";
            return Ok(Finding { level: Level::Error, about: "lifecycle", text: text.to_owned() });
        }
        let aborts =
            |rule: &aws_sdk_s3::types::LifecycleRule| rule.abort_incomplete_multipart_upload().is_some();
        Ok(if answer.rules().iter().filter(on).any(aborts) { good("lifecycle") } else { no_abort_rule() })
    }
}

fn good(about: &'static str) -> Finding {
    Finding { level: Level::Good, about, text: String::new() }
}

fn no_abort_rule() -> Finding {
    let text = "no rule of the bucket aborts unfinished uploads; only the sweep does";
    Finding { level: Level::Warning, about: "lifecycle", text: text.to_owned() }
}

fn told(about: &'static str, answer: Result<Finding, Error>) -> Finding {
    answer.unwrap_or_else(|e| Finding {
        level: Level::Warning,
        about,
        text: format!("it could not be asked: {e}"),
    })
}
