//! One person's way through the pages, from the first visit to the proof that nothing is left.

use std::io::Cursor;
use std::io::Read as _;

use vouchsafe::ledger::Receipt;

use super::browser::{Browser, Page, ROOT};
use super::with_pages;
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::photograph;

const ADA: &str = "ada@example.org";

async fn edited(app: &TestApp, ada: &mut Browser, prompt: &str, seed: u64) -> Page {
    let page = ada.go(app, &format!("{ROOT}/edit")).await;
    let page =
        ada.send_photograph(app, &page, &photograph(seed), &[("prompt", prompt), ("model", "pro")]).await;
    assert_eq!(page.heading(), "Your edit is being made", "{}", page.html());
    app.settle().await;
    let page = ada.go(app, &page.path).await;
    assert_eq!(page.heading(), "Your edit is done");
    page.says("Result marked with how it was made");
    page
}

/// Asks for something, from the question to the page that says it is filed, and gives the page of the request.
async fn filed(app: &TestApp, ada: &mut Browser, right: &str, answers: &[(&str, &str)]) -> Page {
    let page = ada.go(app, &format!("{ROOT}/privacy/ask/{right}")).await;
    let page = ada.send(app, &page, &format!("/ask/{right}/check"), answers).await;
    assert_eq!(page.heading(), "Check before you file");
    let page = ada.send(app, &page, &format!("/ask/{right}"), &[]).await;
    page.says("Your reference is");
    ada.go(app, page.link("/privacy/requests/PR-").as_str()).await
}

fn files(zip: &[u8]) -> Vec<String> {
    let archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    archive.file_names().filter_map(Result::ok).map(std::borrow::Cow::into_owned).collect()
}

fn whole(zip: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut all = String::new();
    for n in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(n).unwrap().read_to_end(&mut bytes).unwrap();
        all.push_str(&String::from_utf8_lossy(&bytes));
    }
    all
}

