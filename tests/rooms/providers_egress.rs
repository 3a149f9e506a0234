//! The one way out: where it leads, where it does not, and what it leaves behind.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use vouchsafe::base::{Clock, Secret};
use vouchsafe::egress::{Call, CallLog, Egress, EgressError, Method, Names, Recipient, Url};

use super::providers_stage::NOW;

struct House {
    base: Url,
    calls: Arc<AtomicUsize>,
}

/// A server on this machine that counts who gets through to it.
async fn house() -> House {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let endless = || async {
        let piece = Ok::<_, Infallible>(Bytes::from_static(&[0; 4096]));
        Body::from_stream(futures_util::stream::repeat(piece))
    };
    let silent = || async { Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>()) };
    let broken = || async {
        let gone: Result<Bytes, std::io::Error> = Err(std::io::ErrorKind::ConnectionReset.into());
        Body::from_stream(futures_util::stream::iter([Ok(Bytes::from_static(b"abc")), gone]))
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/away", get(|| async { (StatusCode::FOUND, [("location", "/secret")]) }))
        .route("/secret", get(|| async { "secret" }))
        .route("/endless", get(endless))
        .route("/silent", get(silent))
        .route("/broken", get(broken))
        .route("/agent", get(|headers: HeaderMap| async move { format!("{headers:?}") }))
        .layer(axum::middleware::map_request(move |request: axum::extract::Request| {
            count.fetch_add(1, Ordering::SeqCst);
            async { request }
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
    House { base, calls }
}

fn client(recipients: Vec<Recipient>, names: &Names) -> Egress {
    Egress::new(recipients, names, Clock::manual(NOW).0).unwrap()
}

fn house_client(house: &House) -> Egress {
    client(vec![Recipient::named("house").base(&house.base).unwrap()], &Names::System)
}

fn to(recipient: &str, url: &str) -> Call {
    Call::new(recipient, Method::GET, Url::parse(url).unwrap(), "/{path}").within(Duration::from_secs(5))
}

async fn get_from(egress: &Egress, recipient: &str, url: &str) -> Result<u16, EgressError> {
    egress.send(to(recipient, url), &CallLog::new()).await.map(|r| r.status)
}

#[tokio::test]
async fn a_configured_base_on_this_machine_is_reached_and_recorded() {
    let house = house().await;
    let egress = house_client(&house);
    let log = CallLog::new();
    let url = house.base.join("/?token=canary").unwrap();
    let reply = egress.send(Call::new("house", Method::GET, url, "/{id}"), &log).await.unwrap();
    assert_eq!((reply.status, &reply.body[..]), (200, &b"hello"[..]));
    let records = log.take();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].status, records[0].received, records[0].path), (Some(200), 5, "/{id}"));
    assert_eq!((records[0].host.as_str(), records[0].failure), ("127.0.0.1", None));
    assert!(!serde_json::to_string(&records).unwrap().contains("canary"));
}

#[tokio::test]
async fn every_spelling_of_an_address_of_the_house_is_refused() {
    let house = house().await;
    let port = house.base.port().unwrap();
    let egress = client(vec![Recipient::named("user").anywhere()], &Names::System);
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "172.16.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ⓛocalhost",
        "１２７.0.0.1",
    ];
    for host in hosts {
        for url in
            [format!("https://{host}/"), format!("HTTPS://{host}:443/"), format!("https://{host}:{port}/")]
        {
            let Ok(url) = Url::parse(&url) else { continue };
            let found = egress.send(to("user", url.as_str()), &CallLog::new()).await;
            assert!(found.as_ref().is_err_and(|e| e.never_sent()), "{url}: {found:?}");
        }
    }
    for url in [
        "http://example.com/",
        "http://user@example.com/",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://example.com:22/",
        "https://example.com./",
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "data:text/plain,x",
        "unix:/var/run/docker.sock",
    ] {
        let found = get_from(&egress, "user", url).await;
        assert!(matches!(found, Err(EgressError::BadUrl | EgressError::NotAllowed)), "{url}: {found:?}");
    }
    assert_eq!(house.calls.load(Ordering::SeqCst), 0, "nothing got through");
}

#[tokio::test]
async fn a_name_is_judged_by_the_addresses_that_are_dialled() {
    let public: IpAddr = "192.0.2.1".parse().unwrap();
    let good: IpAddr = "8.8.8.8".parse().unwrap();
    let inside: IpAddr = "127.0.0.1".parse().unwrap();
    let meta: IpAddr = "169.254.169.254".parse().unwrap();
    let names = Names::table(&[
        ("inside.example", &[&[inside]]),
        ("meta.example", &[&[meta]]),
        ("mixed.example", &[&[good, inside]]),
        ("documentation.example", &[&[public]]),
        ("rebinding.example", &[&[inside], &[meta], &[inside]]),
    ]);
    let egress = client(vec![Recipient::named("user").anywhere()], &names);
    for host in ["inside", "meta", "mixed", "documentation", "rebinding", "rebinding", "rebinding"] {
        let found = get_from(&egress, "user", &format!("https://{host}.example/")).await;
        assert_eq!(found, Err(EgressError::PrivateAddress), "{host}");
    }
    let unknown = get_from(&egress, "user", "https://nowhere.example/").await;
    assert_eq!(unknown, Err(EgressError::NoConnection));
}

#[tokio::test]
async fn a_name_that_leads_outside_does_not_pass_for_this_machine() {
    let good: IpAddr = "8.8.8.8".parse().unwrap();
    let names = Names::table(&[("localhost", &[&[good]])]);
    let base = Url::parse("http://localhost:8080").unwrap();
    let egress = client(vec![Recipient::named("house").base(&base).unwrap()], &names);
    let found = get_from(&egress, "house", "http://localhost:8080/").await;
    assert_eq!(found, Err(EgressError::PrivateAddress));
}

