//! The SQL of this room: requests and their events, erasures, receipts, and the look through every table there is.

pub(super) mod erasure;
pub(super) mod everywhere;
pub(super) mod forget;
pub(super) mod held;
pub(super) mod last;
pub(super) mod receipt;
pub(super) mod request;
pub(super) mod standing;
