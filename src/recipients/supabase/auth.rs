//! Supabase Auth's admin API.

use serde_json::{Value, json};

use super::{Supabase, is_user, read, refused, text};
use crate::egress::{CallLog, Method};
use crate::recipients::RecipientError;

/// Lines of the log that are asked for at once (the project may give fewer), and the most pages that are read.
const PAGE: usize = 1000;
const MOST_PAGES: usize = 2000;

impl Supabase {
    /// A user; `None` if there is none by that id.
    pub(super) async fn user(&self, id: &str, log: &CallLog) -> Result<Option<Value>, RecipientError> {
        if !is_user(id) {
            return Err(RecipientError::Refused("not a user id"));
        }
        let url = self.at(&["auth", "v1", "admin", "users", id]);
        let get = || self.keyed(Method::GET, url.clone(), "/auth/v1/admin/users/{id}");
        let reply = self.line.look(get, log).await?;
        match reply.status {
            200 => {
                let user: Value = read(&reply, "user")?;
                if text(&user, "id") == Some(id) {
                    Ok(Some(user))
                } else {
                    Err(RecipientError::Garbled("user"))
                }
            }
            // Another 404 would be a wrong address, and no proof of anything.
            404 if names(&reply.body, "user_not_found") => Ok(None),
            404 => Err(RecipientError::Garbled("answer for a missing user")),
            _ => Err(refused(&reply)),
        }
    }

    pub(super) async fn factors(&self, id: &str, log: &CallLog) -> Result<Vec<Value>, RecipientError> {
        let url = self.at(&["auth", "v1", "admin", "users", id, "factors"]);
        let get = || self.keyed(Method::GET, url.clone(), "/auth/v1/admin/users/{id}/factors");
        let reply = self.line.look(get, log).await?;
        if reply.status != 200 {
            return Err(refused(&reply));
        }
        match read(&reply, "factors")? {
            Value::Array(all) => Ok(all),
            Value::Null => Ok(Vec::new()),
            _ => Err(RecipientError::Garbled("factors")),
        }
    }

    pub(super) async fn put_user(
        &self,
        id: &str,
        change: &Value,
        log: &CallLog,
    ) -> Result<(), RecipientError> {
        let url = self.at(&["auth", "v1", "admin", "users", id]);
        let call = self.keyed(Method::PUT, url, "/auth/v1/admin/users/{id}").json(change);
        let reply = self.line.once(call, log).await?;
        if reply.status == 200 { Ok(()) } else { Err(refused(&reply)) }
    }

    /// Deletes a user for good. One who is gone already is gone.
    pub(super) async fn delete_user(&self, id: &str, log: &CallLog) -> Result<(), RecipientError> {
        let url = self.at(&["auth", "v1", "admin", "users", id]);
        let call = self.keyed(Method::DELETE, url, "/auth/v1/admin/users/{id}");
        let reply = self.line.once(call.json(&json!({ "should_soft_delete": false })), log).await?;
        match reply.status {
            200 => Ok(()),
            404 if names(&reply.body, "user_not_found") => Ok(()),
            _ => Err(refused(&reply)),
        }
    }

    /// What Auth's log says of a person, by id or address.
    pub(super) async fn log_of(
        &self,
        id: &str,
        email: &str,
        log: &CallLog,
    ) -> Result<Vec<Value>, RecipientError> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut url = self.at(&["auth", "v1", "admin", "audit"]);
            let asked = [("page", page.to_string()), ("per_page", PAGE.to_string())];
            url.query_pairs_mut().extend_pairs(&asked);
            let reply =
                self.line.look(|| self.keyed(Method::GET, url.clone(), "/auth/v1/admin/audit"), log).await?;
            if reply.status != 200 {
                return Err(refused(&reply));
            }
            let lines: Vec<Value> = read::<Option<Vec<Value>>>(&reply, "log")?.unwrap_or_default();
            // A short page is no end: only an empty one is.
            if lines.is_empty() {
                return Ok(found);
            }
            found.extend(lines.into_iter().filter(|line| speaks_of(line, id, email)));
        }
        Err(RecipientError::Refused("its log is too long to be looked through"))
    }

    /// Has the project's own function remove what the log says of a person.
    pub(super) async fn clean_log(
        &self,
        function: &str,
        id: &str,
        email: &str,
        log: &CallLog,
    ) -> Result<(), RecipientError> {
        let url = self.at(&["rest", "v1", "rpc", function]);
        let asked = json!({ "user_id": id, "user_email": email });
        let reply = self
            .line
            .once(self.keyed(Method::POST, url, "/rest/v1/rpc/{function}").json(&asked), log)
            .await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(RecipientError::Refused("the function that cleans its log"))
        }
    }
}

/// Whether an error body bears this code, in the newer form or the older.
fn names(body: &[u8], code: &str) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    text(&body, "code") == Some(code) || text(&body, "error_code") == Some(code)
}

/// Whether any value in a line of the log is the person's id or address.
fn speaks_of(line: &Value, id: &str, email: &str) -> bool {
    match line {
        Value::String(s) => s == id || (!email.is_empty() && s.eq_ignore_ascii_case(email)),
        Value::Array(all) => all.iter().any(|v| speaks_of(v, id, email)),
        Value::Object(map) => map.values().any(|v| speaks_of(v, id, email)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_error_are_read() {
        assert!(names(br#"{"code":"user_not_found","message":"x"}"#, "user_not_found"));
        assert!(names(br#"{"code":404,"error_code":"user_not_found","msg":"x"}"#, "user_not_found"));
        assert!(!names(b"<html>404", "user_not_found"));
    }

    #[test]
    fn a_line_of_the_log_speaks_of_somebody_wherever_they_stand_in_it() {
        let line = json!({"payload": {"actor_id": "0", "traits": {"user_id": "u-1", "user_email": "Ada@example.org"}}});
        assert!(speaks_of(&line, "u-1", ""));
        assert!(speaks_of(&line, "u-2", "ada@example.org"));
        assert!(!speaks_of(&line, "u-2", ""));
    }
}
