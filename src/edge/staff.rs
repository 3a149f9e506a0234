//! Staff, by their session: at the door with a link or a provider's word, inside with a second factor besides.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::caller::{session, unauthenticated};
use super::{Edge, Fault};
use crate::base::Kind;
use crate::subjects::{Session, SignedIn, StaffMember};
use crate::vault::Actor;

/// A member of staff, by their session, who has proved themself by a second factor where one is required.
#[derive(Debug, Clone)]
pub struct StaffSession {
    /// Who.
    pub staff: StaffMember,
    /// The session.
    pub session: Session,
}

impl StaffSession {
    /// As the vault knows them.
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.staff.id, self.staff.role)
    }

    /// Lets them do one of the gravest acts, if they proved themself lately and with a factor that is not new in the
    /// place of another; says why not otherwise.
    pub async fn may_act_gravely(&self, edge: &Edge) -> Result<(), Fault> {
        if !edge.second_factor() {
            return Ok(());
        }
        Ok(edge.app.subjects.may_act_gravely(&self.session).await?)
    }
}

impl FromRequestParts<Edge> for StaffSession {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let StaffAtDoor { staff, session } = StaffAtDoor::from_request_parts(parts, edge).await?;
        if edge.second_factor() && session.factor_at.is_none() {
            return Err(Fault::new(Kind::StepUp));
        }
        Ok(Self { staff, session })
    }
}

/// A member of staff who came by a link or a provider's word, and may not have given a code yet. Lets to the pages that
/// ask for one, and nowhere else.
#[derive(Debug, Clone)]
pub struct StaffAtDoor {
    /// Who.
    pub staff: StaffMember,
    /// The session.
    pub session: Session,
}

impl FromRequestParts<Edge> for StaffAtDoor {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let session = session(parts, edge, edge.desk_cookie()).await?;
        match &session.who {
            SignedIn::Staff(staff) => Ok(Self { staff: staff.clone(), session }),
            SignedIn::Subject(_) => Err(unauthenticated()),
        }
    }
}
