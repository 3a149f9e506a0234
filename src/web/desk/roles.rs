//! Which role may open which page of the desk, in one place.

use crate::policy::Role;

/// A page of the desk, with what can be done on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// What needs a human today.
    Today,
    /// Releasing jobs that were set aside.
    Jobs,
    /// Requests: the queue, one of them, notes.
    Requests,
    /// Retention by rule.
    Retention,
    /// How each promise stands.
    Promises,
    /// Versions of the document, and what waits for a second person.
    Policies,
    /// Legal holds.
    Holds,
    /// Who else has data.
    Processors,
    /// Agents who act for people.
    Mandates,
    /// Who read what.
    Reads,
    /// The ledger.
    Ledger,
    /// Finding a person.
    People,
}

/// Deciding a request: extending its time, refusing it. Ending a mandate under which requests are filed.
pub const DECIDE: &[Role] = &[Role::Compliance];

impl Page {
    /// All of them, in the order of the rail.
    pub const ALL: [Self; 12] = [
        Self::Today,
        Self::Jobs,
        Self::Requests,
        Self::Retention,
        Self::Promises,
        Self::Policies,
        Self::Holds,
        Self::Processors,
        Self::Mandates,
        Self::Reads,
        Self::Ledger,
        Self::People,
    ];

    /// What its addresses begin with, after `/{tenant}/desk/`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Today => "",
            Self::Jobs => "jobs",
            Self::Requests => "requests",
            Self::Retention => "retention",
            Self::Promises => "promises",
            Self::Policies => "policies",
            Self::Holds => "holds",
            Self::Processors => "processors",
            Self::Mandates => "mandates",
            Self::Reads => "reads",
            Self::Ledger => "ledger",
            Self::People => "people",
        }
    }

    /// Who may open it.
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Compliance, Support};
        match self {
            Self::Today => &[Support, Compliance, Admin],
            Self::Requests | Self::People | Self::Mandates => &[Support, Compliance],
            Self::Retention | Self::Promises | Self::Policies | Self::Holds | Self::Reads => &[Compliance],
            Self::Processors | Self::Ledger => &[Compliance, Admin],
            Self::Jobs => &[Admin],
        }
    }

    /// Whether somebody in this role may open it.
    pub fn lets(self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// The page of a route, as the router knows it: `/{tenant}/desk/requests/{reference}`.
    pub fn of_route(route: &str) -> Option<Self> {
        let rest = route.split_once("/desk").map(|(_, rest)| rest.trim_start_matches('/'))?;
        let first = rest.split(['/', '.']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|page| page.path() == first)
    }
}

/// What needs a proof of a few minutes ago and a second factor that is not new in another's place: deciding over
/// somebody's request or who asks for them, what stops disposal, what is published, looking at somebody's data.
const GRAVE: &[&str] = &[
    "requests/{reference}/read",
    "holds",
    "holds/{id}/approve",
    "holds/{id}/lift",
    "mandates/{id}/end",
    "policies/{id}/confirm",
    "people/look",
    "people/looks/{id}/agree",
];

/// Whether sending a form to a route, as the router knows it, is one of the gravest acts; `action` is what its path names,
/// decoded.
pub fn is_grave(route: &str, action: Option<&str>) -> bool {
    let below = route.strip_prefix("/{tenant}/desk/").unwrap_or_default();
    let decides = action.is_some_and(|action| ["agree", "correct", "settle"].contains(&action));
    GRAVE.contains(&below) || (below == "requests/{reference}/{action}" && decides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_belongs_to_its_page() {
        for (route, page) in [
            ("/{tenant}/desk", Page::Today),
            ("/{tenant}/desk/requests/{reference}/note", Page::Requests),
            ("/{tenant}/desk/reads.csv", Page::Reads),
            ("/{tenant}/desk/processors/record.csv", Page::Processors),
            ("/{tenant}/desk/jobs/{id}/retry", Page::Jobs),
        ] {
            assert_eq!(Page::of_route(route), Some(page), "{route}");
        }
        assert_eq!(Page::of_route("/{tenant}/desk/somewhere"), None);
        assert_eq!(Page::of_route("/{tenant}/images"), None);
    }

    #[test]
    fn the_gravest_acts_are_known_by_their_route() {
        for grave in GRAVE {
            assert!(is_grave(&format!("/{{tenant}}/desk/{grave}"), None), "{grave}");
        }
        let act = "/{tenant}/desk/requests/{reference}/{action}";
        for grave in ["agree", "correct", "settle"] {
            assert!(is_grave(act, Some(grave)), "{grave}");
        }
        for (route, action) in [
            (act, Some("retry")),
            (act, None),
            ("/{tenant}/desk/holds/{id}/review", None),
            ("/{tenant}/desk/jobs/{id}/retry", None),
            ("holds", None),
        ] {
            assert!(!is_grave(route, action), "{route} {action:?}");
        }
    }

    #[test]
    fn nobody_but_staff_opens_a_page() {
        for page in Page::ALL {
            for role in [Role::Subject, Role::App, Role::Service] {
                assert!(!page.lets(role), "{page:?} {role}");
            }
        }
    }
}