each_app! {
    async fn a_person_signs_up_edits_sees_takes_home_corrects_withdraws_and_is_erased(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();

        let page = ada.open_account(&app, ADA, &["improvement"]).await;
        assert_eq!(page.heading(), "My pictures");
        page.says("Your pictures will appear here.");

        edited(&app, &mut ada, "Warmer <b>sky</b>", 1).await;
        let page = ada.go(&app, &format!("{ROOT}/images")).await;
        page.says("Warmer &#60;b&#62;sky&#60;/b&#62;");
        let picture = page.link("/images/obj_");
        let small = ada.go(&app, &format!("{picture}/small")).await;
        assert_eq!(small.answer.header("content-type"), "image/jpeg");
        let file = ada.go(&app, &format!("{picture}/file")).await;
        assert_eq!(file.answer.header("content-length"), file.answer.body.len().to_string());
        assert!(file.answer.header("content-disposition").starts_with("attachment"));
        // The studio is no AI, and neither the picture's file nor its pages say that it was one.
        let page = ada.go(&app, &picture).await;
        page.says("it is no AI");
        page.says("JPEG, marked with how it was made");
        assert!(!page.html().contains("edited with AI"), "{}", page.html());

        let request = filed(&app, &mut ada, "access", &[("choice", "all")]).await;
        request.says("ready to take home");
        let zip = ada.go(&app, &request.link("/archive")).await.answer;
        assert_eq!(zip.header("content-length"), zip.body.len().to_string());
        assert!(files(&zip.body).iter().any(|f| f.ends_with("index.html")), "{:?}", files(&zip.body));
        assert!(whole(&zip.body).contains(ADA) && whole(&zip.body).contains("sky"));

        let page = ada.go(&app, &format!("{ROOT}/privacy/details")).await;
        let new = [("name", "Countess"), ("username", "ada"), ("email", ADA)];
        let page = ada.send(&app, &page, "/privacy/details", &new).await;
        page.says("Your details are corrected.");
        page.says("value=\"Countess\"");

        let page = ada.go(&app, &format!("{ROOT}/privacy")).await;
        let page = ada.send(&app, &page, "/consents/improvement", &[]).await;
        page.says("Switched off.");
        filed(&app, &mut ada, "restriction", &[]).await.says("Done");
        ada.go(&app, &format!("{ROOT}/edit")).await.says("Nothing can be edited just now.");
        let page = ada.go(&app, &format!("{ROOT}/privacy")).await;
        ada.send(&app, &page, "/restriction/lift", &[]).await.says("The pause is lifted.");

        let page = ada.go(&app, &format!("{ROOT}/privacy/erase")).await;
        page.says("Erase my account and 1 image");
        let page = ada.send(&app, &page, "/privacy/erase", &[("when", "now")]).await;
        assert_eq!(page.status, 422);
        let page = ada.send(&app, &page, "/privacy/erase", &[("when", "now"), ("sure", "yes")]).await;
        assert_eq!(page.heading(), "We erased it.");
        assert!(!ada.cookies().contains(&"__Host-sid"), "{:?}", ada.cookies());
        assert!(app.blobs().await.is_empty());

        let receipt = page.link("/receipts/rct_");
        let mut stranger = Browser::default();
        let file = stranger.go(&app, &receipt).await.answer.text();
        let verified = Receipt::parse(&file).unwrap().verify(app.app.ledger.verifier(), &[]).unwrap();
        assert_eq!(verified.kind.as_str(), "erasure.completed");
        stranger.go(&app, receipt.trim_end_matches("/file")).await.says("Receipt of an erasure");
        stranger.go(&app, &page.path).await.says("We erased it.");
        assert_eq!(ada.go(&app, &picture).await.heading(), "Sign in");
    }

    async fn an_erasure_that_is_set_can_be_taken_back(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, ADA, &[]).await;
        let page = ada.go(&app, &format!("{ROOT}/privacy/erase")).await;
        let when = vouchsafe::speech::Tongue::English.time(app.now().plus(chrono::TimeDelta::hours(71)));
        page.says(&when);
        page.says("nothing of yours opens here any more");
        page.says("are destroyed by <time");
        assert!(!page.html().contains("backup either"), "{}", page.html());
        let page = ada.send(&app, &page, "/privacy/erase", &[("when", "later"), ("sure", "yes")]).await;
        assert_eq!(page.heading(), "Your erasure is set");
        page.says(&when);
        let page = ada.go(&app, &page.link("/privacy/requests/PR-")).await;
        page.says("can still be taken back");
        page.says(&format!("It takes place on {when}. Until then everything stays as it is"));
        ada.send(&app, &page, "/withdraw", &[]).await.says("The request is taken back.");
        app.advance(chrono::TimeDelta::days(5));
        app.settle().await;
        assert_eq!(ada.go(&app, &format!("{ROOT}/images")).await.heading(), "My pictures");
    }

    async fn a_picture_that_is_deleted_is_gone_with_what_was_kept_of_it(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        ada.open_account(&app, ADA, &[]).await;
        edited(&app, &mut ada, "sepia", 2).await;
        let picture = ada.go(&app, &format!("{ROOT}/images")).await.link("/images/obj_");
        let page = ada.go(&app, &format!("{picture}/delete")).await;
        assert_eq!(page.heading(), "Delete this picture?");
        page.says("nobody can open it here");
        page.says("within two weeks");
        assert_eq!(vouchsafe::keystore::EPOCH_LASTS * 2, chrono::TimeDelta::weeks(2));
        ada.send(&app, &page, "/delete", &[]).await.says("Your pictures will appear here.");
        assert_eq!(ada.go(&app, &picture).await.status, 404);
        app.settle().await;
        assert!(app.blobs().await.is_empty());
        let page = ada.go(&app, &format!("{ROOT}/privacy")).await;
        page.says("prompts");
        assert!(!page.html().contains("<h3>Prompts"), "{}", page.html());
    }
}
