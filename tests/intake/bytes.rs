//! Whatever bytes come: nothing falls over, and nothing of anybody's moves.

use vouchsafe::intake::{Envelope, Outcome};

use super::{count, letter};
use crate::each_app;
use crate::support::TestApp;
use crate::support::chance::{Chance, soaking};

/// Letters to be damaged, and things that are none.
fn beginnings(chance: &Chance) -> Vec<Vec<u8>> {
    let plain = letter("ada@example.org", "1", "Please delete my account.");
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(200);
    let parts = "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(60);
    let mixed = plain.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=b");
    vec![
        plain.clone().into_bytes(),
        format!("{plain}{nested}").into_bytes(),
        format!("{mixed}{parts}").into_bytes(),
        plain.replace("charset=utf-8", "charset=utf-7").into_bytes(),
        plain.replace("Subject: ", "Subject: =?utf-8?B?").into_bytes(),
        format!("DKIM-Signature: v=1; a=rsa-sha256; d=x; s=y; l=99999999999; bh=; b=\r\n{plain}")
            .into_bytes(),
        vec![0; 2_000],
        chance.bytes(4_000),
        Vec::new(),
    ]
}

each_app! {
    async fn no_bytes_release_anything(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        app.settle().await;
        let chance = Chance::of("no_bytes_release_anything");
        let before = (app.ledger_kinds().await.len(), count(&app, "SELECT COUNT(*) FROM session").await);
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..if soaking() { 500 } else { 20 } {
            for whole in beginnings(&chance) {
                let raw = chance.damaged(&whole);
                match app.app.intake.take(&app.tenant(), &raw, &Envelope::default()).await {
                    Ok(Outcome::Taken | Outcome::Again) => taken += 1,
                    Ok(Outcome::Automatic | Outcome::NotARequest) => {}
                    Err(e) => {
                        assert_eq!(e.kind(), vouchsafe::base::Kind::Invalid, "{e}");
                        refused += 1;
                    }
                }
            }
        }
        assert!(taken > 10 && refused > 10, "{taken} were taken and {refused} refused: nothing was tried");
        for table in ["request", "erasure", "receipt", "look"] {
            assert_eq!(count(&app, &format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        let after = (app.ledger_kinds().await.len(), count(&app, "SELECT COUNT(*) FROM session").await);
        assert_eq!(before, after);
        assert_eq!(app.get(&format!("/v1/images/{image}")).by(&ada).send().await.status, 200);
        assert!(app.mails().iter().all(|m| m.letter.text.contains("/letters/confirm?token=")));
    }
}
