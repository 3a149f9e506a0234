//! What lies in the project's buckets in a user's folder.

use serde_json::{Value, json};

use super::{Supabase, read, refused, text};
use crate::egress::{CallLog, Method};
use crate::recipients::RecipientError;

/// Things that are asked for at once (the project may give fewer), and the most that are read.
const PAGE: usize = 1000;
const MOST: usize = 100_000;
/// How many are removed with one call.
const AT_ONCE: usize = 1000;
/// How deep folders may lie in each other.
const DEEPEST: usize = 16;

impl Supabase {
    /// Every file of a user, with its bucket and whole path.
    pub(super) async fn files(&self, id: &str, log: &CallLog) -> Result<Vec<Value>, RecipientError> {
        let mut found = Vec::new();
        for bucket in &self.config.buckets {
            let mut folders = vec![(id.to_owned(), 0)];
            while let Some((folder, depth)) = folders.pop() {
                for mut entry in self.folder(bucket, &folder, log).await? {
                    let Some(name) = text(&entry, "name") else { continue };
                    let path = format!("{folder}/{name}");
                    // Folders are not things of their own: they have no id.
                    if entry.get("id").is_none_or(Value::is_null) {
                        if depth >= DEEPEST {
                            return Err(RecipientError::Garbled("folders"));
                        }
                        folders.push((path, depth + 1));
                        continue;
                    }
                    if let Value::Object(map) = &mut entry {
                        map.insert("bucket".to_owned(), json!(bucket));
                        map.insert("path".to_owned(), json!(path));
                    }
                    found.push(entry);
                    if found.len() > MOST {
                        return Err(RecipientError::Garbled("files"));
                    }
                }
            }
        }
        Ok(found)
    }

    async fn folder(&self, bucket: &str, folder: &str, log: &CallLog) -> Result<Vec<Value>, RecipientError> {
        let url = self.at(&["storage", "v1", "object", "list", bucket]);
        let mut all = Vec::new();
        loop {
            let asked = json!({
                "prefix": folder, "limit": PAGE, "offset": all.len(),
                "sortBy": { "column": "name", "order": "asc" },
            });
            let list =
                || self.keyed(Method::POST, url.clone(), "/storage/v1/object/list/{bucket}").json(&asked);
            let reply = self.line.look(list, log).await?;
            if reply.status != 200 {
                return Err(refused(&reply));
            }
            let page: Vec<Value> = read(&reply, "files")?;
            // A short page is no end: only an empty one is.
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
            if all.len() > MOST {
                return Err(RecipientError::Garbled("files"));
            }
        }
    }

    /// Removes every file of a user, and looks whether one is left.
    pub(super) async fn remove_files(&self, id: &str, log: &CallLog) -> Result<(), RecipientError> {
        let files = self.files(id, log).await?;
        for bucket in &self.config.buckets {
            let of = |f: &&Value| text(f, "bucket") == Some(bucket);
            let paths: Vec<&str> = files.iter().filter(of).filter_map(|f| text(f, "path")).collect();
            for some in paths.chunks(AT_ONCE) {
                let url = self.at(&["storage", "v1", "object", bucket]);
                let call = self.keyed(Method::DELETE, url, "/storage/v1/object/{bucket}");
                let reply = self.line.once(call.json(&json!({ "prefixes": some })), log).await?;
                if !reply.is_success() {
                    return Err(refused(&reply));
                }
            }
        }
        if files.is_empty() || self.files(id, log).await?.is_empty() {
            return Ok(());
        }
        Err(RecipientError::Refused("a file is still there after its removal"))
    }
}
