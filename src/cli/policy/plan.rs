use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::compiled;
use super::difference::starts;
use crate::app::App;
use crate::base::{Period, TenantId, Timestamp};
use crate::cli::place::Place;
use crate::cli::say::{Say, count, number};
use crate::cli::{Variables, status};
use crate::policy::Policy;
use crate::policy::plan::{Comparison, Pace, Plan, Stage, TooSlow};
use crate::retention::{Hold, Survey, Trial};

/// What goes when.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// One tenant only
    #[arg(long)]
    tenant: Option<TenantId>,
    /// The moment to plan for: a day (its beginning, UTC) or an RFC 3339 time. Without it now; for a candidate, its first
    /// day
    #[arg(long, value_name = "DATE", value_parser = moment)]
    at: Option<Timestamp>,
    /// Day by day, for so long: `30 days`
    #[arg(long, value_name = "PERIOD", value_parser = Period::parse)]
    within: Option<Period>,
    /// A candidate document: what it would change against today, what contradicts, and by which stages to bring it in
    #[arg(long, value_name = "DOCUMENT")]
    document: Option<PathBuf>,
    /// Bring the candidate in over so many days; without it, as fast as `--most` allows
    #[arg(long, value_name = "DAYS", requires = "document", value_parser = clap::value_parser!(u16).range(1..=3660))]
    stages: Option<u16>,
    /// The most of a hundred things held that may go on one day of the rollout
    #[arg(long, value_name = "PERCENT", requires = "document", default_value_t = 5,
        value_parser = clap::value_parser!(u8).range(1..=100))]
    most: u8,
    /// As CSV: a row a rule, or with `--within` a row for each rule and day
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// As JSON: a list, one member a tenant
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A moment as it is typed.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || {
        text.parse::<NaiveDate>().ok().map(|day| Timestamp::from_utc(day.and_time(NaiveTime::MIN).and_utc()))
    };
    Timestamp::parse_rfc3339(text)
        .or_else(day)
        .ok_or_else(|| "not a day (2026-11-01) or a time (2026-11-01T12:00:00Z)".to_owned())
}

pub(super) async fn run(args: &Args, variables: &Variables, say: &mut Say) -> anyhow::Result<ExitCode> {
    let candidate = args.document.as_deref().map(compiled).transpose()?;
    if let (Some(policy), Some(tenant)) = (&candidate, &args.tenant) {
        ensure!(policy.tenant() == tenant, "the document is of {}, not of {tenant}", policy.tenant());
    }
    let app = args.place.open(variables).await?;
    let known = app.library.tenants();
    let one = candidate.as_ref().map(Policy::tenant).or(args.tenant.as_ref());
    if let Some(tenant) = one.filter(|tenant| !known.contains(tenant)) {
        bail!("there is no tenant {tenant} here");
    }
    let tenants = one.map_or(known, |tenant| vec![tenant.clone()]);
    let (mut well, mut all) = (true, Vec::new());
    for (n, tenant) in tenants.iter().enumerate() {
        let holds = app.retention.holds(tenant).await?;
        let holds: Vec<Hold> = holds.into_iter().filter(|hold| hold.released_at.is_none()).collect();
        if let Some(candidate) = &candidate {
            let trial = tried(args, &app, candidate).await?;
            well &= !trial.comparison.conflicts.iter().any(|conflict| conflict.kind.forbids());
            if args.json {
                all.push(trial_json(tenant, &trial, &holds));
            } else if args.csv {
                say.text(trial.comparison.candidate.csv(tenant.as_str(), n == 0));
            } else {
                told_trial(tenant, &trial, &holds, say);
            }
        } else {
            let at = args.at.unwrap_or_else(|| app.clock.now());
            let until = args.within.map(|period| period.after(at));
            let survey = app.retention.survey(tenant, at, until).await?;
            well &= (args.at.is_some() || survey.plan.going == 0) && survey.late == 0;
            if args.json {
                all.push(survey_json(tenant, &survey, &holds));
            } else if args.csv {
                say.text(survey.plan.csv(tenant.as_str(), n == 0));
            } else {
                told(tenant, &survey, &holds, args.at.is_none(), say);
            }
        }
    }
    app.close().await;
    if args.json {
        say.line(serde_json::to_string_pretty(&all)?);
    }
    Ok(status(well))
}

async fn tried(args: &Args, app: &App, candidate: &Policy) -> anyhow::Result<Trial> {
    let at = args.at.unwrap_or_else(|| starts(candidate).max(app.clock.now()));
    let until = args.within.map(|period| period.after(at));
    let pace = args.stages.map_or(Pace::Percent(args.most), Pace::Days);
    Ok(app.retention.trial(candidate.tenant(), candidate, (at, until), pace).await?)
}

fn hold_json(hold: &Hold) -> Value {
    json!({
        "hold": hold.id.to_string(),
        "subject": hold.subject.map(|subject| subject.to_string()),
        "category": hold.category,
        "placed": hold.placed_at,
        "review": hold.review_at,
    })
}

fn survey_json(tenant: &TenantId, survey: &Survey, holds: &[Hold]) -> Value {
    json!({
        "tenant": tenant,
        "plan": survey.plan,
        "second_person": survey.plan.needs_second_person(),
        "late": survey.late,
        "holds": holds.iter().map(hold_json).collect::<Vec<_>>(),
    })
}

