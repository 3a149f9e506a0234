//! What each page shows, as plain data: a handler fills a struct and renders it. No page asks for anything by itself.
//!
//! Addresses inside the pages are written from [`Shell::root`]; the table in `docs/` of the routes follows them.

mod account;
mod chart;
mod desk;
mod erasure;
mod form;
mod images;
mod mark;
mod policy;
mod privacy;
mod proof;
mod public;
mod requests;
mod seal;
mod shell;
mod state;
mod words;

pub use account::*;
pub use chart::{Bars, Meter};
pub use desk::*;
pub use erasure::*;
pub use form::{Mistake, Mistakes};
pub use images::*;
pub use mark::Mark;
pub use policy::*;
pub use privacy::*;
pub use proof::*;
pub use public::*;
pub use requests::*;
pub use seal::Seal;
pub use shell::{Desk, Flash, Need, Shell, Viewer};
pub use state::{Clock, State};
pub use words::{Count, Markup, Moment, Size, span};

#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "made-up data are lists, not procedures")]
mod sample;
#[cfg(test)]
mod tests;
