//! Encrypted on every way: to us by HTTPS alone, from us to nobody who cannot show who they are.

use std::time::Duration;

use vouchsafe::base::Clock;
use vouchsafe::egress::{Call, CallLog, Egress, Method, Names, Recipient, Url};
use vouchsafe::http::Certificate;

use super::{TENANTS, document, kept, sent, with_pages};
use crate::each_app;
use crate::support::TestApp;
use crate::support::app::TENANT;

each_app! {
    async fn every_answer_asks_for_https_and_cookies_travel_by_nothing_else(app: TestApp) {
        let app = with_pages(app);
        let ada = app.person("ada@example.org").await;
        for path in ["/", "/flux-kontext/policy", "/flux-kontext/sign-in", "/v1/account", "/healthz", "/nothing"] {
            let answer = app.get(path).by(&ada).send().await;
            let hsts = answer.header("strict-transport-security");
            let seconds: u64 = hsts.split("max-age=").nth(1).and_then(|s| s.split(';').next()?.parse().ok()).unwrap_or(0);
            assert!(seconds >= 365 * 24 * 3600, "{path}: {hsts:?}");
        }
        let (at, fields) = ("/flux-kontext/sign-in", [("email", "ada@example.org"), ("next", "")]);
        let asked = sent(&app, at, at, &fields, |call| call).await;
        let cookie = asked.header("set-cookie");
        assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
        app.work().await;
        let letter = app.mails().pop().unwrap().letter.text;
        assert!(letter.contains("https://vouchsafe.test/") && !letter.contains("http://"), "{letter}");
        kept(&app, TENANT, "outbound-tls").await;
    }
}

/// A certificate and its key, as files that the service is pointed at.
struct Shown {
    chain: std::path::PathBuf,
    key: std::path::PathBuf,
}

impl Shown {
    fn in_folder(folder: &std::path::Path) -> Self {
        Self { chain: folder.join("chain.pem"), key: folder.join("key.pem") }
    }

    /// Writes a new certificate, and gives a browser that believes it and nothing else.
    fn renew(&self) -> reqwest::Client {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&self.chain, made.cert.pem()).unwrap();
        std::fs::write(&self.key, made.signing_key.serialize_pem()).unwrap();
        let believed = reqwest::Certificate::from_der(made.cert.der()).unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser of the test's own, to a server on this machine"
        )]
        let browser = reqwest::Client::builder();
        browser.tls_certs_only([believed]).build().unwrap()
    }
}

each_app! {
    async fn the_service_speaks_tls_itself_and_nothing_else_then(app: TestApp) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let folder = tempfile::tempdir().unwrap();
        let shown = Shown::in_folder(folder.path());
        let first = shown.renew();
        let certificate = Certificate::load(&shown.chain, &shown.key).await.unwrap();
        let (address, stop) = app.listen_with(Some(certificate.clone())).await;
        let url = format!("https://localhost:{}/healthz", address.port());
        let answer = first.get(&url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));

        // Whoever calls in clear is told nothing.
        let mut clear = tokio::net::TcpStream::connect(address).await.unwrap();
        clear.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut heard = Vec::new();
        let _reset = clear.read_to_end(&mut heard).await;
        assert!(!heard.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&heard));

        // A renewed certificate is shown once it was read; one that is none changes nothing.
        let second = shown.renew();
        assert!(second.get(&url).send().await.is_err(), "not read yet");
        certificate.read_again().await.unwrap();
        assert_eq!(second.get(&url).send().await.unwrap().status(), 200);
        std::fs::write(&shown.chain, "no certificate").unwrap();
        assert!(certificate.read_again().await.is_err());
        assert!(Certificate::load(&shown.chain, &shown.key).await.is_err());
        let third = second.clone().get(&url).header("connection", "close").send().await.unwrap();
        assert_eq!(third.status(), 200);
        drop(stop);
    }
}

#[tokio::test]
async fn a_company_of_the_documents_is_never_called_in_clear() {
    for tenant in TENANTS {
        for processor in document(tenant).processors().filter(|p| p.is_recipient()) {
            for host in &processor.hosts {
                let host = host.replace('*', "account");
                let base = Url::parse(&format!("http://{host}/")).unwrap();
                assert!(Recipient::named("it").base(&base).is_err(), "{tenant}: http://{host} was taken");
                let safe = Url::parse(&format!("https://{host}/")).unwrap();
                assert!(Recipient::named("it").base(&safe).is_ok(), "{tenant}: https://{host}");
            }
        }
    }
}

#[tokio::test]
async fn a_counterpart_that_does_not_speak_tls_gets_nothing() {
    // A server that would take whatever comes, and remembers how much that was.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::oneshot::channel();
    tokio_util::task::TaskTracker::new().spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = vec![0; 4096];
        let n = stream.read(&mut got).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        got.truncate(n);
        tell.send(got).unwrap();
    });
    let base = Url::parse(&format!("https://{address}/")).unwrap();
    let recipient = Recipient::named("house").base(&base).unwrap();
    let egress = Egress::new(vec![recipient], &Names::System, Clock::system()).unwrap();
    let url = base.join("/canary-path").unwrap();
    let call = Call::new("house", Method::GET, url, "/{path}").within(Duration::from_secs(5));
    assert!(egress.send(call, &CallLog::new()).await.is_err());
    let got = told.await.unwrap();
    assert!(!got.is_empty() && !got.windows(6).any(|w| w == b"canary"), "only the beginning of a handshake");
}
