//! In by the staff's identity provider: there and back. Whatever does not hold is told in one sentence, whatever it was.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::TimeDelta;

use super::door::{Caller, cookie, session_cookie, set_cookie};
use super::shell::{Answer, outside, page, query};
use crate::base::{Kind, TenantId};
use crate::edge::{AWAY, Edge, Fault, NotVouched, StaffProvider, cookie_of};
use crate::subjects::Redeemed;
use crate::web::view::ComeIn;

const REFUSED: &str = "That did not let you in: it took too long, was tried twice, or nobody here is known by it. Try once more, or ask for a link.";

fn provider(edge: &Edge) -> Result<&StaffProvider, Fault> {
    edge.provider.as_ref().ok_or_else(|| Fault::new(Kind::NotFound))
}

/// Where the provider sends people back to. It has to be registered there, one for each tenant.
fn back(edge: &Edge, tenant: &TenantId) -> String {
    format!("{}/{tenant}/desk/sign-in/oidc/back", edge.app.config.server.public_url.as_str())
}

fn refused(caller: &Caller, why: NotVouched) -> Answer {
    tracing::warn!(tenant = %caller.tenant(), why = why.0, "a sign-in by the identity provider was refused");
    let mut response = caller.form("", Some(("email", REFUSED)))?;
    forget(caller.edge(), &mut response);
    Ok(response)
}

fn forget(edge: &Edge, response: &mut Response) {
    set_cookie(response, &cookie(edge, edge.away_cookie(), "", "Lax", Some(TimeDelta::zero())));
}

/// `GET /desk/sign-in/oidc?again=`
pub(super) async fn go(State(edge): State<Edge>, uri: Uri, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::of(&mut parts, &edge).await?;
    let again = query(&uri, "again").as_deref() == Some("yes");
    let tenant = caller.tenant();
    let there = provider(&edge)?.send((tenant, &back(&edge, tenant)), again, &edge.app.entropy).await;
    let way = match there {
        Ok(way) => way,
        Err(why) => return refused(&caller, why),
    };
    let mut response = Redirect::to(way.url.as_str()).into_response();
    set_cookie(&mut response, &cookie(&edge, edge.away_cookie(), way.kept.expose(), "Lax", Some(AWAY)));
    Ok(response)
}

/// `GET /desk/sign-in/oidc/back?code=&state=`
pub(super) async fn come_back(
    State(edge): State<Edge>,
    headers: HeaderMap,
    uri: Uri,
    request: Request,
) -> Answer {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::of(&mut parts, &edge).await?;
    let kept = cookie_of(&headers, edge.away_cookie()).unwrap_or_default();
    let field = |name| query(&uri, name).unwrap_or_default();
    let redeemed = match admit(&edge, caller.tenant(), &kept, (&field("code"), &field("state"))).await? {
        Ok(redeemed) => redeemed,
        Err(why) => return refused(&caller, why),
    };
    let next = format!("/{}/desk", caller.tenant());
    let mut response = page(&ComeIn { shell: outside(&edge, caller.tenant(), String::new())?, next })?;
    forget(&edge, &mut response);
    set_cookie(&mut response, &session_cookie(&edge, redeemed.cookie.expose()));
    Ok(response)
}

/// Begins a session for the member whom the provider vouches for.
async fn admit(
    edge: &Edge,
    tenant: &TenantId,
    kept: &str,
    (code, state): (&str, &str),
) -> Result<Result<Redeemed, NotVouched>, Fault> {
    let vouched = match provider(edge)?.take((tenant, &back(edge, tenant)), kept, (code, state)).await {
        Ok(vouched) => vouched,
        Err(why) => return Ok(Err(why)),
    };
    let subjects = &edge.app.subjects;
    match subjects.staff_by_email(tenant, &vouched.email).await? {
        Some(staff) => Ok(Ok(subjects.vouched(staff, vouched.factor_at).await?)),
        None => Ok(Err(NotVouched("nobody of the staff has this address"))),
    }
}
