//! Measuring in pairs, and saying what came of it.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The CPU time of this process, all threads: the same on a busy machine.
    Cpu,
    /// Time on the wall, where waiting is the point.
    Wall,
}

impl By {
    fn now(self, origin: Instant) -> Duration {
        match self {
            Self::Cpu => cpu(),
            Self::Wall => origin.elapsed(),
        }
    }
}

/// The CPU time this process has used.
pub(crate) fn cpu() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// What one piece of work costs.
pub(crate) fn cost(by: By, work: impl FnOnce() -> Outcome) -> Outcome<Duration> {
    let origin = Instant::now();
    let begun = by.now(origin);
    work()?;
    Ok(by.now(origin).saturating_sub(begun))
}

/// Two ways to do the same work, each measured several times in turns.
#[derive(Debug)]
pub(crate) struct Pairs {
    costs: Vec<(Duration, Duration)>,
}

/// Measures `n` pairs after one unmeasured one. Every other pair begins with the other side, so that neither always finds
/// the caches the other left.
pub(crate) fn pairs(
    by: By,
    n: usize,
    mut reference: impl FnMut() -> Outcome,
    mut ours: impl FnMut() -> Outcome,
) -> Outcome<Pairs> {
    reference()?;
    ours()?;
    let mut costs = Vec::with_capacity(n);
    for turn in 0..n {
        let pair = if turn % 2 == 0 {
            let theirs = cost(by, &mut reference)?;
            (theirs, cost(by, &mut ours)?)
        } else {
            let mine = cost(by, &mut ours)?;
            (cost(by, &mut reference)?, mine)
        };
        costs.push(pair);
    }
    Ok(Pairs { costs })
}

impl Pairs {
    /// From costs measured elsewhere: the reference's first.
    pub(crate) fn of(costs: Vec<(Duration, Duration)>) -> Self {
        Self { costs }
    }

    /// How fast ours is beside the reference: more is better.
    pub(crate) fn speed(&self) -> f64 {
        median(self.costs.iter().map(|(r, o)| r.as_secs_f64() / o.as_secs_f64()))
    }

    /// What ours costs beside the reference: less is better.
    pub(crate) fn cost(&self) -> f64 {
        median(self.costs.iter().map(|(r, o)| o.as_secs_f64() / r.as_secs_f64()))
    }

    /// The middle cost of each side, in milliseconds: the reference's first.
    pub(crate) fn millis(&self) -> (f64, f64) {
        let theirs = median(self.costs.iter().map(|(r, _)| r.as_secs_f64() * 1e3));
        (theirs, median(self.costs.iter().map(|(_, o)| o.as_secs_f64() * 1e3)))
    }
}

/// The middle of several values; of an even number, the upper one of the two.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Which way is better.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// What was asked for on the command line, and how it went.
#[derive(Debug, Default)]
pub(crate) struct Board {
    wanted: Vec<String>,
    strict: bool,
    short: usize,
    failed: usize,
}

impl Board {
    /// Words that are not options name the figures wanted; none, all. Cargo adds `--bench`, which says nothing.
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut board = Self::default();
        for arg in args {
            match arg.as_str() {
                "--strict" => board.strict = true,
                option if option.starts_with('-') => {}
                name => board.wanted.push(name.to_owned()),
            }
        }
        board
    }

    /// Whether any of these was asked for.
    pub(crate) fn wants(&self, names: &[&str]) -> bool {
        self.wanted.is_empty() || names.iter().any(|n| self.wanted.iter().any(|w| n.contains(w.as_str())))
    }

    /// Whether this very figure was asked for by its whole name: for those that take too long to be measured unasked.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.wanted.iter().any(|w| w == name)
    }

    /// Tells a figure: its ratio beside its goal, and what stands behind it in words.
    pub(crate) fn tell(&mut self, name: &str, ratio: f64, goal: Goal, behind: &str) {
        let (met, goal) = match goal {
            Goal::AtLeast(goal) => (ratio >= goal, format!("{goal}")),
            Goal::AtMost(goal) => (ratio <= goal, format!("<={goal}")),
        };
        self.short += usize::from(!met);
        let verdict = if met { "ok" } else { "short" };
        say(&format!("bench {name} ratio={ratio:.2} goal={goal} {verdict}  # {behind}"));
    }

    /// Tells why a figure was not measured. That is neither ok nor short.
    pub(crate) fn skip(name: &str, why: &str) {
        say(&format!("bench {name} not run  # {why}"));
    }

    /// Tells that measuring itself went wrong.
    pub(crate) fn failed(&mut self, names: &[&str], why: &str) {
        self.failed += 1;
        say(&format!("bench {} failed  # {why}", names.join(" ")));
    }

    /// The exit status: a short figure counts only when that was asked for; one that could not be measured, always.
    pub(crate) fn verdict(&self) -> ExitCode {
        let bad = self.failed > 0 || (self.strict && self.short > 0);
        if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Ends a process that was called only to be measured: its numbers on the standard output, or what went wrong.
pub(crate) fn child(said: Outcome<String>) -> ExitCode {
    match said {
        Ok(numbers) => {
            say(&numbers);
            ExitCode::SUCCESS
        }
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "{e}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    // Nobody left to read it is no reason to stop measuring.
    let _ = writeln!(std::io::stdout(), "{line}");
}
