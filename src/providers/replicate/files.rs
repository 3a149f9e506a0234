//! Uploads: made only for pictures that are too large to go inside a request, under the job's pseudonym, and deleted.

use super::wire::{File, Listed};
use super::{Replicate, refusal, unexpected};
use crate::egress::{CallLog, Method};
use crate::providers::line::read;
use crate::providers::model::{is_id, join};
use crate::providers::{Format, Intent, ProviderError, Pseudonym};

/// The most pages of the list that are searched.
const PAGES: usize = 10;

impl Replicate {
    /// Uploads one picture. A lost answer is [`ProviderError::Unknown`]: the file may land after everything that is asked
    /// now, so it is for [`Replicate::reconcile`] to look for it by its name, some minutes later.
    pub(super) async fn upload(
        &self,
        intent: &Intent,
        n: usize,
        format: Format,
        bytes: &[u8],
        log: &CallLog,
    ) -> Result<File, ProviderError> {
        let name = format!("{}-{n}", intent.pseudonym.as_str());
        let boundary = self.entropy.token();
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{name}\"\r\n\
             Content-Type: {}\r\n\r\n",
            format.media_type()
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let url = join(&self.config.api, &["files"]);
        let call = self
            .keyed(Method::POST, &url, "/files")
            .body(&format!("multipart/form-data; boundary={boundary}"), body);
        let reply = match self.line.once(call, log).await {
            Err(ProviderError::Unknown) => {
                // What is there already need not wait for that.
                if let Ok(lost) = self.uploads(intent, log).await {
                    self.drop_files(&lost, log).await;
                }
                return Err(ProviderError::Unknown);
            }
            other => other?,
        };
        match reply.status {
            // What cannot be read may be a file that lies there all the same.
            200..300 => read(&reply, "file").map_err(|_| ProviderError::Unknown),
            403 => Err(ProviderError::Unauthorised),
            400..500 => Err(ProviderError::Refused(refusal(&reply))),
            // A fault of theirs may have come after the file did.
            _ => Err(ProviderError::Unknown),
        }
    }

    /// The ids of the files uploaded under the job's pseudonym.
    pub(super) async fn uploads(&self, intent: &Intent, log: &CallLog) -> Result<Vec<String>, ProviderError> {
        self.uploads_of(&intent.pseudonym, log).await
    }

    /// The ids of the files uploaded under a pseudonym. A list that is not read to its end is an error: it would say that
    /// there are none.
    pub(super) async fn uploads_of(
        &self,
        name: &Pseudonym,
        log: &CallLog,
    ) -> Result<Vec<String>, ProviderError> {
        let mut next = Some(join(&self.config.api, &["files"]));
        let mut own = Vec::new();
        for _ in 0..PAGES {
            let Some(url) = next.take() else { return Ok(own) };
            let reply = self.line.repeat(|| self.keyed(Method::GET, &url, "/files"), log).await?;
            if reply.status != 200 {
                return Err(unexpected(reply.status));
            }
            let page: Listed<File> = read(&reply, "files")?;
            let ours = |f: &File| is_id(&f.id) && f.name.starts_with(name.as_str());
            own.extend(page.results.into_iter().filter(ours).map(|f| f.id));
            next = self.own_page(page.next.as_deref())?;
        }
        if next.is_none() { Ok(own) } else { Err(ProviderError::Garbled("files without end")) }
    }

    /// Deletes one file; true if it is certainly gone.
    pub(super) async fn delete_file(&self, id: &str, log: &CallLog) -> Result<bool, ProviderError> {
        let url = join(&self.config.api, &["files", id]);
        let reply = self.line.repeat(|| self.keyed(Method::DELETE, &url, "/files/{id}"), log).await?;
        match reply.status {
            200..300 | 404 => {}
            status => return Err(unexpected(status)),
        }
        let reply = self.line.repeat(|| self.keyed(Method::GET, &url, "/files/{id}"), log).await?;
        Ok(reply.status == 404)
    }

    /// Deletes files; true if all of them are certainly gone.
    pub(super) async fn drop_files(&self, ids: &[String], log: &CallLog) -> bool {
        let mut gone = true;
        for id in ids {
            gone &= matches!(self.delete_file(id, log).await, Ok(true));
        }
        gone
    }
}
