//! Where a letter came from: DKIM, SPF and DMARC, looked up at a real name server on this machine.

use base64::Engine as _;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::DkimSigner;
use vouchsafe::intake::{Dkim, Envelope, Found, Outcome, Proof};

use super::letter;
use crate::support::dns::Dns;
use crate::support::{Backend, TestApp};

/// A letter signed with a key that the name server knows.
fn signed(dns: &Dns, domain: &str, raw: &str) -> String {
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let public = base64::engine::general_purpose::STANDARD.encode(key.public_key());
    dns.publish(&format!("s1._domainkey.{domain}"), &format!("v=DKIM1; k=ed25519; p={public}"));
    let signer =
        DkimSigner::from_key(key).domain(domain).selector("s1").headers(["From", "To", "Subject", "Date"]);
    let signature = signer.sign(raw.as_bytes()).unwrap();
    format!("{}{raw}", signature.to_header())
}

async fn proof(app: &TestApp, raw: &str, envelope: &Envelope) -> Proof {
    let taken = app.app.intake.take(&app.tenant(), raw.as_bytes(), envelope).await.unwrap();
    assert_eq!(taken, Outcome::Taken);
    let waiting = app.app.intake.waiting(&app.tenant()).await.unwrap();
    app.advance(chrono::TimeDelta::hours(9));
    waiting.last().unwrap().proof
}

async fn story(app: &TestApp, dns: &Dns) {
    let from = |id: &str| letter(&format!("{id}@example.org"), id, "Please delete my account.");
    let none = Envelope::default();
    let nothing = Proof { dkim: Dkim::Absent, dmarc: Found::Nothing, spf: Found::Nothing };
    assert_eq!(proof(app, &from("forged"), &none).await, nothing);

    let own = signed(dns, "example.org", &from("own"));
    assert_eq!(proof(app, &own, &none).await, Proof { dkim: Dkim::Aligned, ..nothing });
    let other = signed(dns, "elsewhere.example", &from("other"));
    assert_eq!(proof(app, &other, &none).await, Proof { dkim: Dkim::Foreign, ..nothing });
    let changed = signed(dns, "example.org", &from("changed")).replace("delete my", "send me a copy of my");
    assert_eq!(proof(app, &changed, &none).await, Proof { dkim: Dkim::Failed, ..nothing });

    dns.publish("_dmarc.example.com", "v=DMARC1; p=reject");
    dns.publish("example.com", "v=spf1 ip4:192.0.2.7 -all");
    let com = |id: &str| from(id).replace("example.org>\r\nTo", "example.com>\r\nTo");
    let handed = |client: &str| Envelope {
        client: Some(client.parse().unwrap()),
        helo: Some("mail.example.com".to_owned()),
        sender: Some("ada@example.com".to_owned()),
    };
    let wanted = signed(dns, "example.com", &com("wanted"));
    let found = proof(app, &wanted, &handed("192.0.2.7")).await;
    assert_eq!(found, Proof { dkim: Dkim::Aligned, dmarc: Found::Pass, spf: Found::Pass });
    let found = proof(app, &com("unwanted"), &handed("198.51.100.9")).await;
    assert_eq!(found, Proof { dkim: Dkim::Absent, dmarc: Found::Fail, spf: Found::Fail });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_a_letter_came_from_is_found_out_and_opens_nothing() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let dns = Dns::start().await;
        let address = dns.address.to_string();
        if let Some(app) = TestApp::open_with(backend, |config| config.intake.dns = address).await {
            story(&app, &dns).await;
            assert_eq!(super::count(&app, "SELECT COUNT(*) FROM request").await, 0);
        }
    }
}
