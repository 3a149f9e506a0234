//! Settings of a bucket that would break a promise without any request failing.

use std::time::Duration;

use aws_sdk_s3::types::{BucketVersioningStatus, ExpirationStatus, ObjectLockEnabled};

use super::S3;
use super::fault::{translate, translate_list};
use crate::blobs::check::{Finding, Level, fit};
use crate::blobs::error::Error;

/// How long the bucket may take to answer at all: whoever waits for the start should soon be told why.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

impl S3 {
    /// Looks at the bucket. What a vendor does not have cannot be wrong; what it will not tell may be, and is refused. Where
    /// nothing is wrong so far, things are written into it: a bucket that is refused may keep them.
    pub(in crate::blobs) async fn check(&self) -> Result<Vec<Finding>, Error> {
        self.look().await?;
        let mut found =
            vec![Finding::when(self.vendor.conditional_writes(), Level::Warning, "conditional", || {
                format!(
                    "{} cannot refuse to overwrite; keys are random, and looked up before a write",
                    self.vendor
                )
            })];
        if self.vendor.has_bucket_settings() {
            let versioning = self.versioning().await;
            found.push(told("versioning", "s3:GetBucketVersioning", versioning)?);
            let lock = self.object_lock().await;
            found.push(told("object-lock", "s3:GetBucketObjectLockConfiguration", lock)?);
            let lifecycle = self.lifecycle().await;
            found.push(told("lifecycle", "s3:GetLifecycleConfiguration", lifecycle)?);
            if fit(&found) {
                found.extend(self.traces().await?);
            }
        }
        if fit(&found) {
            found.push(self.in_parts().await);
        }
        if fit(&found) {
            found.push(self.uploads().await?);
        }
        Ok(found)
    }

    /// Asks for one name of the bucket, whatever it is. Unlike a look at the bucket itself, a refusal of this says why.
    async fn look(&self) -> Result<(), Error> {
        const LOOK: &str = "look at the bucket";
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix).max_keys(1);
        match tokio::time::timeout(FIRST_ANSWER, list.send()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => Err(translate_list(LOOK, &e).unwrap_or(Error::NotFound)),
            Err(_) => Err(Error::Unavailable(format!("{LOOK}: no answer in time"))),
        }
    }

    async fn versioning(&self) -> Result<Finding, Error> {
        let asked = self.client.get_bucket_versioning().bucket(&self.bucket).send().await;
        let answer = asked.map_err(|e| translate("ask for versioning", &e))?;
        let (level, text) = match answer.status() {
            Some(BucketVersioningStatus::Enabled) => {
                (Level::Error, "a deleted blob lives on as an old version; switch versioning off")
            }
            Some(_) => (Level::Warning, "versioning is suspended; versions from before may live on"),
            None => return Ok(Finding::good("versioning")),
        };
        Ok(Finding { level, about: "versioning", text: text.to_owned() })
    }

    async fn object_lock(&self) -> Result<Finding, Error> {
        let asked = self.client.get_object_lock_configuration().bucket(&self.bucket).send().await;
        let answer = match asked.map_err(|e| translate("ask for object lock", &e)) {
            // No configuration is the usual answer of a bucket without locks.
            Err(Error::NotFound) => return Ok(Finding::good("object-lock")),
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
        Ok(if answer.rules().iter().filter(on).any(aborts) {
            Finding::good("lifecycle")
        } else {
            no_abort_rule()
        })
    }
}

fn no_abort_rule() -> Finding {
    let text = "no rule of the bucket aborts unfinished uploads; only the sweep does";
    Finding { level: Level::Warning, about: "lifecycle", text: text.to_owned() }
}

/// What came of a question. A store that has no such setting has nothing wrong with it; one that will not tell, or cannot be
/// understood, may have.
fn told(about: &'static str, right: &'static str, answer: Result<Finding, Error>) -> Result<Finding, Error> {
    let (level, text) = match answer {
        Ok(finding) => return Ok(finding),
        Err(Error::Unavailable(said)) => return Err(Error::Unavailable(said)),
        Err(Error::Unsupported(said)) => (Level::Warning, format!("it could not be asked: {said}")),
        Err(Error::NotFound) => (Level::Warning, "it could not be asked: 404".to_owned()),
        Err(Error::Refused(said)) => {
            (Level::Error, format!("it may not be asked ({said}); give the access key the right {right}"))
        }
        Err(e) => (Level::Error, format!("it could not be asked, so it may be as it must not: {e}")),
    };
    Ok(Finding { level, about, text })
}
