//! Keys that open nothing: of a correction or an upload that was cut short before its row. They are looked for in the
//! keystore itself, for no row leads to them.

use std::collections::{BTreeMap, HashMap};

use super::erase::ItemKind;
use super::records::key_item;
use super::{Error, Vault, leaving};
use crate::base::{TenantId, Timestamp};
use crate::keystore::Keyed;

impl Vault {
    /// Destroys the keys of items that no row knows, of those made before `before`: younger ones may belong to a row
    /// that is about to be written. Gives how many. `stop` is asked between pages.
    pub async fn destroy_orphan_keys(
        &self,
        before: Timestamp,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<u64, Error> {
        let (mut destroyed, mut after) = (0, None::<String>);
        while !stop() {
            let page = self.keys.keyed(after.as_deref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.item.clone());
            let mut old: BTreeMap<TenantId, Vec<String>> = BTreeMap::new();
            for Keyed { tenant, item, .. } in page.into_iter().filter(|k| k.made < before) {
                old.entry(tenant).or_default().push(item);
            }
            for (tenant, items) in old {
                destroyed += self.destroy_unknown(&tenant, &items).await?;
            }
        }
        if destroyed > 0 {
            tracing::warn!(count = destroyed, "keys that opened nothing were destroyed");
            self.keys.cut_log().await;
        }
        Ok(destroyed)
    }

    async fn destroy_unknown(&self, tenant: &TenantId, items: &[String]) -> Result<u64, Error> {
        // A record's key is named after the record and its revision, an image's after the image.
        let ids: Vec<&str> = items.iter().map(|item| item.split('#').next().unwrap_or_default()).collect();
        let rows: HashMap<String, ItemKind> = {
            let mut tx = self.db.read().await?;
            let found = leaving::doomed_by_id(&mut tx, tenant, &ids).await?;
            found.into_iter().map(|d| (d.id, d.kind)).collect()
        };
        let is_known = |id: &str, item: &str| match rows.get(id) {
            Some(ItemKind::Object { .. }) => item == id,
            Some(ItemKind::Record { revision }) => item == key_item(id, *revision),
            None => false,
        };
        let unknown = items.iter().zip(&ids).filter(|(item, id)| !is_known(id, item.as_str()));
        let unknown: Vec<&str> = unknown.map(|(item, _)| item.as_str()).collect();
        Ok(self.keys.destroy_items(tenant, &unknown).await?.len() as u64)
    }
}
