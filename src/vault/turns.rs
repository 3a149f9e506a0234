//! Legal holds and erasures take turns, a tenant at a time: whoever lets something go sees every hold that was placed
//! before, and none is placed in the middle of it.

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
        let rule = rule.and_then(|rule| self.retention_rule(tenant, &d.category, rule));
        rule.is_none_or(|rule| rule.may_be_held) && held.iter().any(over)
    }
}
