//! A hunt with its face: what is said while it runs, what is written when it ends.

use std::time::Instant;

use super::face::Face;
use super::findings::Gathered;
use super::setup::Ready;
use super::signals::Signals;
use super::{Context, print};
use crate::cli::choices::ReportFormat::Human;
use crate::cli::values::{Jobs, ReportTarget};
use crate::core::hunt::{Care, Goal, Hunt, Plan};
use crate::error::{ExitCode, Failure};
use crate::pytest::fork::Fork;
use crate::report::Format;
use crate::report::human::{header_line, repeat_line};
use crate::report::text::counted;
use crate::session::drive::{Budget, Drive, Onlooker, replay};
use crate::session::event::{EndReason, Event, Header};
use crate::session::files::write_report;
use crate::session::gauge::Machine;
use crate::session::journal::{FORMAT, Journal};
use crate::session::saved::{SavedGoal, SavedPlan};

/// What a command begins.
pub(super) struct Begin {
    pub command: &'static str,
    pub goal: SavedGoal,
    pub dry_run: bool,
}

/// A journal that is continued.
pub(super) struct Continued {
    pub journal: Journal,
    pub header: Header,
    pub events: Vec<Event>,
    pub said: Vec<(String, String)>,
    pub wall_ms: u64,
}

/// Begins a hunt and sees it through.
pub(super) async fn hunt(
    context: &Context,
    ready: Ready,
    begin: Begin,
    reports: &[ReportTarget],
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let plan = SavedPlan {
        goal: begin.goal,
        jobs: ready.jobs,
        forks: ready.server.is_some(),
        spare_ms: Care::default().spare_ms,
    };
    let session = &ready.workshop.session;
    let header = Header {
        format: FORMAT,
        flakehunt: env!("CARGO_PKG_VERSION").to_owned(),
        session: session.name().to_owned(),
        began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        plan: serde_json::to_value(&plan).map_err(|error| Failure::internal(error.to_string()))?,
        command: begin.command.to_owned(),
        environment: ready.environment.clone(),
    };
    if begin.dry_run {
        return dry_run(context, &ready, plan, &header);
    }
    let mut journal = Journal::create(&session.journal(), &header)?;
    journal.append(&Event::Suite {
        tests: ready.workshop.suite.len() as u32,
        digest: ready.workshop.suite.digest().clone(),
        unstable: ready.workshop.suite.tests().iter().filter(|test| test.unstable).count() as u32,
    })?;
    let continued = Continued { journal, header, events: Vec::new(), said: Vec::new(), wall_ms: 0 };
    go_on(context, ready, plan, continued, reports, signals).await
}

/// Goes on with a journal until the hunt ends or is ended.
pub(super) async fn go_on(
    context: &Context,
    ready: Ready,
    plan: SavedPlan,
    continued: Continued,
    reports: &[ReportTarget],
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let Ready { workshop, notices, jobs, scratch, lock, server, unbegun, .. } = ready;
    // There is a journal.
    drop(unbegun);
    let Continued { mut journal, header, events, mut said, wall_ms } = continued;
    let suite = workshop.suite.clone();
    let mut hunt = Hunt::new(suite.clone(), plan.plan(&suite));
    let open = replay(&mut hunt, &events)?;
    let to_people = reports.iter().any(|report| report.file.is_none() && report.format == Human);
    let mut face = Face::new(context, to_people, &hunt, &header, &suite);
    for (about, text) in notices {
        if !said.contains(&(about.clone(), text.clone())) {
            journal.append(&Event::Notice { about: about.clone(), text: text.clone() })?;
            face.notice(&about, &text);
            said.push((about, text));
        }
    }
    #[expect(clippy::disallowed_methods, reason = "how long a sitting took is said to people")]
    let began = Instant::now();
    let executor = Fork::new(workshop.clone(), server);
    let budget = Budget {
        time: context.settings.budget.value.map(|span| span.0),
        runs: context.settings.max_runs.value.map(|count| count.0.get()),
    };
    let auto = context.settings.jobs.value == Jobs::Auto && jobs > 1;
    let drive = Drive {
        hunt: &mut hunt,
        executor: &executor,
        journal: &mut journal,
        jobs,
        auto,
        gauge: &mut Machine::new(),
        budget,
        open,
        said,
    };
    let sat = drive.run(&signals.stop, &signals.reason, &mut face).await;
    face.progress.finish();
    executor.close().await;
    let sitting = sat?;
    let wall_ms = wall_ms + began.elapsed().as_millis() as u64;
    journal.append(&Event::Ended { why: sitting.why, wall_ms })?;
    drop(scratch);
    let gathered = Gathered::of(
        &workshop.session,
        &context.surroundings.current_dir,
        header,
        &suite,
        &hunt,
        sitting.why,
        wall_ms,
    )?;
    let code = gathered.exit_code();
    write_reports(context, &gathered, reports, face.headed)?;
    drop(lock);
    if let Some(why) = gathered.no_baseline() {
        return Err(Failure::environment(format!("no run of the suite could be used: {why}"))
            .hint(format!("look at what pytest said: {}", workshop.session.path().join("runs").display())));
    }
    Ok(code)
}

