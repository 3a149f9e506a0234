use crate::base::{SessionId, StaffId, SubjectId, TenantId, Timestamp};
use crate::policy::Role;
use crate::speech::Tongue;
use crate::vault::{Actor, Owner};

/// A person, without a word about them.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Their id.
    pub id: SubjectId,
    /// Their tenant.
    pub tenant: TenantId,
    /// The document's version in force when they came.
    pub policy_version: String,
    /// When they came.
    pub created_at: Timestamp,
    /// When they last used the service, to the hour.
    pub last_active_at: Timestamp,
    /// Since when their data may only be kept.
    pub restricted_at: Option<Timestamp>,
    /// Since when the account is closed.
    pub closed_at: Option<Timestamp>,
    /// When the address that links to sign in go to was last changed, other than by their app's word.
    pub address_changed_at: Option<Timestamp>,
    /// Whether they opened a link that was sent to the address they changed to.
    pub address_confirmed: bool,
    /// Being erased.
    pub erasing: bool,
    /// The language in which they last read our pages; letters are written in it.
    pub tongue: Tongue,
}

/// A member of a tenant's staff.
#[derive(Debug, Clone)]
pub struct StaffMember {
    /// Their id.
    pub id: StaffId,
    /// Their tenant.
    pub tenant: TenantId,
    /// Their role.
    pub role: Role,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub enum SignedIn {
    /// A person.
    Subject(Owner),
    /// A member of staff.
    Staff(StaffMember),
}

impl SignedIn {
    /// Their tenant.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Subject(owner) => &owner.tenant,
            Self::Staff(staff) => &staff.tenant,
        }
    }

    /// As the vault knows them.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Subject(owner) => Actor::Subject(owner.subject),
            Self::Staff(staff) => Actor::Staff(staff.id, staff.role),
        }
    }
}

/// A session that holds.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub who: SignedIn,
    /// When they last proved who they are: what an export or erasure looks at.
    pub proved_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When they last proved themself by a second factor, in this session.
    pub factor_at: Option<Timestamp>,
}
