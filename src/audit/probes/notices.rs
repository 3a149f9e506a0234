//! What people had to be told, against the record of what was sent.
//!
//! A notice is a promise to act on an occasion. Until there was one nothing shows that it is kept, so its rule waits and
//! says that there was nothing to tell; it is not green for want of a test.

use chrono::{NaiveTime, TimeDelta};

use super::Look;
use crate::audit::model::{count, grouped};
use crate::audit::sql::results;
use crate::audit::sql::told::{self as sql, Owed, Step};
use crate::audit::{Error, Outcome, Part, State};
use crate::base::{Period, Timestamp};
use crate::policy::{Fact, Medium, Notice, Occasion, Policy, Retention};
use crate::store::Tx;

/// Letters leave every few seconds, and one that the mail server did not take is tried again after ten minutes; what is
/// not sent after this was not told in time.
const GRACE: TimeDelta = TimeDelta::minutes(30);
/// Older requests get no first letter any more.
const STEPS: TimeDelta = TimeDelta::days(45);
const A_MONTH: TimeDelta = TimeDelta::days(30);
/// A warning may be this late: months differ in length, and an account near its end has weeks.
const A_DAY: TimeDelta = TimeDelta::days(1);

const NOTHING: &str = "nothing had to be told yet";

/// What was found of one notice.
struct Told {
    state: State,
    figure: String,
    owed: Owed,
}

impl Told {
    /// By what was owed: `0 of 3 letters about requests not sent`. Without an occasion it waits, and says which.
    fn of(owed: Owed, (one, many): (&str, &str), no_occasion: &str) -> Self {
        let (state, figure) = if owed.occasions == 0 {
            (State::Waiting, format!("nothing to tell yet: {no_occasion}"))
        } else {
            let state = if owed.untold > 0 { State::Broken } else { State::Kept };
            let letters = count(owed.occasions, one, many);
            (state, format!("{} of {letters} not sent", grouped(owed.untold)))
        };
        Self { state, figure, owed }
    }

    /// Nothing here can tell.
    fn waits(figure: impl Into<String>) -> Self {
        Self { state: State::Waiting, figure: figure.into(), owed: Owed::default() }
    }
}

/// Looks, for each notice of the document, whether everybody was told who had to be.
pub(super) async fn sent(look: &Look<'_>) -> Result<Outcome, Error> {
    let mut tx = look.audit.db.read().await?;
    let (mut parts, mut all) = (Vec::new(), Owed::default());
    for notice in look.policy.notices() {
        let Told { state, figure, owed } = told(look, &mut tx, notice).await?;
        all = all + owed;
        parts.push(Part { rule: format!("notice.{}", notice.id), state, figure });
    }
    if all.occasions == 0 {
        return Ok(Outcome::cannot_run(NOTHING).with(parts));
    }
    let figure = format!(
        "{} of {} not told in time",
        grouped(all.untold),
        count(all.occasions, "thing to tell", "things to tell")
    );
    Ok(Outcome::counted(all.occasions, all.untold, figure).with(parts))
}

async fn told(look: &Look<'_>, tx: &mut Tx, notice: &Notice) -> Result<Told, Error> {
    Ok(match notice.when {
        Occasion::RequestStep => {
            let (arrived, answered) =
                (steps(look, tx, Step::Arrived).await?, steps(look, tx, Step::Answered).await?);
            let set = steps(look, tx, Step::Set).await? + steps(look, tx, Step::Extended).await?;
            let letters = ("letter about a request", "letters about requests");
            Told::of(arrived + answered + set, letters, "nobody has asked for anything")
        }
        Occasion::BeforeErasure => before_erasure(look, tx).await?,
        Occasion::NewVersion | Occasion::NewRecipient | Occasion::NewPurpose => {
            new_version(look, tx, notice).await?
        }
        Occasion::Erased => {
            let erased = sql::erased_by_rule(tx, look.tenant, look.now.plus(-A_MONTH)).await?;
            let letters = ("letter about what a rule erased", "letters about what rules erased");
            Told::of(Owed { occasions: erased, untold: erased }, letters, "no rule has erased anything")
        }
        Occasion::Breach => {
            Told::waits("the program keeps no register of breaches: whoever finds one has to tell")
        }
        Occasion::RestrictionLifted => {
            Told::waits("a restriction is lifted by whoever asked for it; no letter is sent")
        }
        Occasion::ConsentAsked => Told::waits("told on the page that asks; no letter is sent"),
    })
}

