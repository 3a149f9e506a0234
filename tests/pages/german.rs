//! One person's way through the pages in German, and which language is spoken to whom.

use vouchsafe::jobs::{Jobs, Task};
use vouchsafe::speech::Tongue;

use super::browser::{Browser, Page, ROOT, mailed_path};
use super::versions::publish;
use super::with_pages;
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::photograph;

const ADA: &str = "ada@example.org";

fn german() -> Browser {
    Browser::that_speaks(Tongue::German)
}

/// Asks for something, from the question to the page of the request.
async fn filed(app: &TestApp, ada: &mut Browser, right: &str, answers: &[(&str, &str)]) -> Page {
    let page = ada.go(app, &format!("{ROOT}/privacy/ask/{right}")).await;
    page.says("Sie bekommen eine Antwort innerhalb von 72 Stunden.");
    let page = ada.send(app, &page, &format!("/ask/{right}/check"), answers).await;
    assert_eq!(page.heading(), "Prüfen, bevor Sie den Antrag stellen");
    page.says("Das Gesetz verlangt sie bis");
    let page = ada.send(app, &page, &format!("/ask/{right}"), &[]).await;
    page.says("Ihr Aktenzeichen ist");
    ada.go(app, page.link("/privacy/requests/PR-").as_str()).await
}

/// Every letter since the last look, newest last: subject and text.
async fn letters(app: &TestApp, read: &mut usize) -> Vec<(String, String)> {
    let jobs = Jobs::new(app.app.clone());
    jobs.reconcile(Task::Letters, &|| false).await.unwrap();
    let all = app.mails();
    let new =
        all[*read..].iter().map(|sent| (sent.letter.subject.clone(), sent.letter.text.clone())).collect();
    *read = all.len();
    new
}

