//! Backups: taken beside the service, put back in place, and then what happened since done again before anybody is served.
//!
//! Promises: data and keys are never in one backup, and an epoch in none; nothing is changed before every byte of a backup
//! was verified; the service opens when everything that the ledger says was erased is erased again, and not before. Must
//! never: write on the ledger what it has already, or open over a ledger that is not all there.

mod again;
mod bundle;
mod entries;
mod envelope;
mod error;
mod manifest;
mod put_back;
mod replay;
mod sql;
mod take;

pub use again::{Done, bring_up_to_date, bring_up_to_date_from};
pub use envelope::Unlock;
pub use error::Error;
pub use manifest::{Manifest, What};
pub use put_back::{How, PutBack, blobs_of, forget_incoming, put_back};
pub use take::{Order, take};
