//! Witnesses as separate processes, asked over HTTP: whom they sign for, and whom not.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::routing::{get, post};
use vouchsafe::app::Shut;
use vouchsafe::base::Secret;
use vouchsafe::config::WitnessSection;
use vouchsafe::jobs::Task;
use vouchsafe::ledger::witness::{AddCheckpoint, Memory, Refusal};
use vouchsafe::ledger::{Asked, Checkpoint, SignerKey, Unlike, VerifierKey, Watching, Witnesses};

use super::house::{House, key};
use crate::each_database;
use crate::support::house::documents;

/// A witness that runs, as its owner starts it.
struct Running {
    process: Child,
    watching: Watching,
}

impl Running {
    fn start(home: &Path, name: &str) -> Self {
        Self::of(home, name, key().verifier())
    }

    fn of(home: &Path, name: &str, ledger: &VerifierKey) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
            .args(["witness", "serve", "--listen", "127.0.0.1:0", "--name", name])
            .args(["--key", &ledger.to_string()])
            .arg("--home")
            .arg(home)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address =
            said.find_map(|line| line.split_once(" on ").map(|(_, url)| url.trim().to_owned())).unwrap();
        let typed =
            said.find_map(|line| line.trim().strip_prefix("key = ").map(|k| k.trim_matches('"').to_owned()));
        let key: VerifierKey = typed.unwrap().parse().unwrap();
        Self { process, watching: Watching { url: address.parse().unwrap(), key } }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two were asked, and saw nothing amiss.
fn asked(signed: usize, fresh: usize) -> Asked {
    Asked { signed, of: 2, fresh, unlike: None, doubt: None }
}

fn watched_by(house: &House, all: &[&Running]) -> Witnesses {
    let all = all.iter().map(|one| one.watching.clone()).collect();
    Witnesses::new(all, house.clock.clone()).unwrap()
}

async fn served(house: &House) -> Checkpoint {
    let bytes = house.ledger.resource("checkpoint".parse().unwrap()).await.unwrap();
    Checkpoint::open(&String::from_utf8(bytes).unwrap(), key().verifier()).unwrap()
}

each_database! {
    async fn witnesses_sign_what_continues_what_they_saw_and_receipts_carry_it(db: TestDb) {
        let house = House::new(db).await;
        let (one, two) = (
            Running::start(&house.path("w1"), "one.example/w"),
            Running::start(&house.path("w2"), "two.example/w"),
        );
        let witnesses = watched_by(&house, &[&one, &two]);
        assert_eq!(house.ledger.ask(&witnesses).await.unwrap(), asked(0, 0), "nothing to sign");
        let first = house.write(0..5).await.remove(0);
        house.ledger.sequence().await.unwrap();
        assert_eq!(house.ledger.ask(&witnesses).await.unwrap(), asked(2, 2));
        assert_eq!(house.ledger.ask(&witnesses).await.unwrap(), asked(2, 0), "and not again");
        house.write(5..300).await;
        house.ledger.sequence().await.unwrap();
        let keys = [one.watching.key.clone(), two.watching.key.clone()];
        assert_eq!(served(&house).await.witnessed_by(&keys[0]).unwrap(), None, "not seen yet");
        // A process that starts now does not know what they saw, and is told.
        assert_eq!(house.ledger.ask(&watched_by(&house, &[&one, &two])).await.unwrap().fresh, 2);
        for key in &keys {
            assert!(served(&house).await.witnessed_by(key).unwrap().is_some());
        }
        // Entries that came since stand in a head that nobody saw; the receipt of an older one leads to one they did.
        house.write(300..310).await;
        house.ledger.sequence().await.unwrap();
        let receipt = house.ledger.receipt(first.id, None).await.unwrap();
        let verified = receipt.verify(key().verifier(), &keys).unwrap();
        assert_eq!((verified.size, verified.witnesses.len()), (300, 2));
        assert_eq!(house.ledger.witnessed(&witnesses).await.unwrap(), (2, 300));
    }

    async fn a_witness_that_is_gone_holds_up_nothing(db: TestDb) {
        let house = House::new(db).await;
        let (one, two) = (
            Running::start(&house.path("w1"), "one.example/w"),
            Running::start(&house.path("w2"), "two.example/w"),
        );
        let witnesses = watched_by(&house, &[&one, &two]);
        house.write(0..5).await;
        house.ledger.sequence().await.unwrap();
        drop(one);
        assert_eq!(house.ledger.ask(&witnesses).await.unwrap(), asked(1, 1));
        // It comes back at another door with what it remembers, and signs the same head.
        let one = Running::start(&house.path("w1"), "one.example/w");
        let witnesses = watched_by(&house, &[&one, &two]);
        assert_eq!(house.ledger.ask(&witnesses).await.unwrap(), asked(2, 1));
    }

    /// The control: what witnesses are for.
    async fn a_history_that_was_rewritten_or_cut_short_gets_no_signature(db: TestDb) {
        let house = House::new(db).await;
        let one = Running::start(&house.path("w1"), "one.example/w");
        house.write(0..20).await;
        house.ledger.sequence().await.unwrap();
        assert_eq!(house.ledger.ask(&watched_by(&house, &[&one])).await.unwrap().fresh, 1);

        // Another ledger under the same key: longer, and with another beginning.
        let other = crate::support::TestDb::open(crate::support::Backend::Sqlite).await.unwrap();
        let other = House::new(other).await;
        other.write(100..140).await;
        other.ledger.sequence().await.unwrap();
        let asked = other.ledger.ask(&watched_by(&other, &[&one])).await.unwrap();
        assert_eq!((asked.signed, asked.fresh), (0, 0), "a rewritten history was signed");
        assert_eq!(asked.unlike, Some(Unlike::Rewritten { seen: 20 }));
        // As many entries, and others.
        let equal = crate::support::TestDb::open(crate::support::Backend::Sqlite).await.unwrap();
        let equal = House::new(equal).await;
        equal.write(100..120).await;
        equal.ledger.sequence().await.unwrap();
        let asked = equal.ledger.ask(&watched_by(&equal, &[&one])).await.unwrap();
        assert_eq!((asked.signed, asked.unlike), (0, Some(Unlike::Rewritten { seen: 20 })));
        // And one that is shorter than what was seen.
        let shorter = crate::support::TestDb::open(crate::support::Backend::Sqlite).await.unwrap();
        let shorter = House::new(shorter).await;
        shorter.write(0..3).await;
        shorter.ledger.sequence().await.unwrap();
        let asked = shorter.ledger.ask(&watched_by(&shorter, &[&one])).await.unwrap();
        assert_eq!((asked.signed, asked.unlike), (0, Some(Unlike::Ahead { seen: 20, held: 3 })));
        // What it saw goes on, and is signed.
        house.write(20..30).await;
        house.ledger.sequence().await.unwrap();
        assert_eq!(house.ledger.ask(&watched_by(&house, &[&one])).await.unwrap().fresh, 1);
    }
}

#[test]
fn a_key_that_does_not_cosign_and_an_open_address_are_refused() {
    let clock = vouchsafe::base::Clock::system();
    let watching =
        |url: &str, key: &VerifierKey| vec![Watching { url: url.parse().unwrap(), key: key.clone() }];
    let witness =
        vouchsafe::ledger::SignerKey::witness("w.example", &vouchsafe::base::Secret::new([3; 32])).unwrap();
    assert!(Witnesses::new(watching("https://w.example", witness.verifier()), clock.clone()).is_ok());
    assert!(Witnesses::new(watching("http://w.example", witness.verifier()), clock.clone()).is_err());
    assert!(Witnesses::new(watching("https://w.example", key().verifier()), clock).is_err());
}

/// What a witness of this test's own does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Away,
    Honest,
    /// It says that it has seen more, and has nothing to show for it.
    Ahead,
    /// It says that it has seen other entries.
    Rewritten,
}

