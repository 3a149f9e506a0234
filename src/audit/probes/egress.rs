//! What goes out: to whom, over what, and what comes back unasked.

use std::net::IpAddr;

use chrono::TimeDelta;

use super::Look;
use crate::audit::model::{count, grouped, unsigned};
use crate::audit::sql::register as sql;
use crate::audit::{Error, Outcome};
use crate::base::{Secret, Timestamp};
use crate::egress::{Egress, HeaderMap, Names, Recipient, Url};
use crate::policy::Processor;
use crate::providers::{Replicate, ReplicateConfig};
use crate::recipients::{Stripe, StripeConfig};

const A_QUARTER: TimeDelta = TimeDelta::days(90);

/// Looks at every disclosure of 90 days: did the document of that day let these categories go to that recipient for that
/// purpose; and whether the bucket that is set up belongs to a recipient that the document names.
pub(super) async fn named_only(look: &Look<'_>) -> Result<Outcome, Error> {
    let sent = {
        let mut tx = look.audit.db.read().await?;
        sql::sent(&mut tx, look.tenant, look.now.plus(-A_QUARTER)).await?
    };
    let allowed = |s: &sql::Sent, at: Timestamp| {
        look.audit.library.in_force(look.tenant, at).is_some_and(|policy| {
            s.categories.split(' ').all(|c| policy.may_send(c, &s.processor, &s.purpose).is_ok())
        })
    };
    let mut checked: u64 = sent.iter().map(|s| unsigned(s.count)).sum();
    let strange = sent.iter().filter(|s| !allowed(s, s.first) || !allowed(s, s.last));
    let mut found: u64 = strange.map(|s| unsigned(s.count)).sum();
    let mut figure = format!(
        "{} of {} in 90 days went to somebody not named for it",
        grouped(found),
        count(checked, "disclosure", "disclosures")
    );
    if let Some(host) = bucket_host(look) {
        checked += 1;
        if !look.policy.processors().any(|p: &Processor| p.has_host(&host)) {
            found += 1;
            figure = format!("{figure}; the bucket lies with somebody the document does not name");
        }
    }
    Ok(Outcome::counted(checked, found, figure))
}

/// Where the bucket is, unless it is on this machine.
fn bucket_host(look: &Look<'_>) -> Option<String> {
    let endpoint = &look.audit.config.blobs.s3.as_ref()?.endpoint;
    let url = Url::parse(endpoint).ok()?;
    let host = url.host_str()?;
    (!is_this_machine(host)).then(|| host.to_owned())
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.is_empty()
        || bare == "localhost"
        || bare.starts_with('/')
        // A socket's folder where a host would stand, as libpq takes it: `postgres://user@%2Frun%2Fpostgresql/db`.
        || bare.get(..3).is_some_and(|first| first.eq_ignore_ascii_case("%2f"))
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Looks at every connection that the configuration has the program open, and tries whether the client refuses to speak
/// without TLS.
#[expect(clippy::unused_async, reason = "every probe is called alike")]
pub(super) async fn outbound_tls(look: &Look<'_>) -> Result<Outcome, Error> {
    let config = &look.audit.config;
    let mut open = Vec::new();
    let mut checked = 1;
    match refuses_plain(look) {
        Some(true) => {}
        Some(false) => open.push("the client would speak without TLS"),
        None => return Ok(Outcome::cannot_run("the outbound client could not be set up")),
    }
    if let Some(s3) = &config.blobs.s3 {
        checked += 1;
        let url = Url::parse(&s3.endpoint).ok();
        let safe = url.is_some_and(|u| u.scheme() == "https" || u.host_str().is_some_and(is_this_machine));
        if !safe {
            open.push("the bucket is reached without TLS");
        }
    }
    for url in [&config.store.postgres, &config.store.keystore_postgres].into_iter().flatten() {
        checked += 1;
        if !is_verified(url) {
            open.push("a database is reached over a network without a verified certificate");
        }
    }
    // Letters leave over TLS or not at all: the mail room knows no other way.
    checked += u64::from(config.mail.smtp_host.is_some());
    let found = open.len() as u64;
    let figure = match open.first() {
        None => format!("{} verified or on this machine", count(checked, "way out is", "ways out are")),
        Some(first) => format!("{} of {}: {first}", grouped(found), count(checked, "way out", "ways out")),
    };
    Ok(Outcome::counted(checked, found, figure))
}

/// Whether the guarded client lets HTTPS through to a named host, and plain HTTP not. Nothing is sent.
fn refuses_plain(look: &Look<'_>) -> Option<bool> {
    let recipients = vec![Recipient::named("audit").host("example.com")];
    let egress = Egress::new(recipients, &Names::System, look.audit.clock.clone()).ok()?;
    let may = |url: &str| Url::parse(url).ok().map(|u| egress.check("audit", &u).is_ok());
    Some(may("https://example.com/")? && !may("http://example.com/")? && !may("https://example.org/")?)
}

/// Whether a database is on this machine, or its certificate is verified (libpq's `verify-ca` or `verify-full`).
fn is_verified(url: &Secret<String>) -> bool {
    let Ok(url) = Url::parse(url.expose()) else { return false };
    let pair = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    let host = pair("host").unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned());
    is_this_machine(&host)
        || pair("sslmode").is_some_and(|mode| matches!(mode.as_str(), "verify-ca" | "verify-full"))
}

