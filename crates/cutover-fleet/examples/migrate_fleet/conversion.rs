//! From the old rules of a system to the new ones.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use cutover::MigrationValidator;
use cutover::validate::record_from_sync;
use cutover_fleet::local::LocalHost;
use cutover_fleet::{Artifact, Conversion, HostError, Side, System, ValidationCounts, async_trait};

use crate::engine::{LegacyRules, Rules, convert, questions};
use crate::service::RULES;

/// Converts rules, and keeps what it makes in a folder for each system.
pub(crate) struct RuleConversion {
    pub(crate) host: LocalHost,
    pub(crate) folder: PathBuf,
}

#[async_trait]
impl Conversion for RuleConversion {
    async fn load(&self, system: &System) -> Result<Artifact, HostError> {
        let rules = self.host.data_folder(&system.name, Side::Legacy).join(RULES);
        let text =
            fs::read_to_string(rules).map_err(|error| HostError::with_source("its rules cannot be read", error))?;
        read_legacy(&text)?;
        self.keep(system, LOADED, &text)
    }

    async fn convert(&self, system: &System, loaded: &Artifact) -> Result<Artifact, HostError> {
        let rules = convert(&read_legacy(&text_of(loaded)?)?).map_err(HostError::new)?;
        let json =
            serde_json::to_string(&rules).map_err(|error| HostError::with_source("it cannot be written", error))?;
        self.keep(system, "converted.json", &json)
    }

    async fn generate(&self, system: &System, converted: &Artifact) -> Result<Artifact, HostError> {
        self.keep(system, "rules.json", &text_of(converted)?)
    }

    async fn validate(&self, system: &System, generated: &Artifact) -> Result<ValidationCounts, HostError> {
        let legacy = read_legacy(&read(&self.path(system, LOADED))?)?;
        let new: Rules = serde_json::from_str(&text_of(generated)?)
            .map_err(|error| HostError::with_source("what was generated is not rules", error))?;
        validate(&legacy, &new)
    }
}

/// Holds the new rules against what the old ones answer today.
fn validate(legacy: &LegacyRules, new: &Rules) -> Result<ValidationCounts, HostError> {
    let inputs = questions(legacy).into_iter().enumerate().map(|(number, question)| (number.to_string(), question));
    let answers = record_from_sync(inputs, |question| Ok::<_, Infallible>(legacy.answer(&question).to_owned()));
    let validator = MigrationValidator::new(answers.cases)
        .map_err(|error| HostError::with_source("there is nothing to validate with", error))?;
    let report = validator.run_sync(|question| Ok::<_, Infallible>(new.answer(&question).to_owned()));
    Ok(ValidationCounts::from(&report))
}

impl RuleConversion {
    fn path(&self, system: &System, name: &str) -> PathBuf {
        self.folder.join(system.name.as_str()).join(name)
    }

    fn keep(&self, system: &System, name: &str, text: &str) -> Result<Artifact, HostError> {
        let path = self.path(system, name);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))?;
            fs::write(&path, text)
        };
        write().map_err(|error| HostError::with_source("it cannot be kept", error))?;
        Artifact::new(path.to_string_lossy()).map_err(|error| HostError::with_source("the path is too long", error))
    }
}

const LOADED: &str = "loaded.txt";

fn text_of(artifact: &Artifact) -> Result<String, HostError> {
    read(Path::new(artifact.as_str()))
}

fn read(path: &Path) -> Result<String, HostError> {
    fs::read_to_string(path).map_err(|error| HostError::with_source("what was made before cannot be read", error))
}

fn read_legacy(text: &str) -> Result<LegacyRules, HostError> {
    LegacyRules::read(text).map_err(HostError::new)
}