/// Writes what was asked for, and `report.json` into the session; of a `rerun` also `junit.xml`.
pub(super) fn write_reports(
    context: &Context,
    gathered: &Gathered<'_>,
    reports: &[ReportTarget],
    headed: bool,
) -> Result<(), Failure> {
    let internal = |error: std::io::Error| Failure::internal(error.to_string());
    let plain = crate::report::Look::default();
    let rendered = |format: Format| {
        let mut bytes = Vec::new();
        format.renderer(plain).render(&gathered.findings(), &mut bytes).map_err(internal)?;
        Ok::<_, Failure>(bytes)
    };
    write_report(&gathered.session.report(), &rendered(Format::Json)?)?;
    if gathered.findings().rerun().is_some() {
        write_report(&gathered.session.junit(), &rendered(Format::Junit)?)?;
    }
    for report in reports {
        match &report.file {
            Some(file) => write_report(&context.directory.join(file), &rendered(report.format)?)?,
            None => {
                let mut bytes = Vec::new();
                let look = crate::report::Look {
                    width: width(context),
                    color: context.color(),
                    all: context.cli.common.verbose > 0,
                };
                if headed && report.format == Human {
                    crate::report::human::Human(look)
                        .results(&gathered.findings(), &mut bytes)
                        .map_err(internal)?;
                } else {
                    report
                        .format
                        .renderer(look)
                        .render(&gathered.findings(), &mut bytes)
                        .map_err(internal)?;
                }
                print(&bytes)?;
            }
        }
    }
    Ok(())
}

/// Columns of the terminal on standard output; what no terminal says, `COLUMNS` may.
pub(super) fn width(context: &Context) -> usize {
    let told = context.surroundings.var("COLUMNS").and_then(|text| text.parse().ok());
    told.or(context.surroundings.columns).unwrap_or(80).clamp(40, 400)
}

/// Prints what would be run.
fn dry_run(context: &Context, ready: &Ready, plan: SavedPlan, header: &Header) -> Result<ExitCode, Failure> {
    let suite = &ready.workshop.suite;
    let mut out = header_line(header, suite.len(), width(context), context.color());
    out.push('\n');
    let planned: Plan = plan.plan(suite);
    let (orders, then) = match &planned.goal {
        Goal::Shuffle { orders, bisect } => {
            out.push_str("would run   collection order, twice\n");
            (
                &orders[..],
                if *bisect { "then         whatever proves the cause of what failed\n" } else { "" },
            )
        }
        Goal::Bisect { test, orders, .. } => {
            out.push_str(&format!("would run   {} alone\n", suite.node_id(*test)));
            (&orders[..], "then         until it fails, and whatever proves the cause\n")
        }
        Goal::Repeat { repeats, order } => {
            let name = order.as_ref().map(|planned| &planned.name);
            out.push_str(&repeat_line(repeats, name, width(context), context.color()));
            out.push('\n');
            for test in &repeats.tests {
                out.push_str(&format!("would run   {}\n", suite.node_id(*test)));
            }
            return print(out.as_bytes());
        }
        Goal::Rerun(rerun) => {
            let times = counted(rerun.reruns, "time");
            out.push_str(&format!(
                "would run   collection order, once\n\
                 then         what fails again, up to {times} in the same order and up to {times} alone\n"
            ));
            (&[][..], "")
        }
        Goal::Orders { orders, .. } => (&orders[..], ""),
    };
    for planned in orders {
        out.push_str(&format!("would run   {}\n", planned.name));
    }
    out.push_str(then);
    print(out.as_bytes())
}

/// Why the sitting that a journal tells of ended, for a session whose driver was killed.
pub(super) const KILLED: EndReason = EndReason::Interrupted;
