//! `cutover-assess diff`, `apply` and `undo`

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Args;
use console::Style;
use cutover_assess::codemod::{CodemodError, Diff, DiffLine, Journal, JournalState, LineKind, Plan, PlanError};
use cutover_assess::{Assessment, Codemod, Scan};
use indicatif::ProgressBar;

use super::{FAILED, read_enough, rules};

/// What is renamed, and where.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The folder to look in.
    #[arg(value_name = "ROOT")]
    root: PathBuf,
    /// The rules, in TOML or JSON.
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// Also looks in files and folders whose name starts with a dot.
    #[arg(long)]
    hidden: bool,
}

impl SourceArgs {
    pub(crate) fn scan(&self) -> Result<Scan, Box<dyn Error>> {
        Ok(Scan::new(rules::read(&self.rules)?).hidden(self.hidden).leave_out(&self.rules))
    }

    pub(crate) fn assessment(&self, scan: &Scan) -> Result<Assessment, Box<dyn Error>> {
        Ok(busy("looking", || scan.run(&self.root))?)
    }

    /// The edits, or with which exit code there are none. What was not seen is told, and what an interrupted run left is no source
    /// to plan from.
    fn plan(&self) -> Result<Result<Plan, ExitCode>, Box<dyn Error>> {
        check_folder(&self.root)?;
        let journals = Journal::all(&self.root)?;
        if let Some(journal) = journals.iter().find(|journal| journal.state() == JournalState::Interrupted) {
            return Err(CodemodError::Interrupted { journal: journal.path().to_owned() }.into());
        }
        let scan = self.scan()?;
        let assessment = self.assessment(&scan)?;
        tell_gaps(&assessment);
        match Codemod::from_assessment(&self.root, &assessment, &scan).and_then(Codemod::plan) {
            Ok(plan) => Ok(Ok(plan)),
            Err(PlanError::Nothing) => nothing_to_rename(&assessment).map(Err),
            Err(error) => Err(error.into()),
        }
    }
}

/// Which rules are applied, and what decides whether they stay.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// A command that runs in ROOT after the edits, such as `cargo check`. If it fails, they are taken back.
    #[arg(last = true, value_name = "CHECK")]
    check: Vec<String>,
}

/// What is taken back.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The folder whose last run is taken back.
    #[arg(value_name = "ROOT")]
    root: PathBuf,
    /// Takes back this run instead, such as `.cutover/0001.journal`.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// Shows what `apply` would change. Exit code: 0 if nothing, 1 if something.
pub(crate) fn diff(args: &SourceArgs) -> Result<ExitCode, Box<dyn Error>> {
    let plan = match args.plan()? {
        Ok(plan) => plan,
        Err(nothing) => return Ok(nothing),
    };
    read_enough(show(&plan.diff()))?;
    tell(&format!("{} in {}; nothing is written before `apply`", edits(&plan), files(plan.files().len())));
    Ok(ExitCode::from(1))
}

/// Renames, and says where the journal is.
pub(crate) fn apply(args: &ApplyArgs) -> Result<ExitCode, Box<dyn Error>> {
    let plan = match args.source.plan()? {
        Ok(plan) => plan,
        Err(nothing) => return Ok(nothing),
    };
    for file in plan.files().iter().filter(|file| file.hard_links() > 0) {
        tell(&format!("note: {} has other names (hard links), which keep the old text", file.path().display()));
    }
    let journal = busy("editing", || plan.apply_checked(|| check(&args.check, plan.root())))?;
    let (edits, files, root) = (edits(&plan), files(plan.files().len()), args.source.root.display());
    say(&format!("{edits} in {files}; journal: {}", journal.path().display()))?;
    say(&format!("to take them back: cutover-assess undo {root}"))
}

