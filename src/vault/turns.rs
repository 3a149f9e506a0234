//! Legal holds and erasures take turns, a tenant at a time: whoever lets something go sees every hold that was placed
//! before, and none is placed in the middle of it.

use std::collections::BTreeSet;

use super::erase::Doomed;
use super::{Error, Vault, sql};
use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::Tx;

fn name(tenant: &TenantId) -> String {
    format!("holds/{tenant}")
}

/// What a legal hold keeps.
pub(super) struct Held {
    /// Whose; everybody's if none.
    subject: Option<String>,
    /// Of which category; all if none.
    category: Option<String>,
}

impl Vault {
    /// From here on no legal hold is placed in a tenant until the end of this transaction; any number may erase at once.
    pub async fn letting_go(tx: &mut Tx, tenant: &TenantId) -> Result<(), Error> {
        Ok(tx.share_turn(&name(tenant)).await?)
    }

    /// From here on nobody lets anything go in a tenant until the end of this transaction.
    pub async fn holding(tx: &mut Tx, tenant: &TenantId) -> Result<(), Error> {
        Ok(tx.take_turn(&name(tenant)).await?)
    }

    /// The legal holds of a tenant, as they stay until the end of this transaction.
    pub(super) async fn holds_now(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<Held>, Error> {
        Self::letting_go(tx, tenant).await?;
        let rows: Vec<(Option<String>, Option<String>)> =
            on!(tx, |c| sqlx::query_as(sql::HOLDS_IN).bind(tenant.as_str()).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(subject, category)| Held { subject, category }).collect())
    }

    /// Whether one of these holds keeps a thing. What is due by a rule that no hold stops goes all the same.
    pub(super) fn keeps(&self, tenant: &TenantId, held: &[Held], d: &Doomed, now: Timestamp) -> bool {
        if held.is_empty() {
            return false;
        }
        let subject = d.subject.to_string();
        let over = |h: &Held| {
            h.subject.as_ref().is_none_or(|s| *s == subject)
                && h.category.as_ref().is_none_or(|c| *c == d.category)
        };
        let due = d.due_at.is_some_and(|at| at <= now);
        let rule = d.rule.as_deref().filter(|_| due);
        rule.is_none_or(|rule| self.may_be_held(tenant, &d.category, rule)) && held.iter().any(over)
    }

    /// Whether a hold stops a rule of a category. One that no version has is stopped.
    fn may_be_held(&self, tenant: &TenantId, category: &str, rule: &str) -> bool {
        self.retention_rule(tenant, category, rule).is_none_or(|rule| rule.may_be_held)
    }

    /// The rules of whichever version that no hold stops, each with its category, as a row has both:
    /// `category/rule`.
    pub(super) fn unholdable(&self, tenant: &TenantId) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for policy in self.library.versions(tenant) {
            for rule in policy.retention_rules() {
                let firm = rule.categories.iter().filter(|c| !self.may_be_held(tenant, c, &rule.id));
                all.extend(firm.map(|category| format!("{category}/{}", rule.id)));
            }
        }
        all
    }
}
