//! Another address: the link in the new mailbox, and the one in the old. A link shows a page; only its button does anything,
//! so that a scanner that opens links changes nothing.

use axum::http::Uri;

use super::letters::nothing;
use crate::speech::key;
use crate::subjects::{Error as Refused, OpenMove};
use crate::web::form::Filled;
use crate::web::page::{Answer, Visit, html};
use crate::web::view::{LetterDone, Mistakes, Shell, SignInConfirm, Viewer};

/// `GET /address/confirm?token=`
pub(crate) async fn confirm(visit: Visit, uri: Uri) -> Answer {
    let link = Filled::of_query(&uri);
    let opened = visit.edge.app.subjects.address_opened(&visit.tenant, link.one("token")).await;
    let says = key("Your account at {brand} is to have this address, to which the letter went.");
    question(&visit, link.one("token"), opened, ("/address/confirm", says, key("Use this address"))).await
}

/// `POST /address/confirm` (`token`)
pub(crate) async fn enter(visit: Visit, form: Filled) -> Answer {
    let requests = &visit.edge.app.requests;
    let moved = requests.confirm_address(&visit.tenant, form.one("token"), visit.session.as_ref()).await;
    let says = [
        key("You sign in with the new address from now on. Every other session has ended."),
        key(
            "For three days no archive leaves your account and nothing is erased at once. Until then the old mailbox can undo this.",
        ),
    ];
    done(&visit, moved.map(|_| ()), key("Your address is changed"), &says).await
}

/// `GET /address/undo?token=`
pub(crate) async fn ask_undo(visit: Visit, uri: Uri) -> Answer {
    let link = Filled::of_query(&uri);
    let opened = visit.edge.app.subjects.undo_opened(&visit.tenant, link.one("token")).await;
    let says =
        key("Your account at {brand} keeps the address to which this letter went, and every session ends.");
    question(&visit, link.one("token"), opened, ("/address/undo", says, key("Keep the old address"))).await
}

/// `POST /address/undo` (`token`)
pub(crate) async fn undo(visit: Visit, form: Filled) -> Answer {
    let undone = visit.edge.app.requests.undo_address(&visit.tenant, form.one("token")).await;
    let says = [key(
        "Every session has ended, and the erasures and corrections that were asked for since the change are taken back. Sign in with the old address, and look through your requests: whatever else somebody asked for you can take back there.",
    )];
    done(&visit, undone.map(|_| ()), key("Your account keeps its address"), &says).await
}

async fn question(
    visit: &Visit,
    token: &str,
    opened: Result<OpenMove, Refused>,
    (action, says, button): (&str, &'static str, &'static str),
) -> Answer {
    let opened = match opened {
        Ok(opened) => opened,
        Err(Refused::BadProof) => return nothing(visit).await,
        Err(e) => return Err(e.into()),
    };
    html(&SignInConfirm {
        shell: visit.shell().await?,
        token: token.to_owned(),
        action: action.to_owned(),
        says: visit.tongue().put(says).with("brand", visit.brand()).text(),
        button: visit.tongue().say(button).to_owned(),
        until: Some(opened.until.into()),
        asks_code: false,
        mistakes: Mistakes::default(),
    })
}

async fn done(
    visit: &Visit,
    done: Result<(), crate::requests::Error>,
    title: &'static str,
    says: &[&'static str],
) -> Answer {
    match done {
        Ok(()) => {}
        Err(crate::requests::Error::Subjects(Refused::BadProof)) => return nothing(visit).await,
        Err(e) => return Err(e.into()),
    }
    // Whoever was signed in may not be any more.
    let shell = Shell { viewer: Viewer::Nobody, ..visit.shell().await? };
    html(&LetterDone {
        title: visit.tongue().say(title).to_owned(),
        says: says.iter().map(|line| visit.tongue().say(line).to_owned()).collect(),
        filed: None,
        shell,
    })
}
