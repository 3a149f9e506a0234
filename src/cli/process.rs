//! What the process itself owes to the keys in its memory.

use std::io::Write as _;
use std::panic::PanicHookInfo;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Sees to it that what is in memory stays there: no core file when the process dies, no look into it by others of the
/// same user (no debugger attaches, `/proc` belongs to root), and a panic tells where it was and never what it held.
/// To be called before any key is read.
pub fn close_up() {
    // Where the system does not allow it the process runs all the same; `vouchsafe doctor` says so.
    let _not_allowed_here = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _not_allowed_here = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    std::panic::set_hook(Box::new(tell));
}

/// The place alone: a payload may hold whatever was being worked on.
fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
    if tracing::dispatcher::has_been_set() {
        tracing::error!(place, "a fault of the program: it stopped what it was doing there");
    } else {
        let _nobody_listens = writeln!(std::io::stderr(), "a fault of the program, at {place}");
    }
}

/// Whether a core file could be written, and whether others of the same user may look into this process.
pub(super) fn is_closed() -> (bool, bool) {
    let core = getrlimit(Resource::Core).current == Some(0);
    let hidden = matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    (core, hidden)
}