#[tokio::test]
async fn this_machine_is_reached_in_development_alone_and_no_other_that_is_private() {
    let house = house().await;
    let here = house.base.as_str();
    let strict = client(vec![Recipient::named("app").anywhere()], &Names::System);
    let loose = client(vec![Recipient::named("app").anywhere().this_machine()], &Names::System);
    assert!(get_from(&strict, "app", here).await.is_err());
    assert_eq!(get_from(&loose, "app", here).await.unwrap(), 200);
    for elsewhere in
        ["http://10.0.0.1/", "https://192.168.0.1/", "https://169.254.169.254/", "http://example.org/"]
    {
        assert!(loose.check("app", &elsewhere.parse().unwrap()).is_err(), "{elsewhere}");
    }
    assert_eq!(house.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn only_the_hosts_of_a_recipient_are_called_for_it() {
    let house = house().await;
    let other = Url::parse("http://127.0.0.1:1").unwrap();
    let egress = client(
        vec![
            Recipient::named("fal-ai").host("queue.fal.run").under("fal.media"),
            Recipient::named("house").base(&house.base).unwrap(),
            Recipient::named("other").base(&other).unwrap(),
        ],
        &Names::table(&[]),
    );
    for (recipient, url, expected) in [
        ("fal-ai", "https://queue.fal.run/x", EgressError::NoConnection),
        ("fal-ai", "https://v3.fal.media/x", EgressError::NoConnection),
        ("fal-ai", "https://fal.media/x", EgressError::NotAllowed),
        ("fal-ai", "https://evilfal.media/x", EgressError::NotAllowed),
        ("fal-ai", "https://fal.media.evil.example/x", EgressError::NotAllowed),
        ("fal-ai", "https://queue.fal.run.evil.example/", EgressError::NotAllowed),
        ("fal-ai", "https://queue.fal.run:8443/", EgressError::NotAllowed),
        ("fal-ai", "http://queue.fal.run/", EgressError::NotAllowed),
        ("fal-ai", "https://evil@queue.fal.run/", EgressError::BadUrl),
        ("fal-ai", house.base.as_str(), EgressError::NotAllowed),
        ("other", house.base.as_str(), EgressError::NotAllowed),
        ("stripe", "https://api.stripe.com/", EgressError::UnknownRecipient),
    ] {
        assert_eq!(get_from(&egress, recipient, url).await, Err(expected), "{recipient} {url}");
    }
    assert_eq!(get_from(&egress, "house", house.base.as_str()).await, Ok(200));
    assert!(Recipient::named("x").base(&Url::parse("http://example.com").unwrap()).is_err());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_an_order() {
    let house = house().await;
    let egress = house_client(&house);
    let url = house.base.join("/away").unwrap();
    assert_eq!(get_from(&egress, "house", url.as_str()).await, Ok(302));
    assert_eq!(house.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn bytes_and_time_are_capped() {
    let house = house().await;
    let egress = house_client(&house);
    let log = CallLog::new();
    let endless = to("house", house.base.join("/endless").unwrap().as_str()).at_most(100_000);
    assert_eq!(egress.send(endless, &log).await.unwrap_err(), EgressError::TooLarge);
    let hello = to("house", house.base.as_str()).at_most(4);
    assert_eq!(egress.send(hello, &log).await.unwrap_err(), EgressError::TooLarge);
    let silent = to("house", house.base.join("/silent").unwrap().as_str()).within(Duration::from_millis(200));
    assert_eq!(egress.send(silent, &log).await.unwrap_err(), EgressError::TimedOut);
    let broken = to("house", house.base.join("/broken").unwrap().as_str());
    assert_eq!(egress.send(broken, &log).await.unwrap_err(), EgressError::Interrupted);
    let nobody = to("house", house.base.as_str());
    let records = log.take();
    let words: Vec<_> = records.iter().map(|r| r.failure).collect();
    assert_eq!(words, [Some("too-large"), Some("too-large"), Some("timed-out"), Some("interrupted")]);
    assert!(records[0].received <= 300_000, "it stopped reading");
    assert!(format!("{nobody:?}").contains("house GET /{path}"));
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_recorded_as_such() {
    let house = house().await;
    let egress = house_client(&house);
    let log = CallLog::new();
    let call = to("house", house.base.join("/endless").unwrap().as_str()).at_most(u64::MAX);
    let mut incoming = egress.open(call, &log).await.unwrap();
    assert!(incoming.chunk().await.unwrap().is_some());
    assert!(log.take().is_empty());
    drop(incoming);
    assert_eq!(log.take()[0].failure, Some("dropped"));
}

#[tokio::test]
async fn nothing_secret_shows_in_a_call_or_its_error() {
    let nobody = Url::parse("http://127.0.0.1:9/canary-path?key=canary-query").unwrap();
    let egress = client(vec![Recipient::named("house").base(&nobody).unwrap()], &Names::System);
    let call = Call::new("house", Method::POST, nobody, "/{path}")
        .authorization("Bearer", &Secret::new("canary-key".to_owned()))
        .header("x-note", "canary-header")
        .body("text/plain", "canary-body");
    let seen = format!("{call:?} {call:#?}");
    let error = egress.send(call, &CallLog::new()).await.unwrap_err();
    assert!(error.never_sent());
    assert!(!format!("{seen} {error} {error:?} {egress:?}").contains("canary"));
    let split = to("house", "http://127.0.0.1:9/").header("x-a", "b\r\nx-evil: 1");
    assert_eq!(egress.send(split, &CallLog::new()).await.unwrap_err(), EgressError::Build);
}
