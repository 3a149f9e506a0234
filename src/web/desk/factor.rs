//! The second factor: set up at the first sign-in, asked for after the link, and once more before the gravest acts.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::door::{session_cookie, set_cookie};
use super::dress::Renewed;
use super::seat::{self, Fields, Seat};
use super::shell::{Answer, outside, page, query};
use crate::base::{Kind, Secret, TenantId, Timestamp};
use crate::edge::{Edge, Fault, StaffAtDoor, WhatOfFactor, tell_of_factor};
use crate::subjects::{Error, Factor};
use crate::web::view::{
    FactorAsked, FactorCodes, FactorNew, FactorRenewal, Mistake, Mistakes, Moment, ProviderDoor, Shell,
    grouped, qr,
};

/// The field of a code.
pub(super) const CODE: &str = "factor-code";

/// Somebody of the staff who may not have given a code yet.
pub(super) struct Threshold {
    edge: Edge,
    tenant: TenantId,
    at: StaffAtDoor,
}

impl FromRequestParts<Edge> for Threshold {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Fault> {
        let tenant = seat::tenant(parts, edge).await?;
        let at = StaffAtDoor::from_request_parts(parts, edge).await?;
        if at.staff.tenant != tenant || !edge.second_factor() {
            return Err(Fault::new(Kind::NotFound));
        }
        Ok(Self { edge: edge.clone(), tenant, at })
    }
}

impl Threshold {
    fn shell(&self) -> Result<Shell, Fault> {
        outside(&self.edge, &self.tenant, seat::form_token(&self.edge, &self.at.session))
    }

    /// Where somebody goes after: a page of this desk, the first one unless another was asked for.
    fn onward(&self, asked: &str) -> String {
        let desk = format!("/{}/desk", self.tenant);
        let below = asked.strip_prefix(&desk).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        let plain = |rest: &&str| rest.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        below.filter(plain).map_or_else(|| desk.clone(), |rest| format!("{desk}{rest}"))
    }

    async fn show(&self, next: &str, mistake: Option<Mistake>) -> Answer {
        let subjects = &self.edge.app.subjects;
        let factor = subjects.factor(&self.at.staff).await?;
        if factor.enrolled || self.at.session.factor_at.is_some() {
            let carried = vec![("next".to_owned(), next.to_owned())];
            let action = format!("/{}/desk/factor", self.tenant);
            let again = self.at.session.factor_at.is_some();
            return page(&asked(&self.edge, self.shell()?, &factor, (action, carried), again, mistake));
        }
        let shell = self.shell()?;
        let given = subjects.begin_factor(&self.at.staff, &shell.brand).await?;
        page(&FactorNew {
            code: qr(given.uri.expose(), "The secret for your authenticator app, as a QR code"),
            secret: grouped(given.secret.expose()),
            replaces: factor.replaces,
            next: next.to_owned(),
            mistakes: mistakes(mistake),
            shell,
        })
    }

    /// Only whoever has given a code in this session.
    fn inside(&self) -> Result<(), Fault> {
        self.at.session.factor_at.map(|_| ()).ok_or_else(|| Fault::new(Kind::StepUp))
    }

    async fn show_renewal(&self, mistake: Option<Mistake>) -> Answer {
        self.inside()?;
        let factor = self.edge.app.subjects.factor(&self.at.staff).await?;
        if !factor.enrolled {
            return Err(Fault::new(Kind::NotFound));
        }
        page(&FactorRenewal {
            codes_left: factor.codes_left,
            mistakes: mistakes(mistake),
            shell: self.shell()?,
        })
    }

    /// Writes to them what was done with their factor. It is done whether or not the letter goes.
    async fn tell(&self, what: WhatOfFactor) {
        if let Err(fault) = tell_of_factor(&self.edge.app, &self.at.staff, what).await {
            tracing::error!(kind = ?fault.kind, "a letter about a second factor did not go");
        }
    }

    async fn form(request: Request, edge: &Edge) -> Result<(Self, Fields), Fault> {
        let (mut parts, body) = request.into_parts();
        let here = Self::from_request_parts(&mut parts, edge).await?;
        let fields = seat::form(Request::from_parts(parts, body), edge).await?;
        if !seat::sent_by(edge, &here.at.session, fields.one("csrf")) {
            return Err(seat::strange());
        }
        Ok((here, fields))
    }
}

fn mistakes(mistake: Option<Mistake>) -> Mistakes {
    Mistakes(mistake.into_iter().collect())
}

fn asked(
    edge: &Edge,
    shell: Shell,
    factor: &Factor,
    (action, carried): (String, Vec<(String, String)>),
    again: bool,
    mistake: Option<Mistake>,
) -> FactorAsked {
    let provider = edge.provider.as_ref().filter(|_| again).map(|provider| ProviderDoor {
        name: provider.name().to_owned(),
        href: format!("{}/desk/sign-in/oidc?again=yes", shell.root),
    });
    FactorAsked {
        action,
        carried,
        again,
        has_code: factor.enrolled,
        codes_left: factor.codes_left,
        provider,
        mistakes: mistakes(mistake),
        shell,
    }
}

