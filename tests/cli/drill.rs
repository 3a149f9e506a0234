//! The drill: that it holds, and that it is seen to fail when what it is about is left out.

use vouchsafe::drp::exercise_of;
use vouchsafe::policy::Right;

use super::call;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_stays_erased_and_the_ledger_goes_on() {
    let (well, said) = call(&["drill", "restore", "--rounds", "4", "--seed", "1000"]).await;
    assert!(well && said.contains("Everything held: erased stays erased."), "{said}");
    assert!(!said.contains("NOT LOOKED AT") && said.contains("back in service"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_replay_the_drill_fails() {
    let (well, said) =
        call(&["drill", "restore", "--rounds", "2", "--seed", "20", "--without-the-replay"]).await;
    assert!(!well && said.contains("Not everything held."), "{said}");
    let gone = said.lines().find(|l| l.contains("whoever was erased is unknown")).unwrap();
    assert!(gone.contains("DOES NOT HOLD"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_in_a_folder_that_is_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine.txt"), "mine").unwrap();
    let (well, said) = call(&["drill", "restore", "--keep", &dir.path().display().to_string()]).await;
    assert!(!well && said.contains("is not empty"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_right_is_kept_in_every_way() {
    let (well, said) = call(&["drill", "rights", "--seed", "20"]).await;
    assert!(well && said.contains("Everything held: every right, in every way."), "{said}");
    assert!(!said.contains("NOT LOOKED AT"), "{said}");
    let proved = |line: &&str| line.contains("ledger entry");
    for right in Right::ALL {
        let rows = said.lines().filter(|l| l.trim_start().starts_with(right.as_str())).filter(proved);
        let by_protocol = usize::from(exercise_of(*right).is_some());
        assert_eq!(rows.count(), 8 + by_protocol, "{right}: {said}");
    }
    let knows = Right::ALL.iter().filter(|right| exercise_of(**right).is_some()).count();
    assert_eq!(knows, 2, "the protocol has a word for a copy and for an erasure");
    for (way, rights) in [
        ("signed in, on a page", 7),
        ("without a session, by a letter", 7),
        ("by the API", 7),
        ("by an app, confirmed signed in", 7),
        ("by e-mail, confirmed by a link", 7),
        ("by an agent, on a page", 7),
        ("by an agent, with a key", 7),
        ("by an agent, under a mandate", 7),
        ("by an agent, over DRP 1.0", knows),
    ] {
        assert_eq!(said.lines().filter(|l| l.contains(way)).filter(proved).count(), rights, "{way}: {said}");
    }
    let left_out = said.lines().find(|l| l.contains("Not by an agent, over DRP 1.0:")).expect("it is said");
    assert!(left_out.contains("portability") && !left_out.contains("access"), "{left_out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_of_somebody_erased_fails_the_drill() {
    let (well, said) = call(&["drill", "rights", "--seed", "21", "--leave-a-trace"]).await;
    assert!(!well && said.contains("Not everything held."), "{said}");
    let traces = said.lines().find(|l| l.contains("no file holds a word")).unwrap();
    assert!(traces.contains("DOES NOT HOLD"), "{said}");
}

/// T14: twenty rounds and the time that each took.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "for the soak: takes minutes"]
async fn twenty_rounds_hold() {
    let (well, said) = call(&["drill", "restore", "--rounds", "20", "--seed", "1000"]).await;
    assert!(well, "{said}");
}
