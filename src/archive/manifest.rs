//! `manifest.json`: every file with its length and SHA-256, and `manifest.sig`: a signed note over the manifest's hash.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, Contents, Controller, Error, Facts, Signer, gap, json, names};
use crate::base::{TenantId, Timestamp};
use crate::crypto::sha256;

/// Where the manifest lies in the archive.
pub const MANIFEST: &str = "manifest.json";
/// Where its signature lies.
pub const SIGNATURE: &str = "manifest.sig";
/// The schema that this program writes, and the only one it reads.
pub(super) const SCHEMA: &str = "vouchsafe/archive-manifest/1";

/// What an archive holds, file by file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `vouchsafe/archive-manifest/1`.
    pub schema: String,
    /// The service.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// Who answers for the data.
    pub controller: Controller,
    /// A pseudonym of the person.
    pub subject: String,
    /// The request that the archive answers.
    pub reference: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// The policy version then in force.
    pub policy_version: String,
    /// The key that signed `manifest.sig`, in the form of C2SP signed-note. A convenience: trust a key from elsewhere.
    pub signed_by: String,
    /// Every file but the manifest and its signature, in the order of the archive.
    pub files: Vec<Listed>,
}

/// One file in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its path in the archive.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Its media type.
    pub media_type: String,
    /// What it is.
    pub title: String,
    /// What it says of the person; absent for files that are about the archive itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<Facts>,
    /// What it was called when it was uploaded, without control characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original_name: Option<String>,
    /// Of a note in the place of a stored file that could not be read: why. Absent for every other file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing: Option<String>,
}

impl Manifest {
    /// The manifest of `contents`, whose paths are final.
    pub(super) fn of(contents: &Contents, signer: &Signer) -> Self {
        let head = contents.head.clone();
        Self {
            schema: SCHEMA.to_owned(),
            tenant: head.tenant,
            controller: head.controller,
            subject: head.subject_pseudonym,
            reference: head.reference,
            made_at: head.made_at,
            policy_version: head.policy_version,
            signed_by: signer.verifying().to_string(),
            files: contents
                .files
                .iter()
                .map(|f| {
                    let (bytes, hash) = match &f.body {
                        Body::Bytes(b) | Body::Gap(b) => (b.len() as u64, sha256(b)),
                        Body::Stored(s) => (s.len, s.sha256),
                    };
                    Listed {
                        path: f.path.clone(),
                        bytes,
                        sha256: hex::encode(hash),
                        media_type: f.media_type.clone(),
                        title: f.title.clone(),
                        data: f.facts.clone(),
                        original_name: f.original_name.as_deref().map(names::shown),
                        missing: matches!(f.body, Body::Gap(_)).then(|| gap::WHY.to_owned()),
                    }
                })
                .collect(),
        }
    }

    /// Its bytes as they lie in the archive.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Error> {
        json::write(self).map_err(|_| Error::Unwritable(MANIFEST))
    }
}

/// The text that is signed. Its first line keeps it apart from anything else this service signs.
pub(super) fn note(tenant: &str, reference: &str, manifest: &[u8]) -> String {
    let reference: String = reference.chars().filter(|c| !c.is_control()).collect();
    let mut out = format!("vouchsafe/take-home/1\n{tenant}\n{reference}\n");
    let _ = writeln!(out, "{}", hex::encode(sha256(manifest)));
    out
}
