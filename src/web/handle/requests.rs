//! Asking for something, from the question to the archive.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Response};

use super::account::{self, Asked};
use crate::edge::{Fault, watched};
use crate::policy::Right;
use crate::requests::{Ask, Request, State};
use crate::subjects::Email;
use crate::web::form::Filled;
use crate::web::page::{Answer, Done, Person, again, html, id, not_found, see, see_done, with};
use crate::web::shape::ask::{asked, check, filing, next, question, shortened};
use crate::web::shape::entries::receipt_href;
use crate::web::shape::requests::{
    answer, archive, can_withdraw, recipient, row, says, steps, title, would_stay,
};
use crate::web::view::{Mistakes, RequestFiled, RequestStatus};

/// `GET /privacy/ask/{right}`
pub(crate) async fn ask(person: Person, Path((_, right)): Path<(String, String)>) -> Answer {
    let right: Right = id(&right)?;
    if right == Right::Erasure {
        return Ok(see(&format!("{}/privacy/erase", person.root())));
    }
    ask_again(&person, right, &Filled::default(), Mistakes::default()).await
}

async fn ask_again(person: &Person, right: Right, form: &Filled, mistakes: Mistakes) -> Answer {
    let said = person.edge.app.consents.choices(&person.owner).await?;
    let first = mistakes.none();
    let shell = person.shell().await?;
    let page = question(shell, &person.policy, right, &said, form, mistakes).ok_or_else(not_found)?;
    if first { html(&page) } else { again(&page) }
}

/// `POST /privacy/ask/{right}/check`
pub(crate) async fn review(person: Person, Path((_, right)): Path<(String, String)>, form: Filled) -> Answer {
    let right: Right = id(&right)?;
    let ask = match asked(person.tongue(), &person.policy, right, &form) {
        Ok(ask) => ask,
        Err(mistakes) => return ask_again(&person, right, &form, mistakes).await,
    };
    let step_up = takes_data_out(&ask) && !person.proved_lately();
    let shell = person.shell().await?;
    html(&check(shell, &person.policy, &ask, &form, person.now, step_up).ok_or_else(not_found)?)
}

/// Whether somebody who found an open browser could carry data away with it.
fn takes_data_out(ask: &Ask) -> bool {
    matches!(ask, Ask::Access | Ask::Portability)
}

/// `POST /privacy/ask/{right}`
pub(crate) async fn file(
    person: Person,
    headers: HeaderMap,
    Path((_, right)): Path<(String, String)>,
    form: Filled,
) -> Answer {
    let right: Right = id(&right)?;
    let ask = match asked(person.tongue(), &person.policy, right, &form) {
        Ok(ask) => ask,
        Err(mistakes) => return ask_again(&person, right, &form, mistakes).await,
    };
    if takes_data_out(&ask) && !person.proved_lately() {
        return prove(&person, &headers, &format!("/privacy/ask/{right}")).await;
    }
    let filing = filing(ask, person.actor(), form.one("text"));
    let filed = person.edge.app.requests.file(&person.owner, filing).await?.request;
    Ok(see(&format!("{}/privacy/requests/{}/filed", person.root(), filed.reference)))
}

/// Sends a link to the person's own address, which leads back to `next`.
pub(super) async fn prove(person: &Person, headers: &HeaderMap, next: &str) -> Answer {
    let typed = person.profile().await?.email;
    let email: Email = typed.parse()?;
    let asked = Asked { email, typed, next: next.to_owned(), consents: Vec::new(), opens: None };
    account::mail(person, headers, asked).await
}

/// The request of this person with a number.
pub(super) async fn own(person: &Person, reference: &str) -> Result<Request, Fault> {
    let found = person.edge.app.requests.by_reference(&person.tenant, reference).await?;
    if found.subject == Some(person.owner.subject) { Ok(found) } else { Err(not_found()) }
}

/// `GET /privacy/requests/{reference}/filed`
pub(crate) async fn filed(person: Person, Path((_, reference)): Path<(String, String)>) -> Answer {
    let request = own(&person, &reference).await?;
    html(&RequestFiled {
        shell: person.shell().await?,
        title: title(person.tongue(), &person.policy, request.right, request.about.as_deref()),
        next: next(person.tongue(), request.right),
        promised_by: request.due.promise.into(),
        law_by: request.legal_due().into(),
        mail_to: shortened(&person.profile().await?.email),
        reference: request.reference,
    })
}

