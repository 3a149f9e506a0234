//! A real S3 server (`s3s-fs`) on loopback, with a layer before it that misbehaves to order and remembers every request.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use axum::serve::ListenerExt as _;
use futures_util::{StreamExt as _, stream};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use vouchsafe::base::{Clock, Entropy};
use vouchsafe::blobs::{Blobs, Patience, S3Settings, Settings, Vendor};

pub(crate) const MIB: usize = 1 << 20;

/// How one request goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This answer, and nothing applied.
    Status(u16, &'static str),
    /// Applied, and this answer.
    AppliedThen(u16, &'static str),
    /// No answer, and nothing applied.
    Silence,
    /// Applied, and no answer.
    AppliedThenSilence,
    /// The connection breaks instead of an answer.
    Reset,
    /// The right head, half of the body, and the connection breaks.
    Short,
    /// One bit of the request's body turns over on the way.
    Corrupt,
    /// Applied, and one bit of the answer's body turns over on the way.
    Flipped,
    /// Applied, and the answer comes this late.
    Slow(Duration),
    /// Applied, with another header in the answer.
    Header(&'static str, &'static str),
    /// Applied, with another entity tag in the answer's body, made of the one that was there, quotes and all.
    Tagged(fn(&str) -> String),
    /// This answer with this body, and nothing applied.
    Canned(u16, String),
}

/// What the server saw of one request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) op: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) len: usize,
}

#[derive(Default)]
struct Desk {
    orders: Vec<(&'static str, Fault)>,
    log: Vec<Seen>,
    uploads: BTreeMap<String, String>,
    /// Whether uploads are listed by their whole names alone, as `MinIO` does.
    whole_names: bool,
}

/// The server. Dropped, it is gone with its data.
pub(crate) struct Bucket {
    pub(crate) root: TempDir,
    endpoint: String,
    desk: Arc<Mutex<Desk>>,
    _running: JoinSet<()>,
}

/// Long enough for a loaded machine, short enough for tests of silence.
pub(crate) const QUICK: Patience = Patience {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(3),
    attempt: Duration::from_secs(3),
    operation: Duration::from_secs(30),
    attempts: 3,
    backoff: Duration::from_millis(1),
};

impl Bucket {
    pub(crate) async fn start() -> Self {
        let root = TempDir::new().unwrap();
        std::fs::create_dir(root.path().join("images")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("key-id", "key-secret"));
        let desk = Arc::new(Mutex::new(Desk::default()));
        let state = (service.build(), Arc::clone(&desk));
        let app = axum::Router::new().fallback(answer).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).unwrap());
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { root, endpoint, desk, _running: running }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn settings(&self, vendor: Vendor) -> S3Settings {
        let secret = "key-secret".to_owned().into();
        let mut settings = S3Settings::new(vendor, &self.endpoint, "images", "key-id", secret);
        settings.region = (vendor != Vendor::CloudflareR2).then(|| "eu-central-1".to_owned());
        settings.prefix = "vault/".to_owned();
        settings.part_bytes = 5 * MIB;
        settings.patience.backoff = Duration::from_millis(1);
        settings
    }

    pub(crate) fn blobs(&self, vendor: Vendor) -> Blobs {
        open(self.settings(vendor))
    }

    /// A client that gives up soon.
    pub(crate) fn quick(&self) -> Blobs {
        open(S3Settings { patience: QUICK, ..self.settings(Vendor::CloudflareR2) })
    }

    /// The next requests of this operation go wrong so, in this order.
    pub(crate) fn order(&self, op: &'static str, faults: &[Fault]) {
        let mut desk = self.desk.lock().unwrap();
        desk.orders.extend(faults.iter().map(|fault| (op, fault.clone())));
    }

    /// Takes back the orders that no request has met; says how many.
    pub(crate) fn forget(&self) -> usize {
        std::mem::take(&mut self.desk.lock().unwrap().orders).len()
    }

    /// How many orders of this operation no request has met yet.
    pub(crate) fn waiting(&self, op: &str) -> usize {
        self.desk.lock().unwrap().orders.iter().filter(|(ordered, _)| *ordered == op).count()
    }

    /// The requests since this was last asked.
    pub(crate) fn log(&self) -> Vec<Seen> {
        std::mem::take(&mut self.desk.lock().unwrap().log)
    }

