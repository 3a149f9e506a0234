//! Made-up data that fill every page, once richly and once with nothing, for the tests that render them.

mod boards;
mod desk;
mod mandates;
mod person;
mod pictures;
mod public;
mod requests;
mod versions;

use super::*;
use crate::base::Timestamp;
use crate::speech::Tongue;
use askama::Template;

/// The pages by file name, rendered: each rich, each empty where it can be.
pub(super) fn pages() -> Vec<(&'static str, String)> {
    let mut all = public::pages();
    all.extend(pictures::pages());
    all.extend(person::pages());
    all.extend(requests::pages());
    all.extend(desk::pages());
    all.extend(boards::pages());
    all.extend(mandates::pages());
    all.extend(versions::pages());
    all
}

fn html(page: &impl Template) -> String {
    page.render().expect("a page renders")
}

fn at(text: &str) -> Moment {
    Timestamp::parse_rfc3339(text).expect("a sample time").into()
}

fn now() -> Moment {
    at("2026-11-22T14:07:00Z")
}

fn shell(viewer: Viewer) -> Shell {
    Shell {
        root: "/flux-kontext".into(),
        brand: "Flux Kontext".into(),
        development: true,
        now: now(),
        csrf: "c5a1e0".into(),
        viewer,
        flash: None,
        tongue: Tongue::English,
        document: "en".into(),
        here: Some("/flux-kontext/privacy".into()),
    }
}

fn nobody() -> Shell {
    shell(Viewer::Nobody)
}

fn person() -> Shell {
    shell(Viewer::Person { name: "someone@example.org".into(), unread: Count(2) })
}

fn house() -> Shell {
    Shell { root: String::new(), brand: "vouchsafe".into(), ..nobody() }
}

fn desk() -> Desk {
    let staff = Viewer::Staff { name: "Compliance desk".into(), role: "compliance".into() };
    Desk {
        shell: shell(staff),
        today: vec![
            Need {
                state: State::Broken,
                says: "1 request is past our promise".into(),
                href: "/flux-kontext/desk/requests?state=late".into(),
            },
            Need {
                state: State::AtRisk,
                says: "2 requests are due within 18 hours".into(),
                href: "/flux-kontext/desk/requests?state=near".into(),
            },
            Need {
                state: State::Overdue,
                says: "1 attestation is overdue".into(),
                href: "/flux-kontext/desk/promises".into(),
            },
        ],
        pages: vec![
            "requests",
            "retention",
            "promises",
            "holds",
            "processors",
            "mandates",
            "reads",
            "ledger",
            "people",
            "jobs",
        ],
    }
}

fn quiet_desk() -> Desk {
    Desk { today: vec![], ..desk() }
}

fn fact(name: &str, value: &str) -> Fact {
    Fact { name: name.into(), value: value.into() }
}

fn choice(value: &str, says: &str, chosen: bool) -> Choice {
    Choice { value: value.into(), says: says.into(), chosen }
}

fn mistakes(field: &str, says: &str) -> Mistakes {
    Mistakes(vec![Mistake { field: field.into(), says: says.into() }])
}

fn step(says: &str, reached: &str, note: &str) -> Step {
    let reached = Timestamp::parse_rfc3339(reached).map(Moment::from);
    Step { says: says.into(), at: reached, now: false, note: note.into() }
}

fn step_now(says: &str, note: &str) -> Step {
    Step { says: says.into(), at: None, now: true, note: note.into() }
}

fn seal() -> Seal {
    let mut hash = [0_u8; 32];
    let mut x = 0x9e37_79b9_u32;
    for byte in &mut hash {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (x >> 24) as u8;
    }
    Seal::from(hash)
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|s| (*s).to_owned()).collect()
}

fn ledger_rows() -> Vec<LedgerRow> {
    [
        (
            "51287",
            "2026-11-22T14:05:12Z",
            "An image of category input-image was erased.",
            "erasure.object",
            "retention.input-image",
            "9f3ac2d107",
        ),
        (
            "51286",
            "2026-11-22T14:05:11Z",
            "An edit ended with success.",
            "edit.ended",
            "purpose.provide-edits",
            "11c09ef2aa",
        ),
        (
            "51285",
            "2026-11-22T14:04:40Z",
            "A provider was sent an image for an edit.",
            "disclosure.processor",
            "processor.fal-ai",
            "e7719b04c3",
        ),
        (
            "51284",
            "2026-11-22T13:58:02Z",
            "A consent to training was withdrawn.",
            "consent.withdrawn",
            "right.withdrawal",
            "40be02c911",
        ),
        (
            "51283",
            "2026-11-22T13:40:55Z",
            "A read by staff was refused: the role may not read output-image.",
            "read.refused",
            "access.output-image",
            "b21d07e5f0",
        ),
    ]
    .into_iter()
    .map(|(index, time, what, kind, why, leaf)| LedgerRow {
        index: Count(index.parse().expect("a number")),
        at: at(time),
        what: what.into(),
        kind: kind.into(),
        why: why.into(),
        leaf: leaf.into(),
        href: format!("/flux-kontext/ledger/{index}"),
    })
    .collect()
}

const CHECKPOINT: &str = "vouchsafe.example/flux-kontext\n51288\nq0Lx8Wv3yJc7bQmTn1rSg5kZ2dHfUeXa9oPiRwYtMsE=\n\n\u{2014} vouchsafe.example/flux-kontext 4yQxN0m7c3d1VbR0u9e2a5h8k1n4q7t0w3z6C9F2I5L8O1R4U7X0a3d6g9j2m5p8s1v4y7B0E3H6K9N2Q5T8W1Z4c7f0i3l6==\n";
const KEY: &str = "vouchsafe.example/flux-kontext+e32431b6+AfZ1Kq0tR3u6x9A2d5G8j1M4p7S0v3Y6b9E2h5K8n1Q4";
