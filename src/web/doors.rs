//! Ways in for whoever tries an installation out: one-time links for a made-up person and a made-up member of staff of
//! each tenant. In development only.

use chrono::TimeDelta;

use crate::base::TenantId;
use crate::edge::{Edge, Fault};
use crate::policy::Role;
use crate::subjects::{Email, NewAccount, SignedIn};

/// The made-up person and the made-up member of staff, the same at each tenant.
const PERSON: &str = "person@example.org";
const STAFF: &str = "staff@example.org";
/// How long such a link works.
const LIFE: TimeDelta = TimeDelta::hours(1);

/// A way in.
#[derive(Debug, Clone)]
pub struct Door {
    /// The tenant.
    pub tenant: TenantId,
    /// Its brand.
    pub brand: String,
    /// Whether it is a staff member's.
    pub staff: bool,
    /// The address below the service's own: `/flux-kontext/sign-in/confirm?…`.
    pub path: String,
}

/// One way in for a person and one for staff, at each tenant. The accounts are made if they are missing. Nothing outside
/// development mode.
pub async fn doors(edge: &Edge) -> Result<Vec<Door>, Fault> {
    let mut all = Vec::new();
    if !edge.development() {
        return Ok(all);
    }
    for tenant in edge.app.library.tenants() {
        let Some(policy) = edge.app.library.in_force(&tenant, edge.app.clock.now()) else { continue };
        for staff in [false, true] {
            let who = if staff { member(edge, &tenant).await? } else { person(edge, &tenant).await? };
            let link = edge.app.subjects.direct_link(&who, LIFE).await?;
            let place = if staff { "desk/sign-in" } else { "sign-in" };
            let until = link.expires_at.micros() / 1_000_000;
            let path = format!("/{tenant}/{place}/confirm?token={}&until={until}", link.token.expose());
            all.push(Door { tenant: tenant.clone(), brand: policy.controller().name.clone(), staff, path });
        }
    }
    Ok(all)
}

async fn person(edge: &Edge, tenant: &TenantId) -> Result<SignedIn, Fault> {
    let email: Email = PERSON.parse()?;
    if let Some(owner) = edge.app.subjects.find(tenant, &email).await? {
        return Ok(SignedIn::Subject(owner));
    }
    let new = NewAccount { email, name: "A person".to_owned(), username: "person".to_owned() };
    let owner = edge.app.subjects.open(tenant, new).await?;
    edge.app.credits.welcome(&owner).await?;
    Ok(SignedIn::Subject(owner))
}

async fn member(edge: &Edge, tenant: &TenantId) -> Result<SignedIn, Fault> {
    let email: Email = STAFF.parse()?;
    if let Some(staff) = edge.app.subjects.staff_by_email(tenant, &email).await? {
        return Ok(SignedIn::Staff(staff));
    }
    Ok(SignedIn::Staff(edge.app.subjects.hire(tenant, &email, Role::Compliance).await?))
}
