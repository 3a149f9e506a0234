//! What sort of thing went wrong, in words that any room can use and the edge can turn into a status.

/// The kind of an error. Every room's error enum answers `kind()`; `edge` alone maps it to an HTTP status and a fixed
/// sentence, so that nobody learns from an error what they may not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The caller sent something that cannot be understood: 400.
    Malformed,
    /// Nobody is signed in, or the proof of who calls did not hold: 401.
    Unauthenticated,
    /// Signed in, but the action needs a fresher or stronger proof: 401 with a hint.
    StepUp,
    /// The document, the role, a restriction or a missing consent forbids it: 403.
    Forbidden,
    /// It is not there, or not the caller's: 404, the same for both.
    NotFound,
    /// It clashes with the present state: 409.
    Conflict,
    /// It was there and has been erased, and the caller may know that: 410.
    Gone,
    /// What was sent came too slowly: 408.
    TooSlow,
    /// More bytes or pixels than allowed: 413.
    TooLarge,
    /// Not a media type we take: 415.
    Unsupported,
    /// Understood, but a value is out of its range: 422.
    Invalid,
    /// Too many calls, or the quota is used up: 429.
    TooMany,
    /// A provider or recipient failed us: 502.
    Upstream,
    /// Not now, try again: 503.
    Unavailable,
    /// The disk or the quota of the store is full: 507.
    Full,
    /// A fault of ours: 500.
    Internal,
}

impl Kind {
    /// Whether it is a store that is down or full, which says nothing of the one thing that was to be done.
    pub fn is_of_a_store(self) -> bool {
        matches!(self, Self::Unavailable | Self::Full)
    }
}
