//! `cutover-assess scan`

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cutover_assess::{Assessment, Format, Report, Scan, Status};
use indicatif::{ProgressBar, ProgressStyle};

use super::args::{FailOn, ScanArgs};
use super::{FAILED, output, read_enough, rules};

pub(crate) fn run(args: &ScanArgs) -> Result<ExitCode, Box<dyn Error>> {
    spare_rules(args)?;
    let assessment = scan(args)?;
    write(args, &assessment)?;
    Ok(exit_code(&assessment, args.fail_on))
}

/// Refuses a report that would take the place of the rules.
fn spare_rules(args: &ScanArgs) -> Result<(), OverRules> {
    let is_rules = |path: &&PathBuf| {
        path.canonicalize().is_ok_and(|path| args.rules.canonicalize().is_ok_and(|rules| path == rules))
    };
    match args.output.as_ref().filter(is_rules) {
        Some(path) => Err(OverRules { path: path.clone() }),
        None => Ok(()),
    }
}

fn scan(args: &ScanArgs) -> Result<Assessment, Box<dyn Error>> {
    let progress = progress()?;
    let told = progress.clone();
    let scan = Scan::new(rules::read(&args.rules)?)
        .threads(args.threads)
        .hidden(args.hidden)
        .max_file_bytes(args.max_file_bytes)
        .effort(args.weights())
        .leave_out(&args.rules)
        .on_file(move |files| told.set_position(files));
    let scan = args.output.iter().fold(scan, Scan::leave_out);
    let assessment = scan.run(&args.root);
    progress.finish_and_clear();
    Ok(assessment?)
}

/// On standard error; it is not drawn where that is no terminal.
fn progress() -> Result<ProgressBar, Box<dyn Error>> {
    let style = ProgressStyle::with_template("{spinner} looked at {human_pos} files in {elapsed} ({per_sec})")?;
    let progress = ProgressBar::new_spinner().with_style(style);
    progress.enable_steady_tick(Duration::from_millis(100));
    Ok(progress)
}

fn write(args: &ScanArgs, assessment: &Assessment) -> Result<(), Box<dyn Error>> {
    match &args.output {
        None => read_enough(to_terminal(args.format, assessment)).map_err(Into::into),
        Some(path) => {
            let failed = |source| OutputError { path: path.clone(), source };
            let mut report = Vec::new();
            let written = Report::new(args.format).write(assessment, &mut report);
            written.and_then(|()| output::write(path, &report)).map_err(|source| failed(source).into())
        }
    }
}

fn to_terminal(format: Format, assessment: &Assessment) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    Report::new(format).colours(has_colours()).write(assessment, &mut out)?;
    out.flush()
}

/// On a terminal, unless `NO_COLOR` is set.
fn has_colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && console::colors_enabled()
}

fn exit_code(assessment: &Assessment, fail_on: FailOn) -> ExitCode {
    let fails = assessment.findings().iter().any(|finding| fail_on.includes(finding.complexity));
    let unproven = assessment.status() == Status::NothingScanned || assessment.has_gaps();
    match (fails, unproven) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::from(FAILED),
        (false, false) => ExitCode::SUCCESS,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the report `{}` cannot be written", path.display())]
struct OutputError {
    path: PathBuf,
    source: io::Error,
}

#[derive(Debug, thiserror::Error)]
#[error("the report `{}` would take the place of the rules; name another file", path.display())]
struct OverRules {
    path: PathBuf,
}