async fn steps(look: &Look<'_>, tx: &mut Tx, step: Step) -> Result<Owed, Error> {
    let between = (look.now.plus(-STEPS), look.now.plus(-GRACE));
    Ok(sql::steps(tx, look.tenant, step, between).await?)
}

/// Erasures that people set and can take back, and accounts that go for want of use.
async fn before_erasure(look: &Look<'_>, tx: &mut Tx) -> Result<Told, Error> {
    let mut owed = steps(look, tx, Step::Set).await?;
    for rule in look.policy.retention_rules().filter(|r| !r.warn.is_empty()) {
        let Some(unused) = disuse(rule) else {
            return Ok(Told::waits(format!("no letter is sent before {} ends something", rule.id)));
        };
        for (n, ahead) in (1..).zip(&rule.warn) {
            let end = ahead.after(look.now.plus(-A_DAY));
            owed = owed + sql::near_their_end(tx, look.tenant, unused.before(end), n).await?;
        }
    }
    let letters = ("warning before an erasure", "warnings before an erasure");
    Ok(Told::of(owed, letters, "no account is near its end, and nobody has set a day for theirs"))
}

/// Versions that were published while this installation ran: each as long ahead as the document says.
async fn new_version(look: &Look<'_>, tx: &mut Tx, notice: &Notice) -> Result<Told, Error> {
    let published = results::published(tx, look.tenant).await?;
    let Some(began) = published.iter().map(|(_, at)| *at).min() else { return Ok(Told::waits(NOTHING)) };
    // What was in force when this installation began was news to nobody.
    let first = look.audit.library.in_force(look.tenant, began);
    let is_first = |name: &str| first.as_ref().is_some_and(|p| p.version() == name);
    let mut newest = None;
    for version in look.audit.library.versions(look.tenant) {
        let (name, counts) = (version.version().to_owned(), first_day(&version));
        let known = published.iter().find(|(v, _)| *v == name);
        let Some((_, at)) = known.filter(|_| counts > began && !is_first(&name)) else { continue };
        let owed =
            Owed { occasions: 1, untold: u64::from(notice.ahead.is_some_and(|p| p.after(*at) > counts)) };
        let days = counts.since(*at).num_days();
        if owed.untold > 0 {
            let figure = format!("version {name} was published {} before its day", count_days(days));
            return Ok(Told { state: State::Broken, figure, owed });
        }
        newest = Some((name, days, owed));
    }
    let Some((name, days, owed)) = newest else {
        return Ok(Told::waits("nothing to tell yet: no new version"));
    };
    let figure = format!("version {name} was published {} before its day", count_days(days));
    // Publication is what can be seen here. Letters about a version leave no record, so where they are promised nothing
    // green is claimed.
    if notice.by.contains(&Medium::Email) {
        return Ok(Told {
            state: State::Waiting,
            figure: format!("{figure}; letters about it leave no record"),
            owed,
        });
    }
    Ok(Told { state: State::Kept, figure, owed })
}

fn count_days(days: i64) -> String {
    count(u64::try_from(days).unwrap_or(0), "day", "days")
}

fn first_day(policy: &Policy) -> Timestamp {
    Timestamp::from_utc(policy.effective().and_time(NaiveTime::MIN).and_utc())
}

/// For how long a rule lets an account be unused, if it is about that.
pub(super) fn disuse(rule: &Retention) -> Option<Period> {
    rule.at_most.iter().find(|a| a.fact == Fact::LastActive).map(|a| a.period)
}
