//! The two doors for letters: a pipe and a webhook, each in the manners of its own world.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use vouchsafe::app::{App, Setup};
use vouchsafe::config::Config;
use vouchsafe::intake::MOST_BYTES;
use vouchsafe::subjects::Scope;

use super::{hand_over, letter};
use crate::each_app;
use crate::support::TestApp;

each_app! {
    async fn a_webhook_needs_its_own_scope_and_the_letter_itself(app: TestApp) {
        let raw = letter("ada@example.org", "1", "hello");
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|s| *s != Scope::Mail).collect();
        let key = app.api_key(&others).await;
        assert_eq!(hand_over(&app, &key, "", raw.clone()).await.problem(403), "forbidden");
        let key = app.api_key(&[Scope::Mail]).await;
        let json = app.post("/v1/intake/mail").by(&key).body("application/json", raw.clone()).send().await;
        assert_eq!(json.problem(415), "unsupported-type");
        assert_eq!(hand_over(&app, &key, "?from=x", raw.clone()).await.problem(422), "invalid");
        assert_eq!(hand_over(&app, &key, "", "hello").await.problem(422), "invalid");
        assert_eq!(hand_over(&app, &key, "", vec![b'a'; MOST_BYTES + 1]).await.problem(413), "too-large");
        assert_eq!(hand_over(&app, &key, "?sender=", raw.clone()).await.json()["outcome"], "automatic");
        let known = "?client=192.0.2.7&helo=mail.example.org&sender=ada%40example.org";
        assert_eq!(hand_over(&app, &key, known, raw).await.json()["outcome"], "taken");
    }
}

/// Pipes a letter into the program, and gives its exit status and what it said.
fn pipe(folder: &Path, more: &[&str], raw: &[u8]) -> (i32, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
        .args(["intake", "--dev", "--tenant", "flux-kontext", "--data"])
        .arg(folder)
        .args(more)
        .env("VOUCHSAFE_INTAKE__DNS", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that has read enough closes the pipe.
    let _ = program.stdin.take().unwrap().write_all(raw);
    let done = program.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_answered_as_mail_systems_expect() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let raw = letter("ada@example.org", "1", "Please delete my account.");
    let (status, said) = pipe(&folder, &[], raw.as_bytes());
    assert_eq!(status, 75, "no installation yet: try again later. {said}");
    let app = Box::pin(App::open(Setup::of(Config::throwaway(&folder)).unwrap())).await.unwrap();
    app.close().await;

    let (status, said) = pipe(&folder, &[], raw.as_bytes());
    assert!(status == 0 && said.starts_with("taken"), "{status}: {said}");
    let (status, said) = pipe(&folder, &[], raw.as_bytes());
    assert!(status == 0 && said.contains("came before"), "{status}: {said}");
    let question = raw.replace("Privacy Request - AI Data", "A question");
    assert_eq!(pipe(&folder, &[], question.as_bytes()).0, 67);
    assert_eq!(pipe(&folder, &["--copy"], question.as_bytes()).0, 0);
    assert_eq!(pipe(&folder, &["--sender", ""], raw.as_bytes()).0, 0, "a bounce");
    for (what, raw) in
        [("nothing", vec![]), ("noise", vec![7; 900]), ("too much", vec![b'a'; MOST_BYTES + 9])]
    {
        let (status, said) = pipe(&folder, &[], &raw);
        assert!(status == 65 && !said.contains("ada@"), "{what}: {status}: {said}");
    }
    // Where the service that runs here looks for the letters of people who are erased, and not in the data folder.
    let letters = crate::support::house::files_below(&dir.path().join("data-letters"));
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(!folder.join("outbox").exists());
}