/// Tries callbacks that nobody signed, that somebody else signed and that are old, on the check that stands before every
/// callback; and one that is right, so that refusing everything does not pass.
pub(super) async fn webhooks_verified(look: &Look<'_>) -> Result<Outcome, Error> {
    let made = look.round.forgeries.get_or_init(|| async { forgeries(look) }).await;
    Ok(made.clone())
}

fn forgeries(look: &Look<'_>) -> Outcome {
    let right = format!("whsec_{}", hex::encode(look.audit.entropy.bytes::<16>()));
    let Some(hook) = hook(look, &right) else {
        return Outcome::cannot_run("the check of callbacks could not be set up");
    };
    let body = br#"{"id":"rehearsal1","status":"succeeded"}"#;
    let seconds = look.audit.clock.now().micros() / 1_000_000;
    let other = format!("whsec_{}", hex::encode(look.audit.entropy.bytes::<16>()));
    let tries = [
        (signed(&right, seconds, body), &body[..], true),
        (signed(&other, seconds, body), &body[..], false),
        (signed(&right, seconds - 3600, body), &body[..], false),
        (signed(&right, seconds, body), &br#"{"id":"rehearsal2"}"#[..], false),
        (Some(HeaderMap::new()), &body[..], false),
    ];
    let Some((stripe_tries, stripe_wrong)) = stripe_forgeries(look, seconds) else {
        return Outcome::cannot_run("the check of callbacks could not be set up");
    };
    let all = tries.len() as u64 + stripe_tries;
    let wrong = tries.into_iter().filter(|(headers, body, good)| {
        headers.as_ref().is_none_or(|h| hook.verify(h, body).is_ok() != *good)
    });
    let found = wrong.count() as u64 + stripe_wrong;
    let figure = if found == 0 {
        format!("{} forged callbacks refused, {} right ones taken", grouped(all - RIGHT), RIGHT)
    } else {
        format!("{} of {} callbacks judged wrongly", grouped(found), grouped(all))
    };
    Outcome::counted(all, found, figure)
}

/// How many of the tries are right.
const RIGHT: u64 = 3;

/// The same for Stripe's messages, also while a secret is being replaced: how many were tried, how many judged wrongly.
fn stripe_forgeries(look: &Look<'_>, seconds: i64) -> Option<(u64, u64)> {
    let secret = || format!("whsec_{}", hex::encode(look.audit.entropy.bytes::<16>()));
    let (old, new, other) = (secret(), secret(), secret());
    let secrets = [&new, &old].map(|s| Secret::new(s.clone())).to_vec();
    let config = StripeConfig::live(Secret::new(String::new()), secrets).ok()?;
    let clock = look.audit.clock.clone();
    let egress = Egress::new(vec![config.recipient().ok()?], &Names::System, clock.clone()).ok()?;
    let stripe = Stripe::new(config, egress, clock);
    let body = br#"{"id":"evt_rehearsal1","type":"invoice.paid"}"#;
    let sign = |secrets: &[&String], at: i64| {
        use hmac::Mac as _;
        let of = |secret: &&String| {
            let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).ok()?;
            mac.update(format!("{at}.").as_bytes());
            mac.update(body);
            Some(format!(",v1={}", hex::encode(mac.finalize().into_bytes())))
        };
        let signatures: String = secrets.iter().filter_map(of).collect();
        format!("t={at}{signatures}")
    };
    let tries = [
        (sign(&[&new], seconds), &body[..], true),
        (sign(&[&old, &other], seconds), &body[..], true),
        (sign(&[&other], seconds), &body[..], false),
        (sign(&[&new], seconds - 3600), &body[..], false),
        (sign(&[&new], seconds), &br#"{"id":"evt_rehearsal2","type":"invoice.paid"}"#[..], false),
        (String::new(), &body[..], false),
    ];
    let wrong = tries.iter().filter(|(header, body, good)| stripe.verify(header, body).is_ok() != *good);
    Some((tries.len() as u64, wrong.count() as u64))
}

fn hook(look: &Look<'_>, secret: &str) -> Option<Replicate> {
    let secrets = vec![Secret::new(secret.to_owned())];
    let config = ReplicateConfig::live(Secret::new(String::new()), secrets).ok()?;
    let (clock, entropy) = (look.audit.clock.clone(), look.audit.entropy.clone());
    let egress = Egress::new(vec![config.recipient().ok()?], &Names::System, clock.clone()).ok()?;
    Some(Replicate::new(config, egress, clock, entropy))
}

/// Headers as a sender with this secret would write them (Standard Webhooks).
fn signed(secret: &str, seconds: i64, body: &[u8]) -> Option<HeaderMap> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::Mac as _;
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("msg_rehearsal.{seconds}.").as_bytes());
    mac.update(body);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", "msg_rehearsal".parse().ok()?);
    headers.insert("webhook-timestamp", seconds.to_string().parse().ok()?);
    headers.insert("webhook-signature", format!("v1,{signature}").parse().ok()?);
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_verified_on_this_machine_or_by_its_certificate() {
        for (url, safe) in [
            ("postgres://u:p@127.0.0.1/db", true),
            ("postgres://u:p@[::1]:5432/db", true),
            ("postgres://u@localhost/db", true),
            ("postgres:///db?host=/run/postgresql", true),
            ("postgres://u@%2Frun%2Fpostgresql:5432/db", true),
            ("postgres://u:p@db.example.org/db?sslmode=verify-full", true),
            ("postgres://u:p@db.example.org/db?sslmode=require", false),
            ("postgres://u:p@db.example.org/db", false),
            ("not a url", false),
        ] {
            assert_eq!(is_verified(&Secret::new(url.to_owned())), safe, "{url}");
        }
    }
}