/// What is said beside the field of a code that was not taken; other errors are errors.
fn wrong(error: Error, field: &str, now: Timestamp) -> Result<Mistake, Fault> {
    let says = match error {
        Error::BadCode => {
            "This code is not right, or was used already. Wait for the next one, and type it as it is."
                .to_owned()
        }
        Error::Wait(until) => {
            let seconds = until.since(now).num_seconds().saturating_add(1);
            let pause = match seconds {
                ..=90 => format!("{seconds} seconds"),
                _ => format!("{} minutes", seconds.saturating_add(59) / 60),
            };
            format!("Too many codes were not right. We look at the next one in {pause}.")
        }
        other => return Err(other.into()),
    };
    Ok(Mistake { field: field.to_owned(), says })
}

/// `GET /desk/factor?next=`
pub(super) async fn show(uri: Uri, here: Threshold) -> Answer {
    let next = here.onward(&query(&uri, "next").unwrap_or_default());
    here.show(&next, None).await
}

/// `POST /desk/factor` (`factor-code`, `next`)
pub(super) async fn give(State(edge): State<Edge>, request: Request) -> Answer {
    let (here, fields) = Threshold::form(request, &edge).await?;
    let next = here.onward(fields.one("next"));
    match edge.app.subjects.prove_factor(&here.at.session, fields.one(CODE)).await {
        Ok(redeemed) => {
            let mut response = Redirect::to(&next).into_response();
            set_cookie(&mut response, &session_cookie(&edge, redeemed.cookie.expose()));
            Ok(response)
        }
        Err(error) => here.show(&next, Some(wrong(error, CODE, edge.app.clock.now())?)).await,
    }
}

/// `POST /desk/factor/set-up` (`code`, `next`)
pub(super) async fn set_up(State(edge): State<Edge>, request: Request) -> Answer {
    let (here, fields) = Threshold::form(request, &edge).await?;
    let next = here.onward(fields.one("next"));
    let enrolled = match edge.app.subjects.confirm_factor(&here.at.session, fields.one("code")).await {
        Ok(enrolled) => enrolled,
        Err(error) => return here.show(&next, Some(wrong(error, "code", edge.app.clock.now())?)).await,
    };
    if let Some(until) = enrolled.held_until {
        here.tell(WhatOfFactor::Replaced(until)).await;
    }
    let mut response = page(&FactorCodes {
        shell: here.shell()?,
        codes: enrolled.codes.iter().map(|code| code.expose().clone()).collect(),
        renewed: false,
        held_until: enrolled.held_until.map(Moment::from),
        next,
    })?;
    set_cookie(&mut response, &session_cookie(&edge, enrolled.session.cookie.expose()));
    Ok(response)
}

/// `GET /desk/factor/codes`: asks for a code of the app before new recovery codes are made.
pub(super) async fn ask_codes(here: Threshold) -> Answer {
    here.show_renewal(None).await
}

/// `POST /desk/factor/codes` (`factor-code`)
pub(super) async fn renew_codes(State(edge): State<Edge>, request: Request) -> Answer {
    let (here, fields) = Threshold::form(request, &edge).await?;
    here.inside()?;
    let codes = match edge.app.subjects.renew_codes(&here.at.session, fields.one(CODE)).await {
        Ok(codes) => codes,
        Err(error) => return here.show_renewal(Some(wrong(error, CODE, edge.app.clock.now())?)).await,
    };
    here.tell(WhatOfFactor::CodesRenewed).await;
    page(&FactorCodes {
        shell: here.shell()?,
        codes: codes.iter().map(|code| code.expose().clone()).collect(),
        renewed: true,
        held_until: None,
        next: here.onward(""),
    })
}

/// Lets whoever sits here do one of the gravest acts, if their proof is fresh, or if they gave a code along; otherwise
/// answers with the page that asks for one, and that sends what they typed once more.
pub(super) async fn once_more(
    seat: &mut Seat,
    path: &str,
    fields: &Fields,
    renewed: &Renewed,
) -> Result<(), Box<Response>> {
    let fail = |fault: Fault| Box::new(fault.into_response());
    let edge = seat.edge.clone();
    match seat.staff.may_act_gravely(&edge).await {
        Err(fault) if fault.kind == Kind::StepUp => {}
        other => return other.map_err(fail),
    }
    let mut mistake = None;
    let code = fields.one(CODE);
    if !code.is_empty() {
        match edge.app.subjects.prove_factor(&seat.staff.session, code).await {
            Ok(redeemed) => {
                renewed.set(Secret::new(session_cookie(&edge, redeemed.cookie.expose())));
                seat.staff.session = redeemed.session;
                return Ok(());
            }
            Err(error) => mistake = Some(wrong(error, CODE, edge.app.clock.now()).map_err(fail)?),
        }
    }
    Err(again(seat, path, fields, mistake).await.map_or_else(fail, Box::new))
}

async fn again(seat: &Seat, path: &str, fields: &Fields, mistake: Option<Mistake>) -> Answer {
    let factor = seat.edge.app.subjects.factor(&seat.staff.staff).await?;
    let shell = outside(&seat.edge, &seat.tenant, seat.form_token())?;
    let form = (path.to_owned(), fields.carried());
    page(&asked(&seat.edge, shell, &factor, form, true, mistake))
}
