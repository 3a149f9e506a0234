//! Where a letter came from, as far as its domain lets anybody know: DKIM, SPF, DMARC. What is found is shown to staff and
//! opens nothing, so a name server that cannot be reached stops no request.

use std::fmt;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::time::Duration;

use futures_util::FutureExt as _;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, DnsError, Error, MessageAuthenticator,
    SpfOutput, SpfResult,
};

use super::model::{Dkim, Envelope, Found, Proof};
use crate::subjects::Email;

/// How long one question to a name server may take.
const ONE_QUESTION: Duration = Duration::from_secs(2);
/// How long all of them may take.
const ALL_QUESTIONS: Duration = Duration::from_secs(10);

/// Which name server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dns {
    /// None: nothing is known of any letter.
    Off,
    /// The machine's.
    System,
    /// This one, by UDP and TCP.
    At(SocketAddr),
}

impl FromStr for Dns {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "off" => Ok(Self::Off),
            "system" => Ok(Self::System),
            other => other.parse().map(Self::At).map_err(|_| ()),
        }
    }
}

/// How the name server stands that is asked where letters come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameServer {
    /// None is to be asked.
    Off,
    /// It answers questions for text records, which is what every check of a letter asks for.
    Answers,
    /// It does not, and why: where letters come from stays unknown.
    Silent(String),
}

/// Looks where letters come from. Cheap to clone.
#[derive(Clone)]
pub struct Verifier(Asked);

#[derive(Clone)]
enum Asked {
    Nobody,
    /// None could be set up, and why.
    Unusable(String),
    Server(Box<MessageAuthenticator>),
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

impl Verifier {
    /// One that asks there. Where no name server can be set up, nothing is known of any letter, and the log says so.
    pub fn new(dns: Dns) -> Self {
        let made = match dns {
            Dns::Off => return Self(Asked::Nobody),
            Dns::System => MessageAuthenticator::new_system_conf(),
            Dns::At(address) => MessageAuthenticator::new(at(address), options()),
        };
        Self(match made {
            Ok(server) => Asked::Server(Box::new(server)),
            Err(e) => {
                tracing::warn!("no name server can be asked; where letters come from stays unknown");
                Asked::Unusable(e.to_string())
            }
        })
    }

    /// Asks the name server for what `domain` says of letters from it. That it says nothing is an answer, too.
    pub async fn name_server(&self, domain: &str) -> NameServer {
        let server = match &self.0 {
            Asked::Nobody => return NameServer::Off,
            Asked::Unusable(why) => return NameServer::Silent(why.clone()),
            Asked::Server(server) => server,
        };
        let question = server.txt_raw_lookup(format!("_dmarc.{}.", askable(domain)));
        match tokio::time::timeout(ALL_QUESTIONS, question).await {
            Ok(Ok(_)) => NameServer::Answers,
            Ok(Err(Error::Dns(DnsError::RecordNotFound(ResponseCode::NoError | ResponseCode::NXDomain)))) => {
                NameServer::Answers
            }
            Ok(Err(why)) => NameServer::Silent(why.to_string()),
            Err(_) => NameServer::Silent("no answer within ten seconds".to_owned()),
        }
    }

    /// What is known of where a letter came from.
    pub async fn of(&self, raw: &[u8], from: &Email, envelope: &Envelope) -> Proof {
        let Asked::Server(asked) = &self.0 else { return Proof::UNKNOWN };
        let judged = AssertUnwindSafe(judged(asked, raw, from, envelope)).catch_unwind();
        let judged = tokio::time::timeout(ALL_QUESTIONS, judged).await;
        judged.ok().and_then(Result::ok).unwrap_or(Proof::UNKNOWN)
    }
}

/// A domain that only a name server can tell of: names like `localhost` are answered on this machine (RFC 6761), and such an
/// answer says nothing about the server.
fn askable(domain: &str) -> &str {
    let domain = domain.trim_end_matches('.');
    let here = |last: &str| {
        ["localhost", "local", "invalid", "onion"].iter().any(|name| last.eq_ignore_ascii_case(name))
    };
    match domain.rsplit_once('.') {
        Some((_, last)) if !here(last) => domain,
        _ => "example.org",
    }
}

fn at(address: SocketAddr) -> ResolverConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    ResolverConfig::from_name_servers(vec![server])
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = ONE_QUESTION;
    options.attempts = 1;
    options
}

