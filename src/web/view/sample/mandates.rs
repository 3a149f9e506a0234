use super::*;

pub(super) fn pages() -> Vec<(&'static str, String)> {
    let empty = DeskMandates {
        open: vec![],
        ended: vec![],
        agents: vec![],
        is_cut: false,
        may_end: false,
        mistakes: Mistakes::default(),
        ..mandates()
    };
    vec![("desk-mandates", html(&mandates())), ("desk-mandates-empty", html(&empty))]
}

fn mandates() -> DeskMandates {
    let row = |n: u8, ended: Option<Moment>| DeskMandateRow {
        id: format!("mnd_019aab12c0007000800000000000000{n}"),
        person: format!("sub_019aab12c0007000800000000000000{n}"),
        asked_with: if n == 1 { "the key “Permission Slip”" } else { "the form for agents" }.into(),
        rights: "access, erasure".into(),
        requests: Count(u64::from(n)),
        tells: n == 1,
        given: at("2026-11-02T09:00:00Z"),
        until: at("2027-06-30T00:00:00Z"),
        ended,
    };
    let agent = |id: &str, paired: Option<Moment>| DeskAgentRow {
        name: "Permission Slip".into(),
        id: id.into(),
        site: "https://agent.example".into(),
        entered: at("2026-10-01T09:00:00Z"),
        paired,
    };
    DeskMandates {
        desk: desk(),
        open: vec![row(1, None), row(2, None)],
        ended: vec![row(3, Some(at("2026-11-20T09:00:00Z")))],
        is_cut: true,
        agents: vec![agent("slip", Some(at("2026-10-02T09:00:00Z"))), agent("slip-2", None)],
        may_end: true,
        mistakes: mistakes("why-mnd_019aab12c00070008000000000000001", "Say why. The person is told this."),
    }
}
