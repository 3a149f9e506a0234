use super::super::{Error, Requests, sql};
use crate::vault::Owner;

/// Tables that are not looked through, each with its reason. Whatever is not here is, a table of tomorrow too.
const NOT_LOOKED_THROUGH: &[(&str, &str)] = &[
    ("ledger_entry", "public, and speaks of people by a keyed reference only"),
    ("ledger_tile", "hashes"),
    ("ledger_checkpoint", "signed hashes"),
    ("ledger_head", "signed hashes"),
    ("policy_version", "published texts"),
];

impl Requests {
    /// How many rows know a person, in each table that the database itself says it has: by `subject` where there is such
    /// a column, else anywhere in its texts. `except` are tables whose turn comes later.
    pub(super) async fn look_everywhere(
        &self,
        owner: &Owner,
        except: &[&str],
    ) -> Result<Vec<(String, i64)>, Error> {
        let id = owner.subject.to_string();
        let mut tx = self.db.read().await?;
        let mut found = Vec::new();
        for (table, columns) in sql::everywhere::tables(&mut tx).await? {
            let left_out = NOT_LOOKED_THROUGH.iter().any(|(t, _)| *t == table);
            if left_out || except.contains(&table.as_str()) {
                continue;
            }
            let n = if columns.iter().any(|c| c == "subject") {
                sql::everywhere::rows_of(&mut tx, &table, &columns, owner).await?
            } else {
                sql::everywhere::rows_with(&mut tx, &table, &columns, &id).await?
            };
            found.push((table, n));
        }
        Ok(found)
    }
}
