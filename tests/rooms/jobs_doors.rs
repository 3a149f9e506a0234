//! What the queue does for whoever stands at a door, when something is in the way of the letter.

use chrono::TimeDelta;
use vouchsafe::billing::WELCOME;
use vouchsafe::speech::Tongue;
use vouchsafe::subjects::{LinkFor, LinkWish};

use crate::each_app;
use crate::support::TestApp;
use crate::support::house::run_in;

const BOB: &str = "bob@example.org";

async fn asks_to_sign_up(app: &TestApp) {
    let email = BOB.parse().unwrap();
    let wish = LinkWish {
        whom: LinkFor::Subject,
        email: &email,
        browser: "a-browser",
        tells_code: false,
        opens: Some("Bob"),
        path: "/sign-in/confirm?until=0",
        tongue: Tongue::English,
    };
    app.app.subjects.ask_link(&app.tenant(), &wish).await.unwrap();
}

/// Signs up while the mail server is down, and gets the letter later. `killed`: after the account was opened, before anything
/// else.
async fn hears_later(app: &TestApp, killed: bool) {
    asks_to_sign_up(app).await;
    app.app.post.refuse(BOB, true);
    app.work().await;
    assert_eq!(app.mails().len(), 0);
    let bob = app.app.subjects.find(&app.tenant(), &BOB.parse().unwrap()).await.unwrap().expect("an account");
    if killed {
        run_in(&app.app.db, "DELETE FROM credit_entry").await;
    }
    app.app.post.refuse(BOB, false);
    app.advance(TimeDelta::minutes(5));
    app.work().await;
    let letters = app.mails();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].letter.subject.contains("Confirm your address"), "{}", letters[0].letter.subject);
    assert_eq!(app.app.credits.balance(&bob).await.unwrap(), WELCOME);
}

each_app! {
    async fn a_letter_that_is_written_again_still_says_that_it_opens_an_account(app: TestApp) {
        hears_later(&app, false).await;
    }

    async fn an_account_whose_opening_was_cut_off_gets_its_credits(app: TestApp) {
        hears_later(&app, true).await;
    }
}
