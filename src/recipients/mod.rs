//! Who holds an account of a person's besides us: Stripe and Supabase, over their own protocols.
//!
//! Promises: every list is read to its end; a step that changes something is safe to repeat, since each turn begins with a
//! look at how things stand; what was erased or corrected is believed when it was read back, never because a call was
//! taken. Must never: find an account by an address (whoever can choose an address could then fetch somebody else's
//! payments), send a secret to another host, or put a value of a person's into an error.

mod error;
mod line;
mod model;
mod stripe;
mod supabase;

pub use error::RecipientError;
pub use model::{Correction, Erased, Export, Memory, Proof, Stay, Table};
pub use stripe::{Event, Forged, PaidInvoice, Stripe, StripeConfig, read_event};
pub use supabase::{Supabase, SupabaseConfig};

use crate::egress::CallLog;

/// One of them, set up for one tenant.
#[derive(Debug)]
pub enum Recipient {
    /// Stripe.
    Stripe(Box<Stripe>),
    /// Supabase.
    Supabase(Box<Supabase>),
}

impl Recipient {
    /// Its name in the documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Stripe(_) => Stripe::NAME,
            Self::Supabase(_) => Supabase::NAME,
        }
    }

    /// Whether an account can be called this there; what cannot is never sent.
    pub fn is_account(&self, id: &str) -> bool {
        match self {
            Self::Stripe(_) => stripe::is_customer(id),
            Self::Supabase(_) => supabase::is_user(id),
        }
    }

    /// Whether it answers and takes our key, shown by asking for an account that nobody has.
    pub async fn greet(&self, log: &CallLog) -> Result<(), RecipientError> {
        match self {
            Self::Stripe(r) => r.export("cus_vouchsafe_asks", log).await.map(|_| ()),
            Self::Supabase(r) => r.greet(log).await,
        }
    }

    /// Everything it holds of an account. An account that is not there gives an empty one.
    pub async fn export(&self, id: &str, log: &CallLog) -> Result<Export, RecipientError> {
        match self {
            Self::Stripe(r) => r.export(id, log).await,
            Self::Supabase(r) => r.export(id, log).await,
        }
    }

    /// Corrects what it holds, and reads it back. May be repeated. No proof: there is no such account.
    pub async fn correct(
        &self,
        id: &str,
        new: &Correction,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Option<Proof>, RecipientError> {
        match self {
            Self::Stripe(r) => r.correct(id, new, memory, log).await,
            Self::Supabase(r) => r.correct(id, new, log).await,
        }
    }

    /// Takes an erasure there as far as it goes now. May be repeated, and must be until it is [`Erased::Proven`]; what it
    /// wrote into `memory` must be kept between two calls.
    pub async fn erase(
        &self,
        id: &str,
        memory: &mut Memory,
        log: &CallLog,
    ) -> Result<Erased, RecipientError> {
        match self {
            Self::Stripe(r) => r.erase(id, memory, log).await,
            Self::Supabase(r) => r.erase(id, memory, log).await,
        }
    }
}
