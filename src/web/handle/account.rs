//! Coming in and going out: a link to one's own mailbox, a button, a cookie.

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::response::Response;
use serde::Deserialize;

use crate::edge::{CalledFrom, Edge, Fault, cookie_of};
use crate::speech::Case;
use crate::subjects::{Email, Error as Refused, LINK_LIFE, LinkFor, LinkWish, NewAccount, SignedIn};
use crate::vault::Owner;
use crate::web::form::Filled;
use crate::web::page::{Answer, Done, Person, Visit, again, cookie, day, html, not_found, see_done, with};
use crate::web::shape::account::{
    Signing, bad_address, choices, confirm_action, confirm_path, confirms, mistake, next, ticked,
};
use crate::web::view::{MailSent, Mistakes, SignIn, SignInConfirm, SignUp};

/// How long a session's cookie stays, in seconds: as long as a session at most.
const SESSION_SECONDS: u32 = 30 * 24 * 3600;
/// How long a browser remembers that it asked for a link.
const ASKED_SECONDS: u32 = 3600;

/// Where to go after signing in.
#[derive(Debug, Deserialize)]
pub(crate) struct Onward {
    next: Option<String>,
}

/// `GET /sign-in`
pub(crate) async fn sign_in(visit: Visit, Query(to): Query<Onward>) -> Answer {
    let next = next(&to.next.unwrap_or_default());
    html(&sign_in_page(&visit, String::new(), next, Mistakes::default()).await?)
}

async fn sign_in_page(
    visit: &Visit,
    email: String,
    next: String,
    mistakes: Mistakes,
) -> Result<SignIn, Fault> {
    Ok(SignIn { shell: visit.shell().await?, email, next, mistakes })
}

/// `POST /sign-in`: the same answer whether the address is known or not.
pub(crate) async fn ask(visit: Visit, headers: HeaderMap, form: Filled) -> Answer {
    let (typed, next) = (form.one("email").to_owned(), next(form.one("next")));
    let Ok(email) = typed.parse::<Email>() else {
        let wrong = bad_address(visit.tongue());
        return again(&sign_in_page(&visit, typed, next, wrong).await?);
    };
    let asked = Asked { email, typed, next, consents: Vec::new(), opens: None };
    mail(&visit, &headers, asked).await
}

/// `GET /sign-up`
pub(crate) async fn sign_up(visit: Visit) -> Answer {
    let empty = Signing { email: String::new(), name: String::new(), consents: Vec::new() };
    html(&sign_up_page(&visit, empty, Mistakes::default()).await?)
}

async fn sign_up_page(visit: &Visit, typed: Signing, mistakes: Mistakes) -> Result<SignUp, Fault> {
    Ok(SignUp {
        shell: visit.shell().await?,
        policy_version: visit.policy.version().to_owned(),
        policy_effective: day(visit.policy.effective()),
        choices: choices(&visit.policy, &typed.consents),
        email: typed.email,
        name: typed.name,
        mistakes,
    })
}

/// `POST /sign-up`: opens the account, and says the same if there is one. What was ticked is agreed to only with the
/// button behind the link, so that nobody agrees for the owner of an address.
pub(crate) async fn open(visit: Visit, headers: HeaderMap, form: Filled) -> Answer {
    let typed = Signing::of(&visit.policy, &form);
    let Ok(email) = typed.email.parse::<Email>() else {
        let wrong = bad_address(visit.tongue());
        return again(&sign_up_page(&visit, typed, wrong).await?);
    };
    let called = typed.called();
    let new = NewAccount { email: email.clone(), username: called.clone(), name: called.clone() };
    match new.sound() {
        Err(Refused::BadName { why, .. }) => {
            let said = visit.tongue().put("This name {why}.").with("why", visit.tongue().tell(why));
            let wrong = mistake("name", said.text());
            return again(&sign_up_page(&visit, typed, wrong).await?);
        }
        other => other?,
    }
    let Signing { email: typed, consents, .. } = typed;
    mail(&visit, &headers, Asked { email, typed, next: "/images".to_owned(), consents, opens: Some(called) })
        .await
}

/// A link that was asked for.
pub(super) struct Asked {
    pub(super) email: Email,
    pub(super) typed: String,
    pub(super) next: String,
    pub(super) consents: Vec<String>,
    /// What an account is to be called that is opened if the address has none.
    pub(super) opens: Option<String>,
}

