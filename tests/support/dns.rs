//! A name server on this machine that knows the TXT records a test gives it (RFC 1035), and says of everything else that
//! there is no such name.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What it knows: a name without its last dot, and a text of at most 255 bytes.
type Records = Arc<Mutex<BTreeMap<String, String>>>;

/// The server, until it is dropped.
pub(crate) struct Dns {
    /// Where it is asked.
    pub(crate) address: SocketAddr,
    records: Records,
    _stop: DropGuard,
}

impl Dns {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (records, stop) = (Records::default(), CancellationToken::new());
        let (known, stopped) = (records.clone(), stop.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
        tokio::spawn(async move {
            let mut question = [0; 1232];
            loop {
                tokio::select! {
                    () = stopped.cancelled() => break,
                    asked = socket.recv_from(&mut question) => {
                        let Ok((n, from)) = asked else { break };
                        let answer = answer(&question[..n], &known.lock().unwrap());
                        let _ = socket.send_to(&answer, from).await;
                    }
                }
            }
        });
        Self { address, records, _stop: stop.drop_guard() }
    }

    /// Makes a name known.
    pub(crate) fn publish(&self, name: &str, text: &str) {
        assert!(text.len() < 256);
        self.records.lock().unwrap().insert(name.to_owned(), text.to_owned());
    }
}

fn answer(question: &[u8], records: &BTreeMap<String, String>) -> Vec<u8> {
    let mut at = 12;
    let mut labels = Vec::new();
    while question[at] != 0 {
        let n = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + n]).to_lowercase());
        at += n + 1;
    }
    let asked = &question[12..at + 5];
    let is_txt = question[at + 1..at + 3] == [0, 16];
    let name = labels.join(".");
    let text = records.get(&name).filter(|_| is_txt);
    // A name below which there are others is there, and has nothing of its own.
    let there = text.is_some() || records.keys().any(|k| *k == name || k.ends_with(&format!(".{name}")));
    let mut out = question[..2].to_vec();
    out.extend([0x85, if there { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(text.is_some()), 0, 0, 0, 0]);
    out.extend(asked);
    if let Some(text) = text {
        let len = u8::try_from(text.len()).unwrap();
        out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 1, 44]);
        out.extend((u16::from(len) + 1).to_be_bytes());
        out.push(len);
        out.extend(text.as_bytes());
    }
    out
}
