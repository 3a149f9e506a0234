//! What each page shows, as plain data: a handler fills a struct and renders it. No page asks for anything by itself.
//!
//! Addresses inside the pages begin with [`Shell::root`]. `GET` unless it says otherwise; every `POST` sends `csrf`.
//!
//! | address | page or effect |
//! |---|---|
//! | `/`, `/ledger`, `/api`, `/assets/{name}` | [`Home`], [`LedgerPage`] of the house, the API's page, a file |
//! | `/policy`, `/policy/{version}`, `/policy/{version}/source`, `/policy/promises.json` | [`PolicyPage`]; the document's text; the board as JSON |
//! | `/ledger`, `/ledger/{n}`, `/ledger/checkpoint`, `/ledger/tile/…` | [`LedgerPage`], an entry, the C2SP files |
//! | `/ledger/verify` of the house | [`OfflineVerifier`]: one file that checks receipts from a disk, under a policy of its own |
//! | `/receipts/{id}`, `/receipts/{id}/file` | [`ReceiptPage`], the file to keep |
//! | `/sign-in` and `POST` (`email`, `next`) | [`SignIn`], then [`MailSent`] |
//! | `/sign-in/confirm?token=` and `POST` (`token`, `code`) | [`SignInConfirm`] |
//! | `/sign-up` and `POST` (`email`, `name`, `consent`*) | [`SignUp`]; `POST /sign-out` |
//! | `/images`, `/images/{id}`, `…/small`, `…/large`, `…/file` | [`Gallery`], [`ImagePage`], the bytes |
//! | `/images/{id}/delete` and `POST` | [`ImageDelete`] |
//! | `/edit?source=` and `POST` multipart (`photograph` or `source`, `prompt`, `model`, `style`, `shape`) | [`EditForm`] |
//! | `/edits/{id}`, `…/events`, `POST …/cancel` | [`EditProgress`], its event stream |
//! | `/privacy`, `POST /privacy/consents/{purpose}` (`allow=yes|no`), `POST /privacy/restriction/lift` | [`Centre`] |
//! | `/privacy/details` and `POST` | [`Details`] |
//! | `/privacy/ask/{right}`, `POST …/check` (`choice`*, `text`), `POST /privacy/ask/{right}` | [`RequestQuestion`], [`RequestCheck`], [`RequestFiled`] |
//! | `/privacy/requests/{reference}`, `…/filed`, `…/archive`, `POST …/confirm`, `POST …/withdraw` | [`RequestStatus`], [`RequestFiled`], the ZIP |
//! | `/letters/confirm?token=` and `POST` (`token`, `choice`, `text`), `POST /letters/decline` (`token`) | [`LetterConfirm`], then [`LetterDone`] |
//! | `/address/confirm?token=`, `/address/undo?token=` and `POST` (`token`) | [`SignInConfirm`], then [`LetterDone`] |
//! | `/agents` and `POST` (`agent`, `contact`, `person`, `rights`*, `until`, `choice`, `text`) | [`AgentForm`], then [`LetterDone`] |
//! | `/mandates/confirm?token=` and `POST` (`token`, `tells`), `POST /mandates/decline` (`token`), `POST /privacy/mandates/{id}/end` | [`MandateQuestion`], then [`LetterDone`] |
//! | `/privacy/erase` and `POST` (`sure=yes`, `when=later|now`), `/erased/{request}` | [`Erase`], then [`Erased`] |
//! | `/privacy/agents/{id}?request_id=&redirect_to=` and `POST` (`sure=yes|no`) | [`AgentAsks`] |
//! | `/privacy/import` and `POST` multipart (`archive`, `look` or `take`) | [`Import`] |
//! | `/privacy/policies`, `POST /privacy/policies/{version}/acknowledge` | [`OwnVersions`] |
//! | `/desk/policies`, `/desk/policies/{id}`, `POST …/confirm`, `POST …/refuse` (`reason`) | [`DeskPolicies`], [`DeskProposal`] |
//! | `/privacy/readers`, `/notices` | [`Readers`], [`Notices`] |
//! | `/desk`, `POST /desk/jobs/{id}/retry` | [`Overview`] |
//! | `/desk/requests?right=&state=`, `/desk/requests/{reference}`, `POST …/{action}` (`reason`), `POST …/note` (`note`) | [`Queue`], [`RequestDetail`] |
//! | `/desk/retention` | [`RetentionBoard`] |
//! | `/desk/promises?state=&kind=`, `/desk/promises/{rule}`, `POST …/check`, `POST …/attest` multipart (`evidence`, `file`), `…/evidence/{entry}` | [`PromiseBoard`], [`PromisePage`], the file |
//! | `/desk/holds` and `POST` (`whom`, `category`*, `reason`, `law`, `review`), `POST /desk/holds/{id}/lift` | [`Holds`] |
//! | `/desk/mandates`, `POST /desk/mandates/{id}/end` (`why`) | [`DeskMandates`] |
//! | `/desk/processors/record.html`, `….csv`, `….json` | the record of processing activities, as files |
//! | `/desk/processors`, `/desk/reads?role=&from=&to=&refused=` | [`Processors`], [`AccessReview`] |
//! | `/desk/ledger?kind=&from=&to=`, `POST /desk/ledger/verify` | [`DeskLedger`] |
//! | `/desk/people` and `POST` (`query`) | [`People`] |
//! | `/desk/factor?next=` and `POST` (`factor-code`, `next`), `POST /desk/factor/set-up` (`code`, `next`), `/desk/factor/codes` and `POST` (`factor-code`) | [`FactorNew`] or [`FactorAsked`], [`FactorRenewal`], [`FactorCodes`] |
//! | `/desk/sign-in/oidc?again=`, `/desk/sign-in/oidc/back?code=&state=` | the way to the staff's identity provider, and [`ComeIn`] |
//! | `/desk/sign-in` and `POST` (`email`), `/desk/sign-in/confirm`, `POST /desk/sign-out` | [`StaffSignIn`], [`SignInConfirm`] |
//!
//! The pages live under `default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;
//! connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`.

mod account;
mod agents;
mod chart;
mod desk;
mod erasure;
mod form;
mod images;
mod import;
mod letters;
mod mandates;
mod mark;
mod offline;
mod policy;
mod privacy;
mod proof;
mod public;
mod requests;
mod seal;
mod shell;
mod spoken;
mod state;
mod versions;
mod words;

pub use account::*;
pub use agents::*;
pub use chart::{Bars, Meter};
pub use desk::*;
pub use erasure::*;
pub use form::{Mistake, Mistakes};
pub use images::*;
pub use import::*;
pub use letters::*;
pub use mandates::*;
pub use mark::Mark;
pub use offline::OfflineVerifier;
pub use policy::*;
pub use privacy::*;
pub use proof::*;
pub use public::*;
pub use requests::*;
pub use seal::Seal;
pub use shell::{Desk, Flash, Need, Shell, Viewer};
pub use spoken::{Instant, Many, Sentence};
pub(crate) use state::escape;
pub use state::{Clock, State};
pub use versions::*;
pub use words::{Count, Markup, Moment, Size, span};

#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "made-up data are lists, not procedures")]
mod sample;
#[cfg(test)]
mod tests;