/// A witness whose mood the test chooses.
struct Moody {
    desk: Mutex<(Mood, Memory)>,
    file: PathBuf,
    ledger: VerifierKey,
    key: SignerKey,
}

impl Moody {
    async fn start(file: PathBuf, ledger: VerifierKey) -> (Arc<Self>, WitnessSection) {
        let key = SignerKey::witness("moody.example/w", &Secret::new([7; 32])).unwrap();
        let section = |url| WitnessSection { url, key: key.verifier().to_string() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let section = section(format!("http://{}", listener.local_addr().unwrap()));
        let moody = Arc::new(Self { desk: Mutex::new((Mood::Honest, Memory::default())), file, ledger, key });
        let (asked, shown) = (Arc::clone(&moody), Arc::clone(&moody));
        let router = axum::Router::new()
            .route("/add-checkpoint", post(move |body: String| async move { asked.answer(&body) }))
            .route("/checkpoint", get(move || async move { shown.show() }));
        #[expect(clippy::disallowed_methods, reason = "ends with the test that started it")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        (moody, section)
    }

    fn turn(&self, mood: Mood) {
        self.desk.lock().unwrap().0 = mood;
    }

    fn answer(&self, body: &str) -> (StatusCode, String) {
        let mut desk = self.desk.lock().unwrap();
        let request = AddCheckpoint::parse(body).unwrap();
        match desk.0 {
            Mood::Away => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            Mood::Ahead => (StatusCode::CONFLICT, "1000000\n".to_owned()),
            Mood::Rewritten if request.old == 0 => (StatusCode::CONFLICT, "1\n".to_owned()),
            Mood::Rewritten => (StatusCode::UNPROCESSABLE_ENTITY, String::new()),
            Mood::Honest => {
                let now = vouchsafe::base::Clock::system().now();
                match desk.1.witness(&self.file, &request, &self.ledger, &self.key, now) {
                    Ok(line) => (StatusCode::OK, line),
                    Err(Refusal::Conflict(size)) => (StatusCode::CONFLICT, format!("{size}\n")),
                    Err(no) => (StatusCode::from_u16(no.status()).unwrap(), String::new()),
                }
            }
        }
    }

    fn show(&self) -> (StatusCode, String) {
        let desk = self.desk.lock().unwrap();
        match desk.1.seen(self.ledger.name()).and_then(|seen| seen.note()) {
            Some(note) if desk.0 != Mood::Away => (StatusCode::OK, note.to_owned()),
            _ => (StatusCode::NOT_FOUND, String::new()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_service_is_shut_by_what_a_witness_proves_and_by_no_word_of_its_own() {
    let mut house = crate::support::house::House::open(crate::support::Backend::Sqlite).await.unwrap();
    let ledger = house.app.ledger.verifier().clone();
    let (witness, section) = Moody::start(house.folder().join("seen.json"), ledger).await;
    house.config.ledger.witnesses = vec![section];
    let house = house.restarted(documents()).await.unwrap();
    house.person("ada").await;
    house.app.ledger.sequence().await.unwrap();
    assert_eq!(house.pass(Task::Witnesses).await, 1);
    for (mood, name) in [(Mood::Ahead, "bob"), (Mood::Rewritten, "cleo")] {
        house.person(name).await;
        house.app.ledger.sequence().await.unwrap();
        witness.turn(mood);
        house.pass(Task::Witnesses).await;
        assert!(house.app.gate.is_open(), "{mood:?}: it shows nothing but a head that this ledger contains");
        let (who, doubt) = house.app.witnesses.doubt().unwrap();
        let is_ahead = matches!(doubt, Unlike::Ahead { seen: 1_000_000, .. });
        assert!(who == "moody.example/w" && is_ahead == (mood == Mood::Ahead), "{doubt:?}");
        witness.turn(Mood::Away);
        house.pass(Task::Witnesses).await;
        assert!(house.app.witnesses.doubt().is_some(), "whoever is away takes nothing back");
        witness.turn(Mood::Honest);
        assert_eq!(house.pass(Task::Witnesses).await, 1, "{mood:?}: asked again, it signs");
        assert_eq!(house.app.witnesses.doubt(), None);
    }
    // At a start a doubt is enough to stay shut, and nothing is needed to open when it goes.
    witness.turn(Mood::Ahead);
    let house = house.restarted(documents()).await.unwrap();
    assert!(!house.app.gate.is_open());
    assert!(vouchsafe::backup::bring_up_to_date(&house.app).await.is_err());
    witness.turn(Mood::Honest);
    vouchsafe::backup::bring_up_to_date(&house.app).await.unwrap();
    assert!(house.app.gate.is_open());

    // The machine put back as it was while the witness was away.
    house.app.close().await;
    let (data, aside) = (house.data().to_owned(), house.folder().join("aside"));
    copy(&data, &aside);
    let house = house.restarted(documents()).await.unwrap();
    house.person("dora").await;
    house.app.ledger.sequence().await.unwrap();
    assert_eq!(house.pass(Task::Witnesses).await, 1);
    house.app.close().await;
    std::fs::remove_dir_all(&data).unwrap();
    copy(&aside, &data);
    witness.turn(Mood::Away);
    let house = house.restarted(documents()).await.unwrap();
    assert!(house.app.gate.is_open());
    house.person("eve").await;
    house.app.ledger.sequence().await.unwrap();
    witness.turn(Mood::Honest);
    house.pass(Task::Witnesses).await;
    let why = house.app.gate.why();
    assert!(matches!(why, Some(Shut::Watched { .. } | Shut::Rewritten { .. })), "{why:?}");
    witness.turn(Mood::Away);
    assert!(vouchsafe::backup::bring_up_to_date(&house.app).await.is_err());
    assert!(!house.app.gate.is_open(), "what was proved stays");
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

/// The whole machine put back as it was some time ago: nothing on it knows that there was more, and the witness does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_was_put_back_stays_shut_when_a_witness_saw_more() {
    let mut house = crate::support::house::House::open(crate::support::Backend::Sqlite).await.unwrap();
    let witness = Running::of(&house.folder().join("w"), "one.example/w", house.app.ledger.verifier());
    let section =
        WitnessSection { url: witness.watching.url.to_string(), key: witness.watching.key.to_string() };
    house.config.ledger.witnesses = vec![section];
    let house = house.restarted(documents()).await.unwrap();
    house.person("ada").await;
    house.app.ledger.sequence().await.unwrap();
    assert_eq!(house.pass(Task::Witnesses).await, 1);
    house.app.close().await;
    let (data, aside) = (house.data().to_owned(), house.folder().join("aside"));
    copy(&data, &aside);

    let house = house.restarted(documents()).await.unwrap();
    assert!(house.app.gate.is_open());
    let bob = house.person("bob").await;
    house.app.requests.erase(&bob, vouchsafe::policy::Role::Service).await.unwrap().unwrap();
    house.app.ledger.sequence().await.unwrap();
    assert_eq!(house.pass(Task::Witnesses).await, 1);
    house.app.close().await;
    std::fs::remove_dir_all(&data).unwrap();
    copy(&aside, &data);

    let house = house.restarted(documents()).await.unwrap();
    let why = house.app.gate.why();
    assert!(matches!(why, Some(Shut::Watched { .. })), "{why:?}");
    let waiting = house.app.ledger.held().await.unwrap();
    let refused = vouchsafe::backup::bring_up_to_date(&house.app).await;
    assert!(matches!(refused, Err(vouchsafe::backup::Error::Refused(_))), "{refused:?}");
    house.pass(Task::Ledger).await;
    assert!(
        !house.app.gate.is_open() && house.app.ledger.held().await.unwrap() == waiting,
        "something was signed"
    );
    // A witness that is gone shows nothing, and holds up nothing.
    drop(witness);
    let house = house.restarted(documents()).await.unwrap();
    assert!(house.app.gate.is_open());
}
