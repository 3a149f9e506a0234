use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    let empty = DeskPolicies { waiting: vec![], decided: vec![], unpublished: vec![], ..policies() };
    let decided = DeskProposal {
        open: false,
        became: "stf_019aab12c0007000800000000000000b agreed, and it was published.".into(),
        rows: vec![],
        going: Count(0),
        ..proposal()
    };
    let stuck = DeskProposal {
        own: true,
        obstacles: vec!["people are told 30 days before a new version counts".into()],
        mistakes: mistakes("reason", "Say why, in at most 500 characters."),
        ..proposal()
    };
    vec![
        ("privacy-policies", html(&own())),
        ("desk-policies", html(&policies())),
        ("desk-policies-empty", html(&empty)),
        ("desk-proposal", html(&proposal())),
        ("desk-proposal-decided", html(&decided)),
        ("desk-proposal-own", html(&stuck)),
    ]
}

const HASH: &str = "3f1c5d0e7a9b4c2d8e6f1a0b3c5d7e9f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c1d";

fn changes() -> Vec<Change> {
    let change = |kind: &str, says: &str| Change { kind: kind.into(), says: says.into(), clause: None };
    vec![
        change("Looser", "Example Analytics Ltd newly receives data: it counts visits for us"),
        change("Changed", "Analytics is described anew: We count visits and measure speed."),
        change(
            "Tighter",
            "Device and connection: gone 60 days after it was made (before: 90 days after it was made)",
        ),
    ]
}

/// The next version, for the policy page.
pub(super) fn upcoming() -> Upcoming {
    Upcoming {
        version: "2027-01-01".into(),
        effective: at("2027-01-01T00:00:00Z"),
        changes: changes(),
        href: "/flux-kontext/policy/2027-01-01".into(),
    }
}

/// What a person was told of.
pub(super) fn news() -> PolicyNews {
    PolicyNews {
        version: "2027-01-01".into(),
        effective: at("2027-01-01T00:00:00Z"),
        changes: changes().into_iter().map(|change| change.says).collect(),
        asks_again: true,
        href: "/flux-kontext/policy/2027-01-01".into(),
    }
}

fn own() -> OwnVersions {
    let version =
        |version: &str, from: &str, until: Option<&str>, told: &[&str], words: &[&str]| OwnVersion {
            version: version.into(),
            from: at(from),
            until: until.map(at),
            now: until.is_some_and(|until| until.starts_with("2027")),
            told: told.iter().map(|s| (*s).into()).collect(),
            words: words.iter().map(|s| (*s).into()).collect(),
            href: format!("/flux-kontext/policy/{version}"),
            hash: HASH.into(),
        };
    OwnVersions {
        shell: person(),
        versions: vec![
            version(
                "2027-01-01",
                "2027-01-01T00:00:00Z",
                None,
                &[
                    "The notice stands in your privacy centre since 20 November 2026, 08:00 UTC.",
                    "We wrote to you on 20 November 2026, 08:03 UTC.",
                ],
                &[],
            ),
            version(
                "2026-05-05",
                "2026-06-14T17:20:00Z",
                Some("2027-01-01T00:00:00Z"),
                &[],
                &["Analytics: given on 14 June 2026, 17:20 UTC."],
            ),
        ],
    }
}

fn row(version: &str, became: &str) -> ProposalRow {
    ProposalRow {
        version: version.into(),
        by: "stf_019aab12c0007000800000000000000a".into(),
        at: at("2026-11-20T08:00:00Z"),
        became: became.into(),
        href: "/flux-kontext/desk/policies/ppl_019aab12c0007000800000000000000a".into(),
    }
}

fn policies() -> DeskPolicies {
    let version =
        |version: &str, state, standing: &str, figures: [u64; 4], announced: Option<&str>| VersionRow {
            version: version.into(),
            effective: at(&format!("{version}T00:00:00Z")),
            published: Some(at("2026-11-20T08:00:00Z")),
            state,
            standing: standing.into(),
            people: Count(figures[0]),
            sent: Count(figures[1]),
            owed: Count(figures[2]),
            lost: Count(figures[3]),
            announced: announced.map(at),
            href: format!("/flux-kontext/policy/{version}"),
        };
    DeskPolicies {
        desk: desk(),
        waiting: vec![row("2027-03-01", "It waits.")],
        versions: vec![
            version("2027-01-01", State::Waiting, "announced", [102_418, 61_004, 41_411, 3], None),
            version("2026-05-05", State::Kept, "in force", [0, 0, 0, 0], None),
        ],
        decided: vec![row(
            "2027-02-01",
            "stf_019aab12c0007000800000000000000b turned it down: We promised a year.",
        )],
        unpublished: vec!["2027-04-01".into()],
    }
}

fn proposal() -> DeskProposal {
    let going = |category: &str, because: &str, count: u64, held: u64| GoingRow {
        category: category.into(),
        rule: category.into(),
        because: because.into(),
        count: Count(count),
        held: Count(held),
    };
    DeskProposal {
        desk: desk(),
        id: "ppl_019aab12c0007000800000000000000a".into(),
        version: "2027-03-01".into(),
        effective: at("2027-03-01T00:00:00Z"),
        by: "stf_019aab12c0007000800000000000000a".into(),
        at: at("2026-11-20T08:00:00Z"),
        hash: HASH.into(),
        open: true,
        own: false,
        became: String::new(),
        changes: changes(),
        told: "102,418 people have an account here and must be told by e-mail, 30 days before it counts."
            .into(),
        going: Count(48_210),
        total: Count(1_204_118),
        rows: vec![
            going("analytics", "20 days after it was made", 48_001, 0),
            going("device", "60 days after it was made", 209, 12),
        ],
        obstacles: vec![],
        mistakes: Mistakes::default(),
        reason: String::new(),
    }
}
