//! Memory: of a service at rest, and what one large picture on its way in or out adds, with a folder and with a bucket.
//! Each is measured in a process of its own, this program called again; the bucket's server stays in this one.

use std::path::Path;
use std::process::Command;

use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use vouchsafe::base::ObjectId;
use vouchsafe::blobs::{S3Settings, Settings, Vendor};
use vouchsafe::policy::Facts;
use vouchsafe::vault::{Access, Actor, NewObject};

use super::ground::{CATEGORY, Ground, Where};
use super::measure::{Board, Goal, Outcome};

/// The first argument of the process that is measured.
pub(crate) const CHILD: &str = "--measure-memory";
const MIB: f64 = 1_048_576.0;
const LARGE: u64 = 1 << 30;

pub(crate) fn run(board: &mut Board) -> Outcome {
    let this = std::env::current_exe()?;
    let done = Command::new(this).arg(CHILD).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    let text = String::from_utf8(done.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next =
        || numbers.next().ok_or("the measured process said too little")?.map_err(|_| "not a number");
    let (idle, upload, download) = (next()? / MIB, next()? / MIB, next()? / MIB);
    let behind = format!("{idle:.1} MiB resident after the start; the goal is 60");
    board.tell("memory-idle", idle / 60.0, Goal::AtMost(1.0), &behind);
    let behind = format!("{upload:.1} MiB more at most while 1 GiB is stored; the goal is 8");
    board.tell("memory-upload", upload / 8.0, Goal::AtMost(1.0), &behind);
    let behind = format!("{download:.1} MiB more at most while 1 GiB is read; the goal is 8");
    board.tell("memory-download", download / 8.0, Goal::AtMost(1.0), &behind);
    Ok(())
}

/// The same with a bucket. An upload holds one part of 8 MiB, and another on its way.
pub(crate) fn run_s3(board: &mut Board) -> Outcome {
    let (run, folder) = (super::ground::runtime()?, super::ground::folder(Where::Disk)?);
    let (endpoint, _serving) = run.block_on(serve_bucket(folder.path()))?;
    let done = Command::new(std::env::current_exe()?).args([CHILD, &endpoint]).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    let text = String::from_utf8(done.stdout)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [_, upload, download] = numbers.as_slice() else {
        return Err("the measured process said too little".into());
    };
    let (upload, download) = (upload / MIB, download / MIB);
    let behind =
        format!("{upload:.1} MiB more at most while 1 GiB goes to a bucket in parts of 8; the goal is 32");
    board.tell("memory-upload-s3", upload / 32.0, Goal::AtMost(1.0), &behind);
    let behind = format!("{download:.1} MiB more at most while 1 GiB comes from a bucket; the goal is 8");
    board.tell("memory-download-s3", download / 8.0, Goal::AtMost(1.0), &behind);
    Ok(())
}

/// An S3 server over a folder: where it listens, and what to hold for as long as it should.
async fn serve_bucket(folder: &Path) -> Outcome<(String, JoinSet<std::io::Result<()>>)> {
    std::fs::create_dir(folder.join("images"))?;
    let files = s3s_fs::FileSystem::new(folder).map_err(|e| format!("{e:?}"))?;
    let mut service = s3s::service::S3ServiceBuilder::new(files);
    service.set_auth(s3s::auth::SimpleAuth::from_single("key-id", "key-secret"));
    let service = service.build();
    let answer = move |request: axum::extract::Request| {
        let service = service.clone();
        async move {
            match service.oneshot(request).await {
                Ok(answer) => answer.map(axum::body::Body::new),
                Err(e) => axum::http::Response::new(axum::body::Body::from(format!("{e:?}"))),
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    Ok((endpoint, serving))
}

/// The measured process: says three numbers of bytes.
pub(crate) fn child(endpoint: Option<String>) -> Outcome<String> {
    let bucket = endpoint.map(|endpoint| {
        let secret = "key-secret".to_owned().into();
        let mut settings = S3Settings::new(Vendor::Generic, &endpoint, "images", "key-id", secret);
        settings.region = Some("eu-central-1".to_owned());
        Settings::S3(Box::new(settings))
    });
    let ground = Ground::over(Where::Disk, bucket)?;
    let idle = status("VmRSS:")?;
    let (upload, id) = growth(|| put_large(&ground))?;
    let (download, ()) = growth(|| read_large(&ground, id))?;
    Ok(format!("{idle} {upload} {download}"))
}

/// By how much the resident set grew at most, in bytes.
fn growth<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(u64, T)> {
    // Sets the high-water mark back to what is resident now (`man 5 proc`, clear_refs).
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    let done = work()?;
    Ok((status("VmHWM:")?.saturating_sub(before), done))
}

fn status(field: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string(Path::new("/proc/self/status"))?;
    let line = text.lines().find_map(|l| l.strip_prefix(field)).ok_or("no such field")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

fn put_large(ground: &Ground) -> Outcome<ObjectId> {
    const PIECE: usize = 64 << 10;
    let piece = Bytes::from(vec![7; PIECE]);
    let count = usize::try_from(LARGE)? / PIECE;
    let body = stream::repeat_with(move || Ok::<_, vouchsafe::vault::Error>(piece.clone())).take(count);
    let new = NewObject {
        category: CATEGORY,
        media_type: "image/png",
        parent: None,
        facts: Facts::new(),
        size: None,
        most_bytes: LARGE,
    };
    Ok(ground.run.block_on(ground.app.vault.put_object(&ground.owner, new, body))?.id)
}

fn read_large(ground: &Ground, id: ObjectId) -> Outcome {
    let actor = Actor::Subject(ground.owner.subject);
    let access = Access { actor: &actor, purpose: "rights" };
    ground.run.block_on(async {
        let mut open = ground.app.vault.open_object(&ground.owner, &access, id, None).await?;
        let mut seen = 0;
        while let Some(piece) = open.bytes.next().await {
            seen += piece?.len() as u64;
        }
        if seen == LARGE { Ok(()) } else { Err("not all of it was read".into()) }
    })
}
