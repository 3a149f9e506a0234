//! What a backup could still open.

use super::Look;
use crate::audit::model::{count, grouped, unsigned};
use crate::audit::{Error, Outcome};
use crate::base::Timestamp;

/// Looks at the key epochs: at most two alive, the newest young enough, no key under a dead one, and nobody whose key was
/// destroyed with a key again. Then what was erased before the older epoch began opens in no backup.
pub(super) async fn backups_erased(look: &Look<'_>) -> Result<Outcome, Error> {
    let made = look.round.keys.get_or_try_init(|| keys(look)).await?;
    Ok(made.clone())
}

async fn keys(look: &Look<'_>) -> Result<Outcome, Error> {
    let sound = look.audit.keys.soundness().await?;
    let epoch = look.audit.settings.epoch;
    let newest = sound.epochs.last().map(|e| e.since);
    let idle = newest.is_none_or(|since: Timestamp| look.now.since(since) > epoch + epoch);
    let flaws = [
        (u64::from(sound.epochs.len() > 2), "more than two key epochs are alive".to_owned()),
        (u64::from(idle), "no new key epoch was begun in time".to_owned()),
        (
            unsigned(sound.outside),
            format!("{} under an epoch that is over", count(unsigned(sound.outside), "key lies", "keys lie")),
        ),
        (
            unsigned(sound.undone),
            format!("{} people erased have keys again", grouped(unsigned(sound.undone))),
        ),
    ];
    let found: u64 = flaws.iter().map(|(n, _)| n).sum();
    let fences = unsigned(sound.fences);
    let figure = flaws.into_iter().find(|(n, _)| *n > 0).map_or_else(
        || {
            let since = sound.epochs.first().map_or(look.now, |e| e.since);
            format!(
                "{}, none with a key; backups from before {} open nothing",
                count(fences, "person erased", "people erased"),
                since.to_utc().format("%-d %B %Y")
            )
        },
        |(_, flaw)| flaw,
    );
    Ok(Outcome::counted(fences + sound.epochs.len() as u64, found, figure))
}
