//! Whether the name server answers that is asked where letters come from, as the doctor sees it.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;

use super::call;
use crate::support::dns::Dns;

/// What the doctor says of an installation, in one line.
async fn examined(data: &Path, (dev, dns): (bool, &str)) -> String {
    let mut command = tokio::process::Command::from(Command::new(env!("CARGO_BIN_EXE_vouchsafe")));
    command.args(["doctor", "--data"]).arg(data).env("VOUCHSAFE_INTAKE__DNS", dns);
    if dev {
        command.arg("--dev");
    } else {
        command.env("VOUCHSAFE_SERVER__PUBLIC_URL", "https://flux.example");
        command.env("VOUCHSAFE_LEDGER__ORIGIN", "127.0.0.1:8080/ledger");
        command.env("VOUCHSAFE_MAIL__FROM", "privacy@flux.example");
    }
    let out = command.output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn claim(address: SocketAddr) -> String {
    format!("the name server (intake.dns, {address}) answers, for DKIM, SPF and DMARC")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_asks_the_name_server_and_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("vouchsafe.db"), "").unwrap();
    call(&["keys", "status", "--dev", "--data", data.to_str().unwrap()]).await;

    let dns = Dns::start().await;
    let well = format!("✓ {}", claim(dns.address));
    let there = dns.address.to_string();
    let said = examined(&data, (true, &there)).await;
    assert!(said.contains(&well), "that there is no such record is an answer: {said}");
    dns.publish("_dmarc.flux.example", "v=DMARC1; p=reject");
    let said = examined(&data, (false, &there)).await;
    assert!(said.contains(&well), "{said}");

    // One that hears and says nothing.
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap();
    let there = address.to_string();
    let said = examined(&data, (false, &there)).await;
    assert!(said.contains(&format!("✗ DOES NOT HOLD: {}: ", claim(address))), "{said}");
    let said = examined(&data, (true, &there)).await;
    assert!(said.contains(&format!("! look at this: not so: {}: ", claim(address))), "{said}");

    let said = examined(&data, (true, "off")).await;
    assert!(said.contains("where letters come from is not looked at: intake.dns is off"), "{said}");
}