each_app! {
    async fn a_person_signs_up_edits_asks_switches_and_is_erased_in_german(app: TestApp) {
        let app = with_pages(app);
        let mut ada = german();
        let page = ada.open_account(&app, ADA, &["improvement"]).await;
        assert_eq!(page.heading(), "Meine Bilder");
        page.says("Sie sind angemeldet.");
        let letter = app.mails().pop().unwrap().letter;
        assert_eq!(letter.subject, "Bestätigen Sie Ihre Adresse für Flux Kontext");
        assert!(letter.html.contains("<html lang=\"de\">") && letter.text.contains("Der Link gilt einmal, bis "), "{}", letter.text);

        let form = ada.go(&app, &format!("{ROOT}/edit")).await;
        ada.send_photograph(&app, &form, b"GIF89a and no more", &[("prompt", "sepia")]).await.says("Wir nehmen JPEG, PNG und WebP.");
        let made = ada.send_photograph(&app, &form, &photograph(1), &[("prompt", "warmer"), ("model", "pro")]).await;
        assert_eq!(made.heading(), "Ihr Bild wird bearbeitet");
        app.settle().await;
        assert_eq!(ada.go(&app, &made.path).await.heading(), "Ihre Bearbeitung ist fertig");
        ada.go(&app, &format!("{ROOT}/images")).await.says("Bleibt, bis Sie es löschen");

        let page = filed(&app, &mut ada, "access", &[("choice", "all")]).await;
        page.says("Ihre Daten, bereit zum Mitnehmen");
        let wrong = ada.go(&app, &format!("{ROOT}/privacy/ask/rectification")).await;
        ada.send(&app, &wrong, "/check", &[]).await.says("Schreiben Sie, was berichtigt werden soll.");
        filed(&app, &mut ada, "rectification", &[("text", "Der Name auf meiner Rechnung.")]).await.says("Jemand sieht es sich an.");
        let page = filed(&app, &mut ada, "objection", &[("choice", "analytics")]).await;
        assert!(page.heading().ends_with("“ widersprechen"), "{}", page.heading());
        filed(&app, &mut ada, "withdrawal", &[("choice", "improvement")]).await.says("Erledigt");
        assert_eq!(filed(&app, &mut ada, "restriction", &[]).await.heading(), "Alles anhalten");
        let page = ada.go(&app, &format!("{ROOT}/privacy")).await;
        page.says("Die Verarbeitung ist eingeschränkt.");
        page.says("<div lang=\"en\"><h3>");
        ada.send(&app, &page, "/restriction/lift", &[]).await.says("Die Pause ist aufgehoben.");

        let page = ada.go(&app, &format!("{ROOT}/privacy")).await;
        let page = ada.send(&app, &page, "/consents/improvement", &[]).await;
        page.says("Eingeschaltet. Sie können es jederzeit wieder ausschalten.");
        ada.send(&app, &page, "/consents/improvement", &[]).await.says("Ausgeschaltet.");
        let page = ada.go(&app, &format!("{ROOT}/privacy/details")).await;
        ada.send(&app, &page, "/privacy/details", &[("name", ""), ("username", "a"), ("email", "x")]).await.says("Geben Sie Ihren Namen ein.");

        let page = ada.go(&app, &format!("{ROOT}/privacy/erase")).await;
        page.says("Mein Konto und 1 Bild löschen");
        ada.send(&app, &page, "/privacy/erase", &[("when", "now")]).await.says("Setzen Sie das Häkchen");
        let page = ada.send(&app, &page, "/privacy/erase", &[("when", "now"), ("sure", "yes")]).await;
        assert_eq!(page.heading(), "Wir haben gelöscht.");
        page.says("Ein zweiter Teil des Programms");
        let receipt = page.link("/receipts/rct_");
        let page = german().go(&app, receipt.trim_end_matches("/file")).await;
        page.says("Beleg über eine Löschung");
        assert_eq!(page.heading(), "Die Daten einer Person wurden gelöscht.");
        page.says("Er beweist nicht, dass es nirgends eine Kopie gibt");
    }

    async fn letters_are_in_the_language_the_person_reads_in(app: TestApp) {
        let app = with_pages(app);
        let (mut ada, mut eve) = (german(), Browser::default());
        ada.open_account(&app, ADA, &[]).await;
        eve.open_account(&app, "eve@example.org", &[]).await;
        let mut read = app.mails().len();
        filed(&app, &mut ada, "access", &[("choice", "all")]).await;
        let told = letters(&app, &mut read).await;
        let subjects: Vec<&str> = told.iter().map(|(subject, _)| subject.as_str()).collect();
        assert!(subjects.iter().any(|s| s.starts_with("Wir haben Ihren Antrag PR-")), "{subjects:?}");
        assert!(subjects.iter().any(|s| s.starts_with("Unsere Antwort auf Ihren Antrag PR-")), "{subjects:?}");
        assert!(told.iter().any(|(_, text)| text.contains("Ihr Archiv ist bereit.")), "{told:?}");

        let page = ada.go(&app, &format!("{ROOT}/privacy/erase")).await;
        ada.send(&app, &page, "/privacy/erase", &[("when", "later"), ("sure", "yes")]).await;
        let told = letters(&app, &mut read).await;
        assert!(told.iter().any(|(subject, _)| subject.starts_with("Ihr Konto bei Flux Kontext wird am ")), "{told:?}");
        assert!(told.iter().any(|(_, text)| text.contains("Danach kann es niemand mehr, auch wir nicht.")), "{told:?}");

        publish(&app).await;
        app.settle().await;
        let news: Vec<String> = app.mails()[read..].iter().map(|sent| sent.letter.subject.clone()).collect();
        assert!(news.iter().any(|s| s.starts_with("Die Datenschutzerklärung von Flux Kontext ändert sich am ")), "{news:?}");
        assert!(news.iter().any(|s| s.starts_with("The privacy policy of Flux Kontext changes on ")), "{news:?}");
    }

    async fn a_choice_outlives_what_the_browser_likes_and_signing_in(app: TestApp) {
        let app = with_pages(app);
        let mut ada = Browser::default();
        let page = ada.go(&app, &format!("{ROOT}/sign-up?lang=fr")).await;
        assert_eq!(page.heading(), "Open an account");
        assert!(ada.cookies().is_empty());
        let page = ada.go(&app, &page.link("lang=de")).await;
        assert_eq!((page.heading().as_str(), page.answer.header("content-language")), ("Ein Konto eröffnen", "de"));
        page.says("<html lang=\"de\">");
        page.says("lang=\"en\" hreflang=\"en\">English</a>");
        assert!(page.answer.header("vary").contains("accept-language"));
        let page = ada.send(&app, &page, "/sign-up", &[("email", ADA)]).await;
        assert_eq!(page.heading(), "Sehen Sie in Ihr Postfach");
        app.work().await;
        let page = ada.go(&app, &mailed_path(&app)).await;
        let page = ada.send(&app, &page, "/sign-in/confirm", &[]).await;
        assert_eq!(page.heading(), "Meine Bilder");
        let page = ada.go(&app, &format!("{ROOT}/nowhere")).await;
        assert_eq!((page.status, page.heading().as_str()), (404, "Hier ist keine Seite"));
        let page = ada.go(&app, &format!("{ROOT}/nowhere{}", page.link("lang=en"))).await;
        assert_eq!(page.heading(), "There is no page here");
        assert_eq!(ada.go(&app, &format!("{ROOT}/images")).await.heading(), "My pictures");
        let mut hers = german();
        let page = hers.go(&app, &format!("{ROOT}/policy?lang=en")).await;
        page.says("How these promises stand");
        hers.go(&app, &format!("{ROOT}/ledger")).await.says("Recent entries");
    }

    async fn the_desk_the_api_and_the_document_stay_english(app: TestApp) {
        let app = with_pages(app);
        let mut ada = german();
        let page = ada.go(&app, &format!("{ROOT}/desk/sign-in?lang=de")).await;
        page.says("<html lang=\"en\">");
        assert!(page.links("lang=de").is_empty() && !ada.cookies().iter().any(|c| c.contains("lang")));
        ada.go(&app, "/ledger/verify").await.says("<html lang=\"en\">");
        let told = app.get("/v1/nothing").header("accept-language", "de").send().await;
        assert!(told.text().contains("There is nothing here."), "{}", told.text());
        let page = ada.go(&app, &format!("{ROOT}/policy")).await;
        page.says("Wie es um diese Zusagen steht");
        page.says("Das Dokument selbst ist auf Englisch");
        page.says("<h1 lang=\"en\">");
        page.says("<div class=\"text\" lang=\"en\">");
    }
}
