//! Somebody who asks in another's name, and the mandate that lets them: asked of the person by letter, confirmed or
//! declined behind a link, ended by the person at any time, by staff for a reason that the person is told, and by its last
//! day in any case.

mod ask;
mod decide;
mod desk;
mod jobs;
mod model;
pub(super) mod sql;
mod under;

pub use ask::{A_PERSON, LONGEST_NAME};
pub use desk::MOST_MANDATES;
pub use model::{Asked, DeskMandate, Mandate, MandateOpened, MandateState, Proposal, Wanted};
pub use under::{ByAgent, Standing};
