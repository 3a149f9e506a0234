use crate::policy::spec::PROBES;

/// The names that `by_name` knows, read from its source: a probe without a check would only show when it ran.
#[test]
fn every_probe_of_the_language_has_a_check() {
    let source = include_str!("mod.rs");
    for (probe, _) in PROBES {
        assert!(source.contains(&format!("\"{probe}\" => ")), "{probe} has no check");
    }
}

#[test]
fn every_probe_of_the_language_says_what_it_looks_at() {
    for (probe, _) in PROBES {
        assert!(!super::looks_at(probe).is_empty(), "{probe}");
    }
}
