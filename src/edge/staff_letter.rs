//! The letter to a member of staff whose second factor was changed: whoever did it without them is found out by it.

use crate::app::App;
use crate::base::{Kind, Timestamp};
use crate::mail::letters::{FactorChange, Letter as _, Letterhead, StaffFactorChanged};
use crate::speech::Tongue;
use crate::subjects::StaffMember;

use super::Fault;

/// What was done with a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhatOfFactor {
    /// It was taken away.
    TakenAway,
    /// Another was set up in its place; the gravest acts wait until then.
    Replaced(Timestamp),
    /// New recovery codes were made in place of those before.
    CodesRenewed,
}

/// Writes to them.
pub async fn tell_of_factor(app: &App, staff: &StaffMember, what: WhatOfFactor) -> Result<(), Fault> {
    let policy = app.vault.policy(&staff.tenant)?;
    let base = app.config.server.public_url.as_str();
    let letter = StaffFactorChanged {
        head: Letterhead {
            brand: policy.controller().name.clone(),
            contact: policy.contact().privacy.clone(),
            privacy_link: format!("{base}/{}/privacy", staff.tenant),
            development: app.config.server.development,
            tongue: Tongue::default(),
        },
        at: app.clock.now(),
        what: match what {
            WhatOfFactor::TakenAway => FactorChange::TakenAway,
            WhatOfFactor::Replaced(until) => FactorChange::Replaced(until),
            WhatOfFactor::CodesRenewed => FactorChange::CodesRenewed,
        },
        desk_link: format!("{base}/{}/desk", staff.tenant),
    };
    let written = letter.write().map_err(|_| Fault::new(Kind::Internal))?;
    let address = app.subjects.staff_address(staff).await?;
    Ok(app.post.send(address.expose(), None, &app.entropy.reference(), &written).await?)
}