fn trial_json(tenant: &TenantId, trial: &Trial, holds: &[Hold]) -> Value {
    let conflicts = trial.comparison.conflicts.iter().map(|conflict| {
        let mut value = json!(conflict);
        if let Some(object) = value.as_object_mut() {
            object.insert("says".to_owned(), conflict.says().into());
            object.insert("forbids".to_owned(), conflict.kind.forbids().into());
        }
        value
    });
    json!({
        "tenant": tenant,
        "from": trial.comparison.from,
        "today": trial.comparison.today,
        "candidate": trial.comparison.candidate,
        "shifts": trial.comparison.shifts,
        "at_once": trial.comparison.at_once,
        "second_person": trial.comparison.second_person,
        "conflicts": conflicts.collect::<Vec<_>>(),
        "stages": trial.stages.as_ref().ok(),
        "too_slow": trial.stages.as_ref().err().map(ToString::to_string),
        "holds": holds.iter().map(hold_json).collect::<Vec<_>>(),
    })
}

fn told(tenant: &TenantId, survey: &Survey, holds: &[Hold], is_now: bool, say: &mut Say) {
    let Survey { plan, late } = survey;
    say.title(&format!("{tenant}, {}: {} held", plan.at.in_words(), count(plan.total, "thing", "things")));
    table(plan, say);
    days(plan, say);
    kept_back(holds, say);
    say.gap();
    if is_now {
        say.check(plan.going == 0, "nothing is past its time");
    } else {
        say.note(&format!("By then {} will have gone.", count(plan.going, "thing", "things")));
    }
    if *late > 0 {
        say.check(
            false,
            &format!("{} have a moment as early as their documents say", count(*late, "thing", "things")),
        );
    }
    if plan.needs_second_person() {
        say.warning("more than one in a hundred goes at once: a second person must confirm it");
    }
    say.gap();
}

fn table(plan: &Plan, say: &mut Say) {
    let time = |at: Option<Timestamp>| at.map_or(String::new(), Timestamp::in_words);
    let rows: Vec<Vec<String>> = plan
        .rows
        .iter()
        .map(|row| {
            let counts = [row.due, row.held, row.later, row.waiting].map(number);
            let texts = [row.category.clone(), row.action.clone(), row.rule.clone(), row.version.clone()];
            texts.into_iter().chain(counts).chain([time(row.first), row.because.clone()]).collect()
        })
        .collect();
    let head =
        ["category", "action", "rule", "version", "due", "on hold", "later", "waiting", "first", "why"];
    say.table(&head, &rows);
    for (category, n) in &plan.undeclared {
        say.check(false, &format!("{category}, of which {} are held, is declared", number(*n)));
    }
}

fn days(plan: &Plan, say: &mut Say) {
    let Some(until) = plan.until else { return };
    say.gap();
    say.line(format!("    Day by day until {}:", until.in_words()));
    let row = |day: &crate::policy::plan::Day| {
        vec![
            day.date.to_string(),
            day.category.clone(),
            day.action.clone(),
            day.rule.clone(),
            number(day.count),
            number(day.held),
        ]
    };
    let rows: Vec<_> = plan.days.iter().map(row).collect();
    if rows.is_empty() {
        say.note("Nothing goes.");
    } else {
        say.table(&["day", "category", "action", "rule", "goes", "on hold"], &rows);
    }
}

fn kept_back(holds: &[Hold], say: &mut Say) {
    for hold in holds {
        let whom = hold.subject.map_or("everybody".to_owned(), |subject| subject.to_string());
        let what = hold.category.clone().unwrap_or("everything".to_owned());
        let review = hold.review_at.in_words();
        say.row("legal hold", format!("{what} of {whom}; to be looked at again by {review} ({})", hold.id));
    }
}

fn told_trial(tenant: &TenantId, trial: &Trial, holds: &[Hold], say: &mut Say) {
    let Trial { comparison, stages } = trial;
    let (today, candidate) = (&comparison.today.version, &comparison.candidate.version);
    say.title(&format!("{tenant}: {today} to {candidate}, from {}", comparison.from.in_words()));
    shifts(comparison, say);
    say.gap();
    table(&comparison.candidate, say);
    days(&comparison.candidate, say);
    kept_back(holds, say);
    say.gap();
    for conflict in &comparison.conflicts {
        if conflict.kind.forbids() {
            say.check(false, &format!("it can come into force: {}", conflict.says()));
        } else {
            say.warning(&conflict.says());
        }
    }
    let all = comparison.candidate.total;
    say.note(&format!(
        "{} of {} go at once that would have stayed.",
        number(comparison.at_once),
        number(all)
    ));
    if comparison.second_person {
        say.warning("that is more than one in a hundred: a second person must confirm it");
    }
    told_stages(stages, say);
}

fn shifts(comparison: &Comparison, say: &mut Say) {
    let rows: Vec<Vec<String>> = comparison
        .shifts
        .iter()
        .map(|shift| {
            let counts =
                [shift.held, shift.sooner, shift.same, shift.later, shift.at_once, shift.kept_strict];
            [shift.category.clone()].into_iter().chain(counts.map(number)).collect()
        })
        .collect();
    let head = ["category", "held", "sooner", "same", "later", "at once", "kept by a stricter version"];
    say.table(&head, &rows);
}

fn told_stages(stages: &Result<Vec<Stage>, TooSlow>, say: &mut Say) {
    let stages = match stages {
        Ok(stages) if stages.len() <= 1 => return,
        Ok(stages) => stages,
        Err(e) => return say.warning(&e.to_string()),
    };
    say.gap();
    say.line(format!("    Brought in over {}:", count(stages.len() as u64, "day", "days")));
    let row = |stage: &Stage| {
        vec![
            stage.on.to_string(),
            number(stage.staged),
            number(stage.anyway),
            stage.through.to_string(),
            format!("{} days", stage.slack_days),
            number(stage.left),
        ]
    };
    let rows: Vec<_> = stages.iter().map(row).collect();
    say.table(&["day", "goes", "goes anyway", "due through", "clocks longer by", "left"], &rows);
    say.note(
        "Publish an interim version for each stage, with the candidate's clocks longer by so many days: then just these go.",
    );
}
