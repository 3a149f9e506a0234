//! The words every room shares: ids, time, randomness, secrets, periods, kinds of error, pages of results.
//!
//! Promises: nothing here touches the outside world except [`Clock::system`] and [`Entropy::system`], and those are
//! handed down as parameters. Must never: import another room.
//!
//! A package of its own, because the other one, `imaging`, needs its words.

mod entropy;
mod ids;
mod kind;
mod page;
mod period;
mod secret;
mod time;

pub use entropy::Entropy;
pub use ids::{
    AddressId, BadId, BatchId, CollectionId, DeliveryId, EditId, EntryId, ErrandId, HoldId, JobId, KeyId,
    MailId, MandateId, MessageId, ObjectId, ProposalId, ReceiptId, RecordId, RequestId, SessionId, StaffId,
    SubjectId, TenantId, WebhookId,
};
pub use kind::Kind;
pub use page::{Page, PageSize};
pub use period::{BadPeriod, Period};
pub use secret::Secret;
pub use time::{Clock, ManualClock, Timestamp};
