use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::say::Say;
use super::verify::Trust;
use super::{Variables, status};
use crate::base::{Clock, Entropy, Secret};
use crate::ledger::witness::{AddCheckpoint, Memory, Refusal, Seen};
use crate::ledger::{Checkpoint, SignerKey, VerifierKey, consistency_of_folder};

/// The longest request: 63 hashes and a checkpoint with many signatures.
const LONGEST: usize = 64 * 1024;

/// A witness is somebody else: run this where the watched service has no access.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make the witness's key if there is none, and print what to hand out
    Key {
        #[command(flatten)]
        who: Who,
    },
    /// Cosign the newest head of an exported ledger folder, if it contains everything seen before
    ///
    /// Prints the witness's signature, one line in the form of C2SP tlog-cosignature. Append it to a copy of the folder's
    /// `checkpoint` and keep that file: `vouchsafe ledger verify FOLDER --earlier FILE` holds a later ledger to it. Send a
    /// copy to the operator of the service, who names it in `ledger.kept`.
    Follow {
        /// The folder, as fetched from the service
        folder: PathBuf,
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        who: Who,
    },
    /// Answer over HTTP in the form of C2SP tlog-witness (POST /add-checkpoint), until it is stopped
    Serve {
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        who: Who,
        /// Where to listen
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7380")]
        listen: SocketAddr,
    },
    /// Answer one request in the form of C2SP tlog-witness, from the standard input
    Answer {
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        who: Who,
    },
}

/// The witness.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Who {
    /// Its name: a host and path without scheme
    #[arg(long)]
    name: String,
    /// The folder in which it keeps its key and what it saw
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
}

impl Who {
    /// Its key; made when there is none.
    fn key(&self) -> anyhow::Result<SignerKey> {
        let path = self.home.join("witness.key");
        if !path.exists() {
            std::fs::create_dir_all(&self.home)?;
            let text = zeroize::Zeroizing::new(hex::encode(Entropy::system().bytes::<32>()));
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
        }
        let text = zeroize::Zeroizing::new(std::fs::read_to_string(&path)?);
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed)
            .with_context(|| format!("{} does not hold 64 hexadecimal digits", path.display()))?;
        let key = SignerKey::witness(&self.name, &Secret::new(seed))?;
        self.is_at_home()?;
        Ok(key)
    }

    /// A home is that of one witness, whose name is noted down with its first key: a signature under another name is that
    /// of somebody whom nobody knows.
    fn is_at_home(&self) -> anyhow::Result<()> {
        let path = self.home.join("witness.name");
        let noted = match std::fs::read_to_string(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                std::fs::write(&path, format!("{}\n", self.name))
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                return Ok(());
            }
            read => read.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        let noted = noted.trim();
        if noted != self.name {
            bail!(
                "the witness that lives in {} is called {noted}, and not {}; give another one a --home of its own",
                self.home.display(),
                self.name
            );
        }
        Ok(())
    }

    fn memory(&self) -> PathBuf {
        self.home.join("seen.json")
    }
}

/// Runs it.
pub(super) async fn run(command: Command, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    match command {
        Command::Key { who } => {
            say.line(who.key()?.verifier().to_string());
            Ok(status(true))
        }
        Command::Follow { folder, trust, who } => {
            let ledger = trust.wanted()?;
            let request = from_folder(&folder, &ledger, &who)?;
            let code = answer(&request, &ledger, &who, say)?;
            if code == ExitCode::SUCCESS {
                // Beside the signature, and not in its way: that one is for a program.
                Say::stderr(variables).note(
                    "This is the witness's signature. Append it to a copy of the folder's checkpoint, and keep that file: \
                     `vouchsafe ledger verify FOLDER --earlier FILE` holds a later ledger to it. The operator of the service \
                     may name a copy in ledger.kept.",
                );
            }
            Ok(code)
        }
        Command::Serve { trust, who, listen } => serve(trust.wanted()?, &who, listen, say).await,
        Command::Answer { trust, who } => {
            let mut body = String::new();
            std::io::stdin().take(1 << 20).read_to_string(&mut body)?;
            answer(&AddCheckpoint::parse(&body)?, &trust.wanted()?, &who, say)
        }
    }
}

/// The request that the service would have sent, out of its exported folder.
fn from_folder(folder: &Path, ledger: &VerifierKey, who: &Who) -> anyhow::Result<AddCheckpoint> {
    let path = folder.join("checkpoint");
    let note =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let head = Checkpoint::open(&note, ledger)?;
    let old = Memory::load(&who.memory())?.seen(ledger.name()).map_or(0, crate::ledger::witness::Seen::size);
    let hashes = consistency_of_folder(folder, old, head.size())?.hashes;
    Ok(AddCheckpoint { old, hashes, checkpoint: note })
}

fn answer(
    request: &AddCheckpoint,
    ledger: &VerifierKey,
    who: &Who,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let file = who.memory();
    let mut memory = Memory::load(&file)?;
    match memory.witness(&file, request, ledger, &who.key()?, Clock::system().now()) {
        Ok(line) => {
            say.text(line);
            Ok(status(true))
        }
        Err(refusal) => {
            say.check(false, &format!("not cosigned ({}): {refusal}", refusal.status()));
            Ok(status(false))
        }
    }
}

/// What a witness that serves works with: one request at a time, each remembered before it is signed.
struct Desk {
    ledger: VerifierKey,
    key: SignerKey,
    file: PathBuf,
    memory: Memory,
}

impl Desk {
    fn answer(&mut self, request: &AddCheckpoint) -> Result<String, Refusal> {
        self.memory.witness(&self.file, request, &self.ledger, &self.key, Clock::system().now())
    }
}

async fn serve(
    ledger: VerifierKey,
    who: &Who,
    listen: SocketAddr,
    say: &mut Say,
) -> anyhow::Result<ExitCode> {
    let (key, file) = (who.key()?, who.memory());
    let memory = Memory::load(&file)?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    say.line(format!("Watching {} on http://{}", ledger.name(), listener.local_addr()?));
    say.line(format!("key = \"{}\"", key.verifier()));
    let desk = Arc::new(Mutex::new(Desk { ledger, key, file, memory }));
    let router = axum::Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/checkpoint", get(checkpoint))
        .with_state(desk);
    let stopped = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, router.layer(DefaultBodyLimit::max(LONGEST)))
        .with_graceful_shutdown(stopped)
        .await?;
    Ok(status(true))
}

/// `GET /checkpoint`: the newest head that was cosigned, for whoever wants to see what a no rests on.
async fn checkpoint(State(desk): State<Arc<Mutex<Desk>>>) -> Response {
    let desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    match desk.memory.seen(desk.ledger.name()).and_then(Seen::note) {
        Some(note) => note.to_owned().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `POST /add-checkpoint` (C2SP tlog-witness).
async fn add_checkpoint(State(desk): State<Arc<Mutex<Desk>>>, body: String) -> Response {
    let Ok(request) = AddCheckpoint::parse(&body) else {
        return (StatusCode::BAD_REQUEST, "the request cannot be read\n").into_response();
    };
    // Remembering waits for the disk.
    let answered = tokio::task::spawn_blocking(move || {
        desk.lock().unwrap_or_else(PoisonError::into_inner).answer(&request)
    });
    match answered.await {
        Ok(Ok(line)) => line.into_response(),
        Ok(Err(Refusal::Conflict(size))) => {
            let form = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (StatusCode::CONFLICT, form, format!("{size}\n")).into_response()
        }
        Ok(Err(refusal)) => {
            let code = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (code, format!("{refusal}\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
