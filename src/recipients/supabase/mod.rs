//! Supabase: the login that its Auth service holds of a person, and what lies in the project's own buckets in their name.
//!
//! Files first, then the user: a user who still owns files cannot be deleted there. Then what the deletion itself writes
//! down: the log of Supabase Auth names the person whom it deleted.

mod auth;
mod files;

use std::time::Duration;

use serde_json::{Value, json};

use super::line::{Line, join, read};
use super::{Correction, Erased, Export, Memory, Proof, RecipientError};
use crate::base::{Clock, Secret};
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Recipient, Reply, Url};

/// Where a Supabase project is and how it is to be used.
#[derive(Debug, Clone)]
pub struct SupabaseConfig {
    /// The project, `https://<ref>.supabase.co`.
    pub project: Url,
    /// The secret key (`sb_secret_…`, or the older `service_role` token).
    pub key: Secret<String>,
    /// Buckets in which the app keeps things of a person in a folder that bears the user's id.
    pub buckets: Vec<String>,
    /// A database function that removes what Auth's log says of a user: the log cannot be written to by any other call.
    pub log_cleaner: Option<String>,
    /// The wait before the first repetition of a read.
    pub pause: Duration,
}

impl SupabaseConfig {
    /// A project with nothing but logins.
    pub fn new(project: Url, key: Secret<String>) -> Self {
        let pause = Duration::from_millis(200);
        Self { project, key, buckets: Vec::new(), log_cleaner: None, pause }
    }

    /// The places that the egress client must allow.
    pub fn recipient(&self) -> Result<Recipient, EgressError> {
        Recipient::named(Supabase::NAME).base(&self.project)
    }
}

/// A Supabase project.
#[derive(Debug)]
pub struct Supabase {
    config: SupabaseConfig,
    line: Line,
    clock: Clock,
}

/// Whether Supabase could call a user this: a UUID in its usual form.
pub(super) fn is_user(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::parse_str(id).is_ok_and(|u| u.hyphenated().to_string() == id)
}

impl Supabase {
    /// Its name in the documents.
    pub const NAME: &str = "supabase";

    /// A client over `egress`, which must allow [`SupabaseConfig::recipient`].
    pub fn new(config: SupabaseConfig, egress: Egress, clock: Clock) -> Self {
        let line = Line::new(egress, Self::NAME, config.pause);
        Self { config, line, clock }
    }

    /// The issuer whose tokens name this project's users.
    pub fn issuer(&self) -> String {
        format!("{}/auth/v1", self.config.project.as_str().trim_end_matches('/'))
    }

    pub(super) async fn greet(&self, log: &CallLog) -> Result<(), RecipientError> {
        self.user(&uuid::Uuid::nil().hyphenated().to_string(), log).await.map(|_| ())
    }

    pub(super) async fn export(&self, id: &str, log: &CallLog) -> Result<Export, RecipientError> {
        let mut export = Export::default();
        let user = self.user(id, log).await?;
        let email = user.as_ref().and_then(|u| text(u, "email")).unwrap_or_default().to_owned();
        if let Some(mut user) = user {
            let identities = take(&mut user, "identities");
            export.add("user", vec![user]);
            export.add("identities", identities);
            export.add("factors", self.factors(id, log).await?);
        }
        export.add("log", self.log_of(id, &email, log).await?);
        export.add("files", self.files(id, log).await?);
        Ok(export)
    }

    pub(super) async fn correct(
        &self,
        id: &str,
        new: &Correction,
        log: &CallLog,
    ) -> Result<Option<Proof>, RecipientError> {
        let Some(user) = self.user(id, log).await? else { return Ok(None) };
        let agrees = |u: &Value| {
            text(u, "email").is_some_and(|e| e.eq_ignore_ascii_case(&new.email))
                && u.pointer("/user_metadata/name").and_then(Value::as_str) == Some(&new.name)
                && u.pointer("/user_metadata/username").and_then(Value::as_str) == Some(&new.username)
        };
        if !agrees(&user) {
            let called = json!({ "name": new.name, "username": new.username });
            let moved = text(&user, "email").is_none_or(|e| !e.eq_ignore_ascii_case(&new.email));
            // An app's word for an address is no proof that anybody reads what is sent there.
            let change = match (moved, new.confirmed) {
                (false, _) => json!({ "user_metadata": called }),
                (true, false) => json!({ "user_metadata": called, "email": new.email }),
                (true, true) => json!({ "user_metadata": called, "email": new.email, "email_confirm": true }),
            };
            self.put_user(id, &change, log).await?;
        }
        match self.user(id, log).await? {
            Some(user) if agrees(&user) => Ok(Some(Proof::Corrected)),
            Some(_) => Err(RecipientError::Garbled("user after the correction")),
            None => Ok(None),
        }
    }

    pub(super) async fn erase(
        &self,
        id: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Erased, RecipientError> {
        let mut proofs = Vec::new();
        if let Some(user) = self.user(id, log).await? {
            // An address that was scrambled by a soft deletion says nothing.
            let whole = user.get("deleted_at").is_none_or(Value::is_null);
            if whole && memory.email.is_none() {
                // What its log says of them is found by the address, which goes with the user: kept before anything is
                // removed.
                memory.email = Some(text(&user, "email").unwrap_or_default().to_owned());
                return Ok(Erased::Waiting { until: self.clock.now(), why: "it has just been asked" });
            }
            if whole {
                // Nobody signs in while their things are removed.
                self.put_user(id, &json!({ "ban_duration": "87600h" }), log).await?;
            }
            self.remove_files(id, log).await?;
            self.delete_user(id, log).await?;
            if self.user(id, log).await?.is_some() {
                return Err(RecipientError::Refused("the user is still there after the deletion"));
            }
            proofs.push(Proof::Deleted);
        } else {
            self.remove_files(id, log).await?;
            proofs.push(Proof::Unknown);
        }
        if !self.config.buckets.is_empty() {
            proofs.push(Proof::FilesGone);
        }
        let email = memory.email.clone().unwrap_or_default();
        if let Some(function) = &self.config.log_cleaner {
            self.clean_log(function, id, &email, log).await?;
        }
        if !self.log_of(id, &email, log).await?.is_empty() {
            return Err(RecipientError::Refused("its log still names the person"));
        }
        proofs.push(Proof::LogClean);
        Ok(Erased::Proven(proofs))
    }

    fn at(&self, path: &[&str]) -> Url {
        join(&self.config.project, path)
    }

    fn keyed(&self, method: Method, url: Url, pattern: &'static str) -> Call {
        let call = self.line.call(method, url, pattern).secret_header("apikey", &self.config.key);
        let call = call.header("x-supabase-api-version", "2024-01-01");
        // The newer keys are no tokens and must not stand where tokens do; the older ones must.
        if self.config.key.expose().starts_with("eyJ") {
            return call.authorization("Bearer", &self.config.key);
        }
        call
    }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

fn take(value: &mut Value, field: &str) -> Vec<Value> {
    match value.get_mut(field).map(Value::take) {
        Some(Value::Array(all)) => all,
        _ => Vec::new(),
    }
}

fn refused(reply: &Reply) -> RecipientError {
    match reply.status {
        403 => RecipientError::Unauthorised,
        404 => RecipientError::Refused("it does not know what was asked for"),
        _ => RecipientError::Refused("a step that it does not take"),
    }
}
