//! What somebody else holds of the person, as files: everything as JSON, and a table for each kind of thing as CSV.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::model::{Body, Facts, File};
use super::table::{cell, table_csv};
use super::{Error, json, names};
use crate::base::Timestamp;

/// `recipients/<recipient>.json`: what a recipient holds of the person, as it told it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FromRecipient {
    /// `vouchsafe/archive-recipient/1`.
    pub schema: String,
    /// The policy's id of the recipient.
    pub recipient: String,
    /// Its name.
    pub name: String,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub fetched_at: Timestamp,
    /// Every kind of thing that it holds, each in the recipient's own shape.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Object>>)]
    pub tables: BTreeMap<String, Vec<Value>>,
}

impl FromRecipient {
    /// What stands in `schema`.
    pub const SCHEMA: &str = "vouchsafe/archive-recipient/1";
}

/// The files. The recipient's words are data of somebody else's making: they name no file.
pub fn recipient_files(from: &FromRecipient, facts: &Option<Facts>) -> Result<Vec<File>, Error> {
    let stem = format!("recipients/{}", names::part(&from.recipient));
    let title = format!("What {} holds", from.name);
    let whole = json::write(from).map_err(|_| Error::Unwritable("a recipient's data"))?;
    let file = |path: String, title: &str, media_type: &str, bytes: Vec<u8>| File {
        path,
        title: title.to_owned(),
        media_type: media_type.to_owned(),
        facts: facts.clone(),
        original_name: None,
        body: Body::Bytes(bytes.into()),
    };
    let mut files = vec![file(format!("{stem}.json"), &title, "application/json", whole)];
    for (name, rows) in &from.tables {
        let columns: BTreeSet<&str> =
            rows.iter().filter_map(Value::as_object).flat_map(|r| r.keys().map(String::as_str)).collect();
        let columns: Vec<&str> = columns.into_iter().collect();
        let cells = rows.iter().map(|row| {
            columns.iter().map(|c| row.get(*c).map(cell).unwrap_or_default()).collect::<Vec<String>>()
        });
        let table = table_csv(&columns, cells);
        let path = format!("{stem}/{}.csv", names::part(name));
        files.push(file(path, &format!("{title}: {name}"), "text/csv", table));
    }
    Ok(files)
}
