//! Documents from their folder into the library, and their publication on the ledger.

use std::path::{Path, PathBuf};

use super::{App, Error};
use crate::ledger::{Entry, EntryKind};
use crate::on;
use crate::policy::{Library, Policy};
use crate::store;

const KNOWN: &str = super::sql::VERSION_HASH;

/// A document that was published just now.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The tenant.
    pub tenant: String,
    /// The version.
    pub version: String,
}

/// Reads every `<folder>/<tenant>/<date>.md`.
pub fn load_documents(folder: &Path) -> Result<Vec<Policy>, Error> {
    let mut documents = Vec::new();
    for tenant in entries(folder)? {
        if !tenant.is_dir() || tenant.file_name().is_some_and(|n| n == "law") {
            continue;
        }
        for path in entries(&tenant)? {
            if path.extension().is_some_and(|e| e == "md") {
                documents.push(load(&path)?);
            }
        }
    }
    if documents.is_empty() {
        return Err(Error::NoDocuments(folder.to_owned()));
    }
    Ok(documents)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let fail = |e| Error::Folder(folder.to_owned(), e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        found.push(entry.map_err(fail)?.path());
    }
    found.sort();
    Ok(found)
}

fn load(path: &Path) -> Result<Policy, Error> {
    let source = std::fs::read_to_string(path).map_err(|e| Error::Folder(path.to_owned(), e))?;
    Policy::compile(&source).map_err(|diagnostics| Error::Document {
        path: path.to_owned(),
        errors: diagnostics.iter().filter(|d| d.is_error()).count(),
        first: diagnostics
            .iter()
            .find(|d| d.is_error())
            .map(|d| format!("line {}: {}", d.line, d.message))
            .unwrap_or_default(),
    })
}

/// A library of documents.
pub(super) fn library(documents: Vec<Policy>) -> Result<Library, Error> {
    let library = Library::new();
    for document in documents {
        library.add(document)?;
    }
    Ok(library)
}

impl App {
    /// Publishes what is in the library and not on the ledger yet. A version that was published with another text is an
    /// error, and the service does not start.
    pub async fn publish(&self) -> Result<Vec<Publication>, Error> {
        let mut fresh = Vec::new();
        for tenant in self.library.tenants() {
            for policy in self.library.versions(&tenant) {
                if self.publish_one(&policy).await? {
                    let version = policy.version().to_owned();
                    fresh.push(Publication { tenant: tenant.to_string(), version });
                }
            }
        }
        if !fresh.is_empty() {
            self.ledger.sequence().await?;
        }
        Ok(fresh)
    }

    async fn publish_one(&self, policy: &Policy) -> Result<bool, Error> {
        let mut tx = self.db.begin().await?;
        let known: Option<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(KNOWN)
            .bind(policy.tenant().as_str())
            .bind(policy.version())
            .fetch_optional(c)
            .await)
        .map_err(store::Error::from)?;
        if let Some((hash,)) = known {
            return if hash == policy.hash() {
                Ok(false)
            } else {
                let tenant = policy.tenant().clone();
                Err(crate::policy::Changed { tenant, version: policy.version().to_owned() }.into())
            };
        }
        let now = self.clock.now();
        let hash = hex::encode(policy.hash());
        let entry = Entry::new(EntryKind::POLICY_PUBLISHED, now, policy.tenant(), "admin")
            .fact("version", policy.version())
            .fact("sha256", hash.as_str());
        let appended = self.ledger.append(&mut tx, entry).await?;
        let effective = policy.effective().and_time(chrono::NaiveTime::MIN).and_utc();
        on!(tx, |c| sqlx::query(super::sql::PUBLISH)
            .bind(policy.tenant().as_str())
            .bind(policy.version())
            .bind(effective.timestamp_micros())
            .bind(policy.hash().as_slice())
            .bind(policy.source())
            .bind(now.micros())
            .bind(appended.id.to_string())
            .execute(c)
            .await
            .map(|_| ()))
        .map_err(store::Error::from)?;
        tx.commit().await?;
        Ok(true)
    }
}
