//! Documents from their folder: what is published is known from the database, what is new is taken up or left.

use std::path::{Path, PathBuf};

use super::{App, Error};
use crate::base::{EntryId, TenantId, Timestamp};
use crate::policy::{Changed, Policy};
use crate::publication::{self, Outcome};
use crate::store;

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

/// A document of the folder that is not published, and is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// The tenant.
    pub tenant: TenantId,
    /// The version.
    pub version: String,
}

impl App {
    /// Takes up what is published, and then the documents of the folder: those of a tenant without any published version
    /// are published, in the order of their days, for nobody is there yet who would have to be told. A later version
    /// waits for somebody to publish it, and is not used until then; a published version with another text stops the
    /// start. What is not used is listed.
    pub async fn take_up(&self) -> Result<(), Error> {
        let mut documents = self.documents.clone();
        self.publications.refresh().await?;
        let founded = self.library.tenants();
        documents.sort_by_key(Policy::effective);
        let (mut unpublished, mut fresh) = (Vec::new(), false);
        for document in documents {
            let (tenant, version) = (document.tenant().clone(), document.version().to_owned());
            match self.library.version(&tenant, &version) {
                Some(known) if known.hash() == document.hash() => {}
                Some(_) => return Err(Changed { tenant, version }.into()),
                None if founded.contains(&tenant) => {
                    tracing::warn!(
                        %tenant,
                        version,
                        "a document in the folder is not published and not used: see `vouchsafe policy publish`"
                    );
                    unpublished.push(Unpublished { tenant, version });
                }
                None => {
                    self.found(&document).await?;
                    fresh = true;
                }
            }
        }
        if self.library.tenants().is_empty() {
            return Err(Error::NoDocuments(self.config.data.policies.clone()));
        }
        if fresh {
            self.ledger.sequence().await?;
        }
        // A service that was shut takes them up once more than it would otherwise; the first list stands.
        let _set_once = self.unpublished.set(unpublished);
        Ok(())
    }

    /// Writes down once more, in a restored database, that a version was published, from the document in the folder.
    /// [`Changed`] when another text is published, [`Error::DocumentLost`] when it is not there: what was promised is
    /// not known then.
    pub async fn published_again(
        &self,
        (tenant, version, sha256): (&TenantId, &str, &str),
        at: Timestamp,
        entry: EntryId,
    ) -> Result<bool, Error> {
        let is_it =
            |p: &Policy| p.tenant() == tenant && p.version() == version && hex::encode(p.hash()) == sha256;
        match self.library.version(tenant, version) {
            Some(known) if is_it(&known) => return Ok(false),
            Some(_) => return Err(Changed { tenant: tenant.clone(), version: version.to_owned() }.into()),
            None => {}
        }
        let Some(document) = self.documents.iter().find(|p| is_it(p)) else {
            return Err(Error::DocumentLost { tenant: tenant.clone(), version: version.to_owned() });
        };
        Ok(self.publications.publish_again(document, at, entry).await?)
    }

    /// Publishes a document of a tenant that nobody published for before.
    async fn found(&self, document: &Policy) -> Result<(), Error> {
        match self.publications.publish(document, None).await {
            Ok(Outcome::Published(..) | Outcome::Known(_) | Outcome::Proposed(..)) => Ok(()),
            Ok(Outcome::Refused(outlook)) => {
                let first = outlook.obstacles.first().map(ToString::to_string).unwrap_or_default();
                Err(Error::NotPublished { version: document.version().to_owned(), why: first })
            }
            // Another replica began at the same moment, with the same folder or another.
            Err(publication::Error::Overtaken | publication::Error::Store(store::Error::Duplicate)) => {
                self.publications.refresh().await?;
                match self.library.version(document.tenant(), document.version()) {
                    Some(known) if known.hash() == document.hash() => Ok(()),
                    Some(_) => {
                        let (tenant, version) = (document.tenant().clone(), document.version().to_owned());
                        Err(Changed { tenant, version }.into())
                    }
                    None => Err(publication::Error::Overtaken.into()),
                }
            }
            Err(e) => Err(e.into()),
        }
    }
}