/// Takes a run back: the last one that is applied, or one that was interrupted.
pub(crate) fn undo(args: &UndoArgs) -> Result<ExitCode, Box<dyn Error>> {
    let Some(journal) = journal(args)? else { return say("nothing to undo") };
    let name = journal.path().display();
    if journal.state() == JournalState::Interrupted {
        busy("recovering", || journal.recover())?;
        return say(&format!("it was interrupted, and is backed out: {name}"));
    }
    busy("undoing", || journal.undo())?;
    say(&format!("undone in {}: {name}", files(journal.files().len())))
}

fn journal(args: &UndoArgs) -> Result<Option<Journal>, Box<dyn Error>> {
    check_folder(&args.root)?;
    if let Some(path) = &args.journal {
        check_root(&args.root, path)?;
        return Ok(Some(Journal::open(path)?));
    }
    let journals = Journal::all(&args.root)?;
    Ok(journals.into_iter().rev().find(|journal| journal.state() != JournalState::Undone))
}

/// Refuses a journal of another root than the one that is named.
fn check_root(root: &Path, journal: &Path) -> Result<(), Box<dyn Error>> {
    let io = |source| format!("{}: {source}", journal.display());
    let journal_root = journal.canonicalize().map_err(io)?.ancestors().nth(2).map(Path::to_owned);
    let is_own = journal_root == root.canonicalize().ok();
    let refused = || format!("{}: it is no journal of {}; name its own root", journal.display(), root.display()).into();
    is_own.then_some(()).ok_or_else(refused)
}

/// Runs a command and lets it speak; without one, all is well.
fn check(command: &[String], root: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let status = Command::new(program).args(arguments).current_dir(root).status();
    let status = status.map_err(|source| format!("{program} cannot be run: {source}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}").into()) }
}

/// Byte by byte for programs, in colour for people.
fn show(diff: &Diff) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if console::colors_enabled() {
        diff.lines().iter().try_for_each(|line| writeln!(out, "{}", coloured(line)))?;
    } else {
        diff.write_to(&mut out)?;
    }
    out.flush()
}

fn coloured(line: &DiffLine) -> String {
    let style = match line.kind {
        LineKind::File => Style::new().bold(),
        LineKind::Hunk => Style::new().cyan(),
        LineKind::Removed => Style::new().red(),
        LineKind::Added => Style::new().green(),
        LineKind::Context | _ => Style::new(),
    };
    style.apply_to(line.to_string().trim_end_matches('\n')).to_string()
}

fn tell_gaps(assessment: &Assessment) {
    for skipped in assessment.skipped().iter().filter(|skipped| skipped.reason.hides_findings()) {
        tell(&format!("warning: not looked at: {}: {}", skipped.path, skipped.reason));
    }
    for warning in assessment.warnings() {
        tell(&format!("warning: {warning}"));
    }
}

/// It proves something only if all was looked at.
fn nothing_to_rename(assessment: &Assessment) -> Result<ExitCode, Box<dyn Error>> {
    if assessment.has_gaps() {
        say("nothing to rename was found, but not all of it was looked at")?;
        return Ok(ExitCode::from(FAILED));
    }
    say("nothing to rename: no finding of a rule with a replacement")
}

fn check_folder(root: &Path) -> Result<(), Box<dyn Error>> {
    let metadata = std::fs::metadata(root).map_err(|source| format!("{}: {source}", root.display()))?;
    let refused = || format!("{}: it is no folder; name the folder that has it", root.display()).into();
    metadata.is_dir().then_some(()).ok_or_else(refused)
}

fn edits(plan: &Plan) -> String {
    if plan.edits() == 1 { "1 edit".to_owned() } else { format!("{} edits", plan.edits()) }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

pub(crate) fn say(line: &str) -> Result<ExitCode, Box<dyn Error>> {
    read_enough(writeln!(io::stdout(), "{line}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Without a standard error there is nobody to tell, and nothing stops for that.
fn tell(line: &str) {
    writeln!(io::stderr(), "{line}").unwrap_or_default();
}

/// Shows on a terminal that something is under way.
fn busy<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = work();
    spinner.finish_and_clear();
    done
}
