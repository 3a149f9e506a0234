//! Encrypted on every way: to us by HTTPS alone, from us to nobody who cannot show who they are.

use std::time::Duration;

use vouchsafe::base::Clock;
use vouchsafe::egress::{Call, CallLog, Egress, Method, Names, Recipient, Url};

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
        let letter = app.mails().pop().unwrap().letter.text;
        assert!(letter.contains("https://vouchsafe.test/") && !letter.contains("http://"), "{letter}");
        kept(&app, TENANT, "outbound-tls").await;
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
