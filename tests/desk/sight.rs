//! The door of the desk with a second factor and a provider, as it is seen: axe-core in Chromium, and the eye.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::policy::Role;
use vouchsafe::subjects::SignedIn;

use super::factor::{HOLD, Telephone, arrive, fill, look, session};
use super::provider::{self, with_provider};
use super::{form_token, send_with, shown};
use crate::support::call::Sender;
use crate::support::eyes::{EVERY_LIGHT, Eyes};
use crate::support::oidc::FakeProvider;
use crate::support::{Backend, TestApp, render};

/// Every page of the door, by name.
async fn pages(app: &TestApp, there: &FakeProvider) -> Vec<(&'static str, String)> {
    let mut all = vec![("door-provider", shown(&look(app, &Sender::nobody(), "/sign-in").await))];
    let staff = app.staff(Role::Admin).await;
    let by = arrive(app, &staff).await;
    let page = shown(&look(app, &by, "/factor").await);
    let token = form_token(&page);
    let telephone = Telephone::reads(&page);
    all.push(("factor-new", page));
    all.push((
        "factor-new-mistake",
        shown(&send_with(app, &by, "/factor/set-up", &[("code", "1")], &token).await),
    ));
    let code = telephone.shows(app);
    all.push((
        "factor-codes",
        shown(&send_with(app, &by, "/factor/set-up", &[("code", &code)], &token).await),
    ));
    app.advance(TimeDelta::seconds(60));
    let by = arrive(app, &staff).await;
    let page = shown(&look(app, &by, "/factor").await);
    let wrong = send_with(app, &by, "/factor", &[("factor-code", "1")], &form_token(&page)).await;
    all.extend([("factor", page), ("factor-mistake", shown(&wrong))]);
    all.push(("factor-again", again(app, there).await));
    all.push(("door-refused", shown(&provider::sign_in(app, there, "nobody@flux-kontext.example").await)));
    all.push(("come-in", shown(&provider::sign_in(app, there, provider::EMAIL).await)));
    all
}

/// One who came by the provider, and holds a proof that is not fresh any more.
async fn again(app: &TestApp, there: &FakeProvider) -> String {
    there.change(|claims| claims["amr"] = json!(["otp"]));
    there.set_time(app.now());
    let by = session(&provider::sign_in(app, there, provider::EMAIL).await);
    app.advance(TimeDelta::minutes(16));
    there.set_time(app.now());
    shown(&fill(app, &by, "/holds", "/holds", &HOLD).await)
}

/// One whose factor is in place of another, and whose code was not right when it was asked for once more.
async fn replaced(app: &TestApp) -> Vec<(&'static str, String)> {
    let staff = app.staff(Role::Support).await;
    let by = arrive(app, &staff).await;
    let page = shown(&look(app, &by, "/factor").await);
    let code = Telephone::reads(&page).shows(app);
    send_with(app, &by, "/factor/set-up", &[("code", &code)], &form_token(&page)).await;
    app.app.subjects.reset_factor(&staff.member).await.unwrap();
    let by = Sender::named_cookie("__Host-desk", &app.sign_in(&SignedIn::Staff(staff.member)).await);
    let page = shown(&look(app, &by, "/factor").await);
    let code = Telephone::reads(&page).shows(app);
    let codes = send_with(app, &by, "/factor/set-up", &[("code", &code)], &form_token(&page)).await;
    vec![("factor-replaces", page), ("factor-codes-held", shown(&codes))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn axe_finds_nothing_at_the_door_of_the_desk() {
    let (app, there) = with_provider(Backend::Sqlite, FakeProvider::es256()).await.unwrap();
    let mut pages = pages(&app, &there).await;
    pages.extend(replaced(&app).await);
    render::write(&pages);
    // A page that leads on by itself could not be looked at.
    let still = |html: String| html.replace("http-equiv=\"refresh\"", "name=\"led-on\"");
    let album: Vec<_> = pages.into_iter().map(|(name, html)| (name.to_owned(), still(html))).collect();
    let eyes = Eyes::open().await;
    let found = eyes.look_over(&album, EVERY_LIGHT).await;
    eyes.close().await;
    assert!(found.is_empty(), "{} things:\n{}", found.len(), found.join("\n"));
}
