//! The archive that a person takes home: a ZIP of their images, their data as JSON and CSV, a page to read without
//! script, the answer of Article 15 computed for them, hashes and a signature.
//!
//! Promises: the length of an archive is known before its first byte, any part of it can be asked for, and memory does
//! not grow with it; a stored file that is not what was recorded breaks the transfer off, and one that is known to be
//! missing has a note in its place; no name that came from
//! outside becomes a path; the same contents give the same bytes; what [`verify()`] calls whole is whole.
//! Must never: open a database, read a clock, write plaintext to a disk.

mod documents;
mod encrypt;
mod error;
mod frame;
mod gap;
mod json;
mod key;
mod layout;
mod manifest;
mod model;
mod names;
mod page;
mod person;
mod recipient;
mod schema;
mod stream;
mod table;
mod take_home;
mod verify;

pub use documents::{Answer, Consents, Held, Images, Picture, Reads, Records};
pub use encrypt::{Encrypted, Recipient as EncryptTo, encrypt, encrypt_into};
pub use error::Error;
pub use key::{Signer, VerifyingKey};
pub use layout::Layout;
pub use manifest::{Listed, MANIFEST, Manifest, SIGNATURE};
pub use model::{Body, Contents, Controller, Facts, File, Head, Provenance, Retention, Stored};
pub use person::{
    Access, Authority, AutomatedDecision, Category, Consent, Image, Purpose, Recipient, Record, Right,
    TakeHome, Withheld,
};
pub use recipient::{FromRecipient, recipient_files};
pub use schema::schemas;
pub use stream::{Plaintext, Source};
pub use table::{safe_cell, table_csv};
pub use verify::{Archive, Flaw, Most, Report, Signature, verify};
