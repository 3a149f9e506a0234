//! The pages of the installation itself: the front door, the files that pages link to.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::base::TenantId;
use crate::edge::{Edge, Fault};
use crate::speech::{Tongue, key};
use crate::web::assets;
use crate::web::doors::{Door, doors};
use crate::web::fault_page::house;
use crate::web::page::{Answer, Visit, day, html, not_found};
use crate::web::shape::document::{does, together};
use crate::web::tongue::Spoken;
use crate::web::view::{Count, DemoDoor, Home, TenantCard};

/// `GET /`
pub(crate) async fn home(State(edge): State<Edge>, spoken: Spoken) -> Answer {
    let tongue = spoken.tongue;
    let mut tenants = Vec::new();
    for tenant in edge.app.library.tenants() {
        tenants.extend(card(tongue, &edge, &tenant).await?);
    }
    let doors = doors(&edge).await?;
    html(&Home {
        shell: house(&edge, spoken),
        tenants,
        ledger_size: Count(edge.app.ledger.checkpoint().await.map_or(0, |head| head.size())),
        signed_at: None,
        demo: doors.into_iter().map(|d| door(tongue, d)).collect(),
    })
}

async fn card(tongue: Tongue, edge: &Edge, tenant: &TenantId) -> Result<Option<TenantCard>, Fault> {
    let Some(policy) = edge.app.library.in_force(tenant, edge.app.clock.now()) else { return Ok(None) };
    let (state, standing) = together(tongue, &edge.app.audit.promises(tenant).await?);
    Ok(Some(TenantCard {
        brand: policy.controller().name.clone(),
        root: format!("/{tenant}"),
        does: does(&policy),
        state,
        standing,
        effective: day(policy.effective()),
    }))
}

fn door(tongue: Tongue, door: Door) -> DemoDoor {
    let (who, try_this) = if door.staff {
        (
            key("Compliance staff at {brand}"),
            key("See the queue and its clocks, the retention board and the ledger."),
        )
    } else {
        (
            key("A person at {brand}"),
            key("Upload a photograph, have it edited, take everything home, erase it."),
        )
    };
    DemoDoor {
        who: tongue.put(who).with("brand", door.brand).text(),
        try_this: tongue.say(try_this).to_owned(),
        href: door.path,
    }
}

/// `GET /{tenant}`: the policy is the front page of a tenant.
pub(crate) async fn tenant(visit: Visit) -> Redirect {
    Redirect::to(&format!("{}/policy", visit.root()))
}

/// `GET /assets/{name}`
pub(crate) async fn asset(Path(name): Path<String>) -> Answer {
    let asset = assets::find(&name).ok_or_else(not_found)?;
    let mut response: Response = Bytes::from_static(asset.body.as_bytes()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}