/// Has a link mailed to an address, if it is known, and says in any case that it is on its way. Whether it is known is
/// looked up when the letter is written, so that the time of this answer does not tell.
pub(super) async fn mail(visit: &Visit, headers: &HeaderMap, asked: Asked) -> Answer {
    let edge = &visit.edge;
    let known = cookie_of(headers, edge.browser_cookie()).filter(|code| code.len() == 11);
    let code = known.unwrap_or_else(|| edge.app.entropy.reference());
    let path = confirm_path(&asked.next, &asked.consents);
    let wish = LinkWish {
        whom: LinkFor::Subject,
        email: &asked.email,
        browser: &code,
        tells_code: true,
        opens: asked.opens.as_deref(),
        path: &path,
        tongue: visit.tongue(),
    };
    let link = match edge.app.subjects.ask_link(&visit.tenant, &wish).await {
        Ok(link) => Some(link),
        Err(Refused::TooMany) => {
            tracing::warn!("a sign-in link was asked for too often");
            None
        }
        Err(e) => return Err(e.into()),
    };
    // In development there is nobody to keep it from.
    let shown = link.filter(|_| edge.development()).map(|path| format!("{}{}", visit.root(), path.expose()));
    let page = MailSent {
        shell: visit.shell().await?,
        email: asked.typed,
        opens: asked.opens.is_some(),
        lives: visit.tongue().span(LINK_LIFE, Case::Plain),
        development_link: shown,
    };
    Ok(with(html(&page)?, header::SET_COOKIE, &cookie(edge, edge.browser_cookie(), &code, ASKED_SECONDS)))
}

/// `GET /sign-in/confirm`: a page with a button. Nothing has happened yet, so a mail scanner signs nobody in.
pub(crate) async fn confirm(visit: Visit, headers: HeaderMap, uri: Uri) -> Answer {
    let link = Filled::of_query(&uri);
    let knows_code = cookie_of(&headers, visit.edge.browser_cookie()).is_some();
    let asks_code = link.one("bound") == "yes" && !knows_code;
    html(&confirm_page(&visit, &link, link.one("token"), asks_code, Mistakes::default()).await?)
}

async fn confirm_page(
    visit: &Visit,
    link: &Filled,
    token: &str,
    asks_code: bool,
    mistakes: Mistakes,
) -> Result<SignInConfirm, Fault> {
    let until = visit.edge.app.subjects.link_ends(&visit.tenant, token).await?;
    let consents = ticked(&visit.policy, link.all("consent"));
    Ok(SignInConfirm {
        shell: visit.shell().await?,
        token: token.to_owned(),
        action: confirm_action(&next(link.one("next")), &consents),
        says: confirms(visit, &consents),
        button: visit.tongue().say("Sign in").to_owned(),
        until: until.map(Into::into),
        asks_code,
        mistakes,
    })
}

/// `POST /sign-in/confirm`: the button.
pub(crate) async fn enter(
    visit: Visit,
    from: CalledFrom,
    headers: HeaderMap,
    uri: Uri,
    form: Filled,
) -> Answer {
    let edge = &visit.edge;
    let link = Filled::of_query(&uri);
    let typed = form.one("code").to_ascii_uppercase();
    let known = cookie_of(&headers, edge.browser_cookie());
    let code = Some(typed).filter(|c| !c.is_empty()).or(known);
    let redeemed = match edge.app.subjects.redeem(&visit.tenant, form.one("token"), code.as_deref()).await {
        Ok(redeemed) => redeemed,
        Err(Refused::BadProof) => {
            let wrong = mistake(
                "code",
                visit.tongue().say("This link and code do not open anything: they were used, they are older than 15 minutes, or they do not belong together."),
            );
            return again(&confirm_page(&visit, &link, form.one("token"), true, wrong).await?);
        }
        Err(e) => return Err(e.into()),
    };
    let SignedIn::Subject(owner) = &redeemed.session.who else { return Err(not_found()) };
    for purpose in ticked(&visit.policy, link.all("consent")) {
        edge.app.consents.set(owner, &purpose, true, "sign-up").await?;
    }
    note(edge, owner, &from).await;
    let there = see_done(&format!("{}{}", visit.root(), next(link.one("next"))), Done::SignedIn);
    let sid = cookie(edge, edge.session_cookie(), redeemed.cookie.expose(), SESSION_SECONDS);
    Ok(with(there, header::SET_COOKIE, &sid))
}

/// Notes the device. Whoever has proved who they are gets in all the same when that fails.
async fn note(edge: &Edge, owner: &Owner, from: &CalledFrom) {
    if let Err(error) = edge.app.subjects.note_device(owner, "sign-in", &from.device()).await {
        tracing::warn!(%error, "the device of a sign-in could not be noted");
    }
}

/// `POST /sign-out`
pub(crate) async fn leave(person: Person, _form: Filled) -> Answer {
    person.edge.app.subjects.sign_out(&person.session).await?;
    let there = see_done(&format!("{}/sign-in", person.root()), Done::SignedOut);
    Ok(forget(&person.edge, there))
}

/// Takes back the session's cookie, the one by which a browser that asked for a link is known, and what the browser has
/// put aside of pictures.
pub(super) fn forget(edge: &Edge, response: Response) -> Response {
    let gone = with(response, header::SET_COOKIE, &cookie(edge, edge.session_cookie(), "", 0));
    let gone = with(gone, header::SET_COOKIE, &cookie(edge, edge.browser_cookie(), "", 0));
    with(gone, HeaderName::from_static("clear-site-data"), "\"cache\"")
}
