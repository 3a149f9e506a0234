//! Letters as mail programs write them, and letters that machines write.

use vouchsafe::intake::Outcome;

use super::{count, letter, link, privacy, take, token_of};
use crate::each_app;
use crate::support::TestApp;

/// A letter as the browser mail of a large provider writes it: two forms of one text, quoted-printable.
fn two_forms() -> String {
    format!(
        "MIME-Version: 1.0\r\nDate: Sun, 22 Nov 2026 12:59:58 +0100\r\nMessage-ID: <CAF-two@mail.example.org>\r\n\
         Subject: =?UTF-8?Q?Privacy_Request_=E2=80=93_AI_Data?=\r\n\
         From: =?UTF-8?Q?J=C3=BCrgen_M=C3=BCller?= <juergen@example.org>\r\nTo: \"Privacy\" <{}>\r\n\
         Content-Type: multipart/alternative; boundary=\"0000000000009a\"\r\n\r\n\
         --0000000000009a\r\nContent-Type: text/plain; charset=\"UTF-8\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n\
         Bitte l=C3=B6schen Sie alle meine Daten. Ich brauche dieses Konto nicht me=\r\nhr.\r\n\r\n\
         --0000000000009a\r\nContent-Type: text/html; charset=\"UTF-8\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n\
         <div dir=3D\"ltr\">Bitte l=C3=B6schen Sie alle meine Daten.</div>\r\n--0000000000009a--\r\n",
        privacy()
    )
}

/// A letter as a desktop mail program writes it: HTML alone, base64, a reply mark, and a file attached.
fn desktop() -> String {
    use base64::Engine as _;
    let html = "<html><body><p>Please send me a <b>copy of my data</b>.</p></body></html>";
    let html = base64::engine::general_purpose::STANDARD.encode(html);
    format!(
        "From: Ada Lovelace <desk@example.org>\r\nTo: {}\r\nSubject: RE: Privacy Request - AI Data\r\n\
         Thread-Topic: Privacy Request - AI Data\r\nMessage-ID: <AM0PR-desk@example.org>\r\n\
         X-MS-Has-Attach: yes\r\nX-Mailer: Microsoft Outlook 16.0\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"_004_\"\r\n\r\n--_004_\r\n\
         Content-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{html}\r\n\
         --_004_\r\nContent-Type: image/png; name=\"secret.png\"\r\nContent-Disposition: attachment; filename=\"secret.png\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--_004_--\r\n",
        privacy()
    )
}

/// What a machine wrote, each with the lines by which it says so.
fn machines() -> Vec<(&'static str, String)> {
    let plain = |id: &str| letter("robot@example.org", id, "Please delete my account.");
    vec![
        ("a bounce", format!("Return-Path: <>\r\n{}", plain("m1"))),
        ("a report", plain("m2").replace("text/plain; charset=utf-8", "multipart/report; boundary=x")),
        ("an absence", format!("Auto-Submitted: auto-replied\r\n{}", plain("m3"))),
        ("a list", format!("List-Id: <news.example.org>\r\nPrecedence: list\r\n{}", plain("m4"))),
        ("a daemon", plain("m5").replace("robot@", "MAILER-DAEMON@")),
        ("our own", plain("m6").replace("robot@example.org", "privacy@localhost")),
        ("the address itself", plain("m7").replace("robot@example.org", &privacy())),
    ]
}

each_app! {
    async fn letters_of_people_are_taken_however_their_programs_write_them(app: TestApp) {
        let folded = letter("folded@example.org", "f1", "hello")
            .replace("Subject: Privacy Request - AI Data", "Subject: =?utf-8?B?UHJpdmFjeSBSZXF1ZXN0?=\r\n - AI Data");
        let unix = letter("unix@example.org", "u1", "I withdraw my consent.").replace("\r\n", "\n");
        let letters = [
            ("plain@example.org", letter("plain@example.org", "p1", "Please delete my account."), "erasure"),
            ("juergen@example.org", two_forms(), "erasure"),
            ("desk@example.org", desktop(), "access"),
            ("folded@example.org", folded, ""),
            ("unix@example.org", format!("From unix Sun Nov 22 12:00:00 2026\n{unix}"), "withdrawal"),
        ];
        for (from, raw, right) in letters {
            assert_eq!(take(&app, &raw).await, Outcome::Taken, "{from}");
            let waiting = app.app.intake.waiting(&app.tenant()).await.unwrap();
            let found = waiting.last().unwrap();
            assert_eq!(found.right.map_or("", |r| r.as_str()), right, "{from}");
            assert_eq!(app.mails().last().unwrap().to, from);
            app.advance(chrono::TimeDelta::seconds(1));
        }
        let token = token_of(&link(&app, "juergen@example.org"));
        let opened = app.app.intake.opened(&app.tenant(), &token).await.unwrap();
        assert_eq!(opened.words, "Bitte löschen Sie alle meine Daten. Ich brauche dieses Konto nicht mehr.");
        let token = token_of(&link(&app, "desk@example.org"));
        let opened = app.app.intake.opened(&app.tenant(), &token).await.unwrap();
        assert!(opened.words.contains("copy of my data") && !opened.words.contains('<'), "{}", opened.words);
    }

    async fn nothing_that_a_machine_wrote_is_answered(app: TestApp) {
        for (what, raw) in machines() {
            assert_eq!(take(&app, &raw).await, Outcome::Automatic, "{what}");
        }
        assert!(app.mails().is_empty());
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mail").await, 0);
    }

    async fn what_is_for_people_is_left_to_people(app: TestApp) {
        let whole = letter("ada@example.org", "1", "Please delete my account.");
        let elsewhere = whole.replace(&privacy(), "hello@flux.example");
        let question = whole.replace("Subject: Privacy Request - AI Data", "Subject: A question");
        for raw in [&elsewhere, &question] {
            assert_eq!(take(&app, raw).await, Outcome::NotARequest);
        }
        // The control: who gets a blind copy is named by the mail system alone.
        let blind = format!("X-Original-To: {}\r\n{elsewhere}", privacy());
        assert_eq!(take(&app, blind).await, Outcome::Taken);
        assert_eq!(app.mails().len(), 1);
    }

    async fn our_letter_says_that_a_machine_wrote_it_and_is_left_alone_when_it_comes_back(app: TestApp) {
        use vouchsafe::mail::{Post, Settings};
        let folder = app.folder().join("letters");
        take(&app, letter("ada@example.org", "1", "Please delete my account.")).await;
        let post = Post::new(&Settings::Outbox(folder.clone()), "privacy@localhost").unwrap();
        let sent = app.mails().pop().unwrap();
        post.send(&sent.to, None, "eml_1", &sent.letter).await.unwrap();
        let files = crate::support::house::files_below(&folder);
        let raw = files.iter().find(|f| f.extension().is_some_and(|e| e == "eml")).expect("a letter");
        let text = std::fs::read_to_string(raw).unwrap();
        assert!(text.contains("Auto-Submitted: auto-generated"), "{text}");
        assert_eq!(take(&app, text).await, Outcome::Automatic);
    }
}