/// `GET /privacy/requests/{reference}`
pub(crate) async fn status(person: Person, Path((_, reference)): Path<(String, String)>) -> Answer {
    let (app, root) = (&person.edge.app, person.root());
    let request = own(&person, &reference).await?;
    let events = app.requests.timeline(&person.tenant, request.id).await?;
    let letters = app.requests.letters(&request, &person.actor()).await?;
    let holdings = app.requests.holdings(&person.owner).await?;
    let told = app.elsewhere.of_request(&person.tenant, request.id).await?;
    let missing = match request.archive {
        Some(_) => app.requests.missing(&person.owner, &request).await?,
        None => 0,
    };
    let tongue = person.tongue();
    let (answer, remedy) = answer(tongue, &letters);
    html(&RequestStatus {
        shell: person.shell().await?,
        row: row(tongue, &person.policy, &request),
        says: says(tongue, &request, missing),
        steps: steps(tongue, &request, &events),
        archive: archive(tongue, &root, &request, &holdings, person.now),
        recipients: told.iter().map(|task| recipient(tongue, &person.policy, task)).collect(),
        stays: if request.right == Right::Erasure && request.state.is_open() {
            app.vault.kept(&person.owner).await?.into_iter().map(|k| would_stay(tongue, k)).collect()
        } else {
            Vec::new()
        },
        answer,
        remedy,
        receipt_href: request.receipt.map(|id| receipt_href(&root, id)),
        can_confirm: request.state == State::IdentityPending,
        step_up: !person.proved_lately(),
        can_withdraw: can_withdraw(&request),
        reload: request.state == State::Working && request.next_at.is_some(),
    })
}

/// `POST /privacy/requests/{reference}/confirm`: the person says that it is they who ask.
pub(crate) async fn confirm(
    person: Person,
    headers: HeaderMap,
    Path((_, reference)): Path<(String, String)>,
    _form: Filled,
) -> Answer {
    let request = own(&person, &reference).await?;
    let there = format!("/privacy/requests/{}", request.reference);
    if request.state == State::IdentityPending {
        if !person.proved_lately() {
            return prove(&person, &headers, &there).await;
        }
        Box::pin(person.edge.app.requests.identity_shown(&person.owner, request.id)).await?;
        person.edge.app.drp.confirmed_on_its_page(&person.owner, request.id).await?;
    }
    Ok(see(&format!("{}{there}", person.root())))
}

/// `POST /privacy/requests/{reference}/withdraw`
pub(crate) async fn withdraw(
    person: Person,
    Path((_, reference)): Path<(String, String)>,
    _form: Filled,
) -> Answer {
    let request = own(&person, &reference).await?;
    person.edge.app.requests.cancel(&person.owner, request.id, &person.actor()).await?;
    let there = format!("{}/privacy/requests/{}", person.root(), request.reference);
    Ok(see_done(&there, Done::TakenBack))
}

/// `GET /privacy/requests/{reference}/archive`: made while it is sent; its length is known beforehand.
pub(crate) async fn take_home(
    person: Person,
    method: Method,
    headers: HeaderMap,
    Path((_, reference)): Path<(String, String)>,
) -> Answer {
    let request = own(&person, &reference).await?;
    if !person.proved_lately() {
        return prove(&person, &headers, &format!("/privacy/requests/{}", request.reference)).await;
    }
    let requests = &person.edge.app.requests;
    let archive = requests.archive(&person.owner, request.id).await?;
    // A question about the archive is no handing over.
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(watched(requests.deliver(&person.owner, &archive, None).await?))
    };
    let response: Response = ([(header::CONTENT_TYPE, "application/zip")], body).into_response();
    let response = with(response, header::CONTENT_LENGTH, &archive.len().to_string());
    let response = with(response, header::ETAG, &archive.etag());
    let name = format!("attachment; filename=\"{}\"", archive.file_name);
    Ok(with(response, header::CONTENT_DISPOSITION, &name))
}