    pub(crate) fn count(log: &[Seen], op: &str) -> usize {
        log.iter().filter(|seen| seen.op == op).count()
    }

    /// Uploads that were begun and neither completed nor aborted.
    pub(crate) fn unfinished(&self) -> usize {
        self.desk.lock().unwrap().uploads.len()
    }

    /// From here on uploads are listed by their whole names alone.
    pub(crate) fn lists_whole_names(&self) {
        self.desk.lock().unwrap().whole_names = true;
    }

    /// The folder under which the server keeps our objects.
    pub(crate) fn objects(&self) -> PathBuf {
        self.root.path().join("images/vault")
    }
}

pub(crate) fn open(settings: S3Settings) -> Blobs {
    Blobs::open(Settings::S3(Box::new(settings)), &Clock::system(), &Entropy::system()).unwrap()
}

/// Waits until that is so.
pub(crate) async fn until(what: impl Fn() -> bool) {
    let come = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), come).await.expect("it does not come to that");
}

fn operation(method: &Method, path: &str, query: &str) -> &'static str {
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let object = path.trim_matches('/').contains('/');
    match (method.as_str(), object) {
        ("PUT", true) if has("uploadId") => "UploadPart",
        ("PUT", true) => "PutObject",
        ("POST", true) if has("uploads") => "CreateMultipartUpload",
        ("POST", true) => "CompleteMultipartUpload",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) => "DeleteObject",
        ("HEAD", true) => "HeadObject",
        ("GET", true) => "GetObject",
        ("POST", false) => "DeleteObjects",
        ("HEAD", false) => "HeadBucket",
        ("GET", false) if has("uploads") => "ListMultipartUploads",
        ("GET", false) if has("versioning") => "GetBucketVersioning",
        ("GET", false) if has("object-lock") => "GetObjectLockConfiguration",
        ("GET", false) if has("lifecycle") => "GetBucketLifecycleConfiguration",
        ("GET", false) => "ListObjectsV2",
        _ => "?",
    }
}

fn plain(status: u16, code: &str) -> Response<Body> {
    canned(status, format!("<Error><Code>{code}</Code><Message>ordered by the test</Message></Error>"))
}

fn canned(status: u16, xml: String) -> Response<Body> {
    let answer = Response::builder().status(status).header("content-type", "application/xml");
    answer.body(Body::from(xml)).unwrap()
}

/// A body that gives `bytes`, lets them be sent, and then breaks the connection.
fn broken(bytes: Bytes) -> Body {
    let end = async {
        tokio::task::yield_now().await;
        Err(std::io::Error::other("broken off"))
    };
    Body::from_stream(stream::iter([Ok(bytes)]).chain(stream::once(end)))
}

async fn silence() -> Response<Body> {
    std::future::pending().await
}

type Shared = (S3Service, Arc<Mutex<Desk>>);

async fn answer(State((service, desk)): State<Shared>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut bytes = to_bytes(body, 64 * MIB).await.unwrap();
    let op = operation(&head.method, head.uri.path(), head.uri.query().unwrap_or(""));
    let fault = {
        let mut desk = desk.lock().unwrap();
        desk.log.push(Seen { op, headers: head.headers.clone(), len: bytes.len() });
        let next = desk.orders.iter().position(|(ordered, _)| *ordered == op);
        next.map(|at| desk.orders.remove(at).1)
    };
    match &fault {
        Some(Fault::Status(status, code)) => return plain(*status, code),
        Some(Fault::Canned(status, xml)) => return canned(*status, xml.clone()),
        Some(Fault::Silence) => return silence().await,
        Some(Fault::Reset) => {
            let mut answer = Response::new(broken(Bytes::new()));
            answer.headers_mut().insert("content-length", HeaderValue::from_static("10"));
            return answer;
        }
        Some(Fault::Corrupt) => {
            let mut changed = bytes.to_vec();
            changed[0] ^= 1;
            bytes = changed.into();
        }
        _ => {}
    }
    let mut answer = apply(&service, &desk, op, Request::from_parts(head, Body::from(bytes))).await;
    match fault {
        Some(Fault::AppliedThen(status, code)) => plain(status, code),
        Some(Fault::AppliedThenSilence) => silence().await,
        Some(Fault::Slow(by)) => {
            tokio::time::sleep(by).await;
            answer
        }
        Some(Fault::Flipped) => {
            let (head, body) = answer.into_parts();
            let mut whole = to_bytes(body, 64 * MIB).await.unwrap().to_vec();
            if let Some(middle) = whole.len().checked_div(2).filter(|_| !whole.is_empty()) {
                whole[middle] ^= 1;
            }
            Response::from_parts(head, Body::from(whole))
        }
        Some(Fault::Short) => {
            let (mut head, body) = answer.into_parts();
            let whole = to_bytes(body, 64 * MIB).await.unwrap();
            head.headers.insert("content-length", HeaderValue::from(whole.len()));
            Response::from_parts(head, broken(whole.slice(..whole.len() / 2)))
        }
        Some(Fault::Tagged(other)) => {
            let (head, body) = answer.into_parts();
            let whole = to_bytes(body, 64 * MIB).await.unwrap();
            let text = String::from_utf8_lossy(&whole).replace("&quot;", "\"");
            let (before, rest) = text.split_once("<ETag>").unwrap();
            let (tag, after) = rest.split_once("</ETag>").unwrap();
            Response::from_parts(head, Body::from(format!("{before}<ETag>{}</ETag>{after}", other(tag))))
        }
        Some(Fault::Header(name, value)) => {
            let value = HeaderValue::from_static(value);
            answer.headers_mut().insert(HeaderName::from_static(name), value);
            answer
        }
        _ => answer,
    }
}