async fn judged(asked: &MessageAuthenticator, raw: &[u8], from: &Email, envelope: &Envelope) -> Proof {
    let Some(message) = AuthenticatedMessage::parse(raw) else { return Proof::UNKNOWN };
    let signatures = asked.verify_dkim(&message).await;
    let domain = from.expose().rsplit('@').next().unwrap_or_default();
    let sender = envelope.sender.as_deref().unwrap_or_default();
    let spf = match (envelope.client, envelope.helo.as_deref()) {
        (Some(client), Some(helo)) if !sender.is_empty() => {
            asked.verify_spf(SpfParameters::verify_mail_from(client, helo, "localhost", sender)).await
        }
        _ => SpfOutput::default(),
    };
    let sender_domain = sender.rsplit('@').next().unwrap_or_default();
    let wanted = asked.verify_dmarc(DmarcParameters::new(&message, &signatures, sender_domain, &spf)).await;
    let dmarc = match (wanted.dkim_result(), wanted.spf_result()) {
        (DmarcResult::Pass, _) | (_, DmarcResult::Pass) => Found::Pass,
        (DmarcResult::TempError(_), _) | (_, DmarcResult::TempError(_)) => Found::Unknown,
        (DmarcResult::None, DmarcResult::None) if wanted.dmarc_record().is_none() => Found::Nothing,
        _ => Found::Fail,
    };
    Proof { dkim: signed(&signatures, domain), dmarc, spf: may_send(spf.result()) }
}

fn signed(signatures: &[DkimOutput<'_>], domain: &str) -> Dkim {
    let holds = |s: &&DkimOutput<'_>| *s.result() == DkimResult::Pass;
    let of_domain = |s: &DkimOutput<'_>| s.signature().is_some_and(|s| aligned(&s.d, domain));
    if signatures.iter().filter(holds).any(of_domain) {
        Dkim::Aligned
    } else if signatures.iter().any(|s| holds(&s)) {
        Dkim::Foreign
    } else if signatures.iter().any(|s| matches!(s.result(), DkimResult::TempError(_))) {
        Dkim::Unknown
    } else if signatures.is_empty() {
        Dkim::Absent
    } else {
        Dkim::Failed
    }
}

/// Whether a signature's domain is the sender's, or one of the two lies below the other (relaxed alignment).
fn aligned(signer: &str, domain: &str) -> bool {
    let (signer, domain) = (signer.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let below = |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
    signer == domain || below(&domain, &signer) || below(&signer, &domain)
}

fn may_send(found: SpfResult) -> Found {
    match found {
        SpfResult::Pass => Found::Pass,
        SpfResult::Fail | SpfResult::SoftFail | SpfResult::PermError => Found::Fail,
        SpfResult::Neutral | SpfResult::None => Found::Nothing,
        SpfResult::TempError => Found::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_for_its_own_domain_and_what_lies_below() {
        assert!(aligned("Example.org", "example.org"));
        assert!(aligned("example.org", "mail.example.org"));
        assert!(aligned("bounce.example.org", "example.org"));
        assert!(!aligned("example.org", "badexample.org"));
        assert!(!aligned("example.com", "example.org"));
    }

    #[test]
    fn only_what_a_server_must_tell_is_asked_of_it() {
        assert_eq!(askable("flux.example"), "flux.example");
        assert_eq!(askable("flux.example."), "flux.example");
        for here in ["localhost", "privacy.LOCALHOST", "printer.local", "a.invalid", ""] {
            assert_eq!(askable(here), "example.org", "{here}");
        }
    }

    #[test]
    fn a_name_server_is_named_in_one_of_three_ways() {
        assert_eq!("off".parse(), Ok(Dns::Off));
        assert_eq!("system".parse(), Ok(Dns::System));
        assert_eq!("127.0.0.1:53".parse(), Ok(Dns::At(([127, 0, 0, 1], 53).into())));
        assert!("dns.example".parse::<Dns>().is_err());
    }
}
