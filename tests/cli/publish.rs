//! Publishing from a shell: looked at first, then done, and by two people where it must be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe::app::{App, Setup};
use vouchsafe::base::TenantId;
use vouchsafe::config::Config;
use vouchsafe::policy::Role;
use vouchsafe::subjects::NewAccount;
use vouchsafe::vault::NewRecord;

use super::call;

/// An installation of this test's own, as `serve --dev` makes it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        place.open().await.close().await;
        place
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    async fn open(&self) -> App {
        let variables = BTreeMap::from([("VOUCHSAFE_SERVER__DEVELOPMENT".to_owned(), "true".to_owned())]);
        let mut config = Config::load(None, &variables).unwrap();
        config.data.folder = self.dir.path().join("data");
        App::open(Setup::of(config).unwrap()).await.unwrap()
    }

    /// The shipped document as another version, in force after so many days.
    fn document(&self, days: i64, changes: &[(&str, &str)]) -> (PathBuf, String) {
        let at = vouchsafe::base::Clock::system().now().plus(chrono::TimeDelta::days(days));
        let day = at.to_utc().date_naive().to_string();
        let mut text = fs::read_to_string("policies/flux-kontext/2026-11-01.md").unwrap();
        text = text.replace("version = \"2026-11-01\"", &format!("version = \"{day}\""));
        text = text.replace("effective = 2026-11-01", &format!("effective = {day}"));
        for (old, new) in changes {
            assert!(text.contains(old));
            text = text.replace(old, new);
        }
        let path = self.dir.path().join(format!("{day}.md"));
        fs::write(&path, text).unwrap();
        (path, day)
    }

    async fn call(&self, arguments: &[&str]) -> (bool, String) {
        call(&[arguments, &["--dev", "--data", &self.data()]].concat()).await
    }

    async fn publish(&self, path: &Path, more: &[&str]) -> (bool, String) {
        let path = path.display().to_string();
        self.call(&[&["policy", "publish", &path], more].concat()).await
    }
}

fn tenant() -> TenantId {
    "flux-kontext".parse().unwrap()
}

const ANALYTICS: (&str, &str) =
    ("at-most = \"13 months after created\"", "at-most = \"20 days after created\"");

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_everything_and_changes_nothing() {
    let place = Place::new().await;
    let app = place.open().await;
    let new =
        NewAccount { email: "ada@example.org".parse().unwrap(), name: "Ada".into(), username: "ada".into() };
    app.subjects.open(&tenant(), new).await.unwrap();
    app.close().await;
    let (path, day) = place.document(40, &[("90 days after created", "60 days after created")]);
    let (well, said) = place.publish(&path, &["--dry-run"]).await;
    assert!(well, "{said}");
    // Lines are broken to the width of a screen.
    let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["60 days after it was made", "1 person", "by e-mail", "at least 30 days", "Nothing was changed"]
    {
        assert!(plain.contains(words), "{words}: {said}");
    }
    let (well, said) = place.publish(&path, &[]).await;
    assert!(well && said.contains(&format!("version {day} is published")), "{said}");
    let (well, said) = place.publish(&path, &[]).await;
    assert!(well && said.contains("was published before"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_published_says_why_in_plain_words() {
    let place = Place::new().await;
    let app = place.open().await;
    let new =
        NewAccount { email: "ada@example.org".parse().unwrap(), name: "Ada".into(), username: "ada".into() };
    app.subjects.open(&tenant(), new).await.unwrap();
    app.close().await;
    let (soon, _) = place.document(5, &[]);
    let (well, said) = place.publish(&soon, &[]).await;
    let words: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!well && words.contains("people are told 30 days before a new version counts"), "{said}");
    let broken = place.dir.path().join("broken.md");
    let text = fs::read_to_string(&soon).unwrap();
    // Longer than a law pack allows: what is counted of visits may be kept for twenty-five months.
    let text =
        text.replace("law = [\"eu-gdpr\", \"eu-vat\"]", "law = [\"eu-gdpr\", \"eu-vat\", \"fr-cnil\"]");
    assert!(text.contains("fr-cnil") && text.contains("\"13 months after created\""));
    fs::write(&broken, text.replace("\"13 months after created\"", "\"26 months after created\"")).unwrap();
    let (well, said) = place.publish(&broken, &[]).await;
    assert!(!well && said.contains("does not compile"), "{said}");
    let edited = place.dir.path().join("edited.md");
    let text = fs::read_to_string("policies/flux-kontext/2026-11-01.md").unwrap();
    fs::write(&edited, text.replace("90 days after created", "95 days after created")).unwrap();
    let (well, said) = place.publish(&edited, &[]).await;
    let words: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!well && words.contains("a published version never changes"), "{said}");
    let app = place.open().await;
    assert_eq!(app.library.versions(&tenant()).len(), 1);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn much_goes_only_at_two_peoples_word() {
    let place = Place::new().await;
    let app = place.open().await;
    let new =
        NewAccount { email: "ada@example.org".parse().unwrap(), name: "Ada".into(), username: "ada".into() };
    let ada = app.subjects.open(&tenant(), new).await.unwrap();
    let facts = vouchsafe::policy::Facts::new();
    let value = serde_json::json!({});
    app.vault
        .add_record(&ada, NewRecord { category: "analytics", name: "test", value, parent: None, facts })
        .await
        .unwrap();
    for (email, role) in [("one@staff.example", Role::Admin), ("two@staff.example", Role::Compliance)] {
        app.subjects.hire(&tenant(), &email.parse().unwrap(), role).await.unwrap();
    }
    app.close().await;
    let (path, day) = place.document(40, &[ANALYTICS]);
    let (well, said) = place.publish(&path, &[]).await;
    assert!(!well && said.contains("say who proposes it"), "{said}");
    let (well, said) = place.publish(&path, &["--as", "nobody@staff.example"]).await;
    assert!(!well && said.contains("nobody with that address"), "{said}");
    let (well, said) = place.publish(&path, &["--as", "one@staff.example"]).await;
    assert!(well && said.contains("not published yet"), "{said}");
    let id = said.split_whitespace().find(|word| word.starts_with("ppl_")).unwrap().to_owned();
    let confirm = ["policy", "confirm", &id, "--tenant", "flux-kontext", "--as"];
    let (well, said) = place.call(&[&confirm[..], &["one@staff.example"]].concat()).await;
    assert!(!well && said.contains("a second person must"), "{said}");
    let (_, said) = place.call(&["policy", "confirm", "--tenant", "flux-kontext"]).await;
    assert!(said.contains(&id) && said.contains(&day), "{said}");
    let (well, said) = place.call(&[&confirm[..], &["two@staff.example"]].concat()).await;
    assert!(well && said.contains(&format!("version {day} is published")), "{said}");
    let person = ada.subject.to_string();
    let asked = ["policy", "timeline", "--tenant", "flux-kontext", "--subject", &person];
    let (well, said) = place.call(&asked).await;
    assert!(
        well && said.contains("version 2026-11-01") && said.contains(&format!("version {day}")),
        "{said}"
    );
}