/// Hands the request to `s3s-fs`, and fills in the few operations that it does not have.
async fn apply(
    service: &S3Service,
    desk: &Arc<Mutex<Desk>>,
    op: &'static str,
    request: Request,
) -> Response<Body> {
    let query = request.uri().query().unwrap_or("").to_owned();
    let key = request.uri().path().trim_start_matches("/images/").to_owned();
    let id = query.split('&').find_map(|pair| pair.strip_prefix("uploadId=")).unwrap_or("").to_owned();
    match op {
        "GetBucketVersioning" => return canned(200, "<VersioningConfiguration/>".to_owned()),
        "GetObjectLockConfiguration" => return plain(404, "ObjectLockConfigurationNotFoundError"),
        "GetBucketLifecycleConfiguration" => return plain(404, "NoSuchLifecycleConfiguration"),
        "ListMultipartUploads" => return canned(200, uploads(&desk.lock().unwrap(), &query)),
        // The real ones say 404; s3s-fs says 403.
        "UploadPart" | "CompleteMultipartUpload" | "AbortMultipartUpload"
            if !desk.lock().unwrap().uploads.contains_key(&id) =>
        {
            return plain(404, "NoSuchUpload");
        }
        _ => {}
    }
    let Ok(answer) = service.clone().oneshot(request).await else { return plain(500, "InternalError") };
    let (head, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(Body::new(body), 64 * MIB).await else { return plain(500, "InternalError") };
    let text = String::from_utf8_lossy(&bytes);
    let mut desk = desk.lock().unwrap();
    if op == "CreateMultipartUpload"
        && let Some(id) = text.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next())
    {
        desk.uploads.insert(id.to_owned(), key);
    }
    if op == "AbortMultipartUpload" && head.status == StatusCode::FORBIDDEN {
        // s3s-fs forgets an upload that could not be completed, and says 403 of it.
        desk.uploads.remove(&id);
        return plain(404, "NoSuchUpload");
    }
    let ended = matches!(op, "CompleteMultipartUpload" | "AbortMultipartUpload");
    if ended && head.status.is_success() && !text.contains("<Error>") {
        desk.uploads.remove(&id);
    }
    let mut answer = Response::from_parts(head, Body::from(bytes));
    answer.headers_mut().remove("transfer-encoding");
    if answer.status() != StatusCode::OK || op != "HeadObject" {
        answer.headers_mut().remove("content-length");
    }
    answer
}

fn uploads(desk: &Desk, query: &str) -> String {
    let prefix =
        query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or("").replace("%2F", "/");
    let asked = |key: &str| if desk.whole_names { key == prefix } else { key.starts_with(&prefix) };
    let begun = "<Initiated>2026-05-05T12:00:00.000Z</Initiated>";
    let row = |(id, key)| format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId>{begun}</Upload>");
    let rows: Vec<String> = desk.uploads.iter().filter(|(_, key)| asked(key)).map(row).collect();
    let rows = rows.concat();
    format!("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{rows}</ListMultipartUploadsResult>")
}
