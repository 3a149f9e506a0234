//! Letters that came in, confirmed by their writers.

use axum::http::{StatusCode, Uri};

use crate::intake::Error as Refused;
use crate::web::form::Filled;
use crate::web::page::{Answer, Visit, again, html, html_as};
use crate::web::shape::account::mistake;
use crate::web::shape::letters::{chosen, confirm as page, declined, done, over};
use crate::web::view::Mistakes;

/// `GET /letters/confirm?token=`: a page with a button. Nothing has happened yet, so a mail scanner confirms nothing.
pub(crate) async fn confirm(visit: Visit, uri: Uri) -> Answer {
    asked(&visit, &Filled::of_query(&uri), Mistakes::default()).await
}

async fn asked(visit: &Visit, form: &Filled, mistakes: Mistakes) -> Answer {
    let first = mistakes.none();
    match visit.edge.app.intake.opened(&visit.tenant, form.one("token")).await {
        Ok(opened) => {
            let page = page(visit.shell().await?, &visit.policy, opened, form, mistakes);
            if first { html(&page) } else { again(&page) }
        }
        Err(Refused::BadLink) => nothing(visit).await,
        Err(e) => Err(e.into()),
    }
}

/// A link that opens nothing.
pub(super) async fn nothing(visit: &Visit) -> Answer {
    html_as(StatusCode::NOT_FOUND, &over(visit.shell().await?))
}

/// `POST /letters/confirm` (`token`, `choice`, `text`): the button.
pub(crate) async fn enter(visit: Visit, form: Filled) -> Answer {
    let ask = match chosen(visit.tongue(), &visit.policy, &form) {
        Ok(ask) => ask,
        Err(mistakes) => return asked(&visit, &form, mistakes).await,
    };
    let intake = &visit.edge.app.intake;
    match intake.confirm(&visit.tenant, form.one("token"), (ask, form.one("text"))).await {
        Ok(confirmed) => html(&done(visit.shell().await?, &confirmed)),
        Err(Refused::BadLink) => nothing(&visit).await,
        Err(Refused::Requests(crate::requests::Error::Invalid(why))) => {
            asked(&visit, &form, mistake("choice", why)).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /letters/decline` (`token`): the letter was not theirs.
pub(crate) async fn decline(visit: Visit, form: Filled) -> Answer {
    match visit.edge.app.intake.decline(&visit.tenant, form.one("token")).await {
        Ok(()) => html(&declined(visit.shell().await?)),
        Err(Refused::BadLink) => nothing(&visit).await,
        Err(e) => Err(e.into()),
    }
}
