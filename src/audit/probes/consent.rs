//! What needs a yes, or may be objected to, against the words that people gave.

use chrono::TimeDelta;

use super::Look;
use crate::audit::model::{count, grouped, unsigned};
use crate::audit::sql::{look as sql, register};
use crate::audit::{Error, Outcome};
use crate::policy::{Category, Purpose};

const A_MONTH: TimeDelta = TimeDelta::days(30);

/// Features that write records, by the name under which a purpose gates them, and the category they write.
const GATED: [(&str, &str); 2] = [("usage-events", "usage"), ("analytics-events", "analytics")];

/// Looks at every record of 30 days that was made for a choice alone, and every disclosure for one: was the purpose on for
/// its owner at that moment.
pub(super) async fn consent_gates(look: &Look<'_>) -> Result<Outcome, Error> {
    let since = look.now.plus(-A_MONTH);
    let (mut checked, mut found) = (0, 0);
    let mut tx = look.audit.db.read().await?;
    for category in look.policy.categories() {
        let choices = choices_behind(look, category);
        if choices.is_empty() {
            continue;
        }
        checked += unsigned(sql::made_since(&mut tx, look.tenant, &category.id, since).await?);
        let mut off: Option<Vec<String>> = None;
        for purpose in choices {
            let of = (category.id.as_str(), purpose.id.as_str(), purpose.default_on);
            let rows = sql::made_while_off(&mut tx, look.tenant, of, since).await?;
            // One of several choices that was on is reason enough.
            off = Some(match off {
                None => rows,
                Some(before) => before.into_iter().filter(|id| rows.contains(id)).collect(),
            });
        }
        found += off.map_or(0, |rows| rows.len() as u64);
    }
    for purpose in look.policy.purposes().filter(|p| p.is_choice()) {
        let of = (purpose.id.as_str(), purpose.default_on);
        let (all, off) = register::sent_for(&mut tx, look.tenant, of, since).await?;
        checked += unsigned(all);
        found += unsigned(off);
    }
    let things = count(checked, "record or disclosure", "records and disclosures");
    let figure = format!("{} of {things} in 30 days made while the person had it off", grouped(found));
    Ok(Outcome::counted(checked, found, figure))
}

/// The choices without which nothing of a category would be made: those that gate its feature, or else all its purposes
/// if each is a choice.
fn choices_behind<'a>(look: &Look<'a>, category: &Category) -> Vec<&'a Purpose> {
    let gate = GATED.iter().find(|(_, c)| *c == category.id).map(|(gate, _)| *gate);
    let policy = look.policy;
    let gating: Vec<&Purpose> = policy
        .purposes()
        .filter(|p| p.is_choice() && p.gates.iter().any(|g| Some(g.as_str()) == gate))
        .collect();
    if !gating.is_empty() {
        return gating;
    }
    let purposes: Vec<&Purpose> = category.purposes.iter().filter_map(|id| policy.purpose(id)).collect();
    if purposes.iter().all(|p| p.is_choice()) { purposes } else { Vec::new() }
}

/// Looks at what was sent for training in a year, against people's words; and whether training is off by default.
pub(super) async fn no_training(look: &Look<'_>) -> Result<Outcome, Error> {
    let since = look.now.plus(-TimeDelta::days(365));
    let (mut checked, mut found) = (0, 0);
    let mut tx = look.audit.db.read().await?;
    let training: Vec<&Purpose> = look.policy.purposes().filter(|p| p.trains_models).collect();
    for purpose in &training {
        let (all, off) =
            register::sent_for(&mut tx, look.tenant, (&purpose.id, purpose.default_on), since).await?;
        checked += 1 + unsigned(all);
        found += unsigned(off) + u64::from(purpose.default_on);
    }
    let things = count(checked - training.len() as u64, "disclosure", "disclosures");
    let figure = match (training.is_empty(), found) {
        (true, _) => "no purpose of the document trains models".to_owned(),
        (false, n) => format!(
            "{} of {things} for training without the person\u{2019}s yes; off unless turned on",
            grouped(n)
        ),
    };
    Ok(Outcome::counted(checked, found, figure))
}
