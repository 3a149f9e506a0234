//! The suite: one binary, so that one link serves all. `rooms` tests what the rooms do together and the laws of the
//! house, `http` the JSON API, `pages` the pages of people, `desk` the pages of staff, `cli` the command line, `intake` what comes
//! in from outside, `outage` cuts the real service off, `promises` has a file for each row of what is promised to people, `support` is what tests are written with.

// A request filed in a test is a future of futures a few rooms deep; its layout is computed at once.
#![recursion_limit = "256"]
#![expect(
    dead_code,
    clippy::needless_borrows_for_generic_args,
    clippy::duration_suboptimal_units,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::single_match_else,
    reason = "what tests are written with is wider than what today's tests use, and a story may be long"
)]

#[cfg(test)]
mod cli;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod http;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod support;
