//! SARIF 2.1.0, the Static Analysis Results Interchange Format of OASIS.

use serde_json::{Value, json};

use super::escape::{plain, uri};
use crate::assessment::Assessment;
use crate::finding::Finding;
use crate::rule::{Complexity, Rule};

/// The log file of one run.
pub(super) fn log(assessment: &Assessment) -> Value {
    let found = assessment.findings().iter().map(|finding| result(assessment, finding));
    let allowed = assessment.allowed().iter().map(|finding| suppressed(result(assessment, finding)));
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver(assessment) },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: { "description": { "text": "The root of the scan." } } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(assessment),
            }],
            "results": found.chain(allowed).collect::<Vec<Value>>(),
        }],
    })
}

/// What paths are relative to.
const ROOT: &str = "SCANROOT";
/// Names the algorithm of fingerprints.
const FINGERPRINT: &str = "cutoverAssess/v1";

fn driver(assessment: &Assessment) -> Value {
    json!({
        "name": "cutover-assess",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": assessment.rules().iter().map(descriptor).collect::<Vec<Value>>(),
        "notifications": [{ "id": "not-looked-at" }, { "id": "warning" }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": plain(&rule.name) },
        "defaultConfiguration": { "level": level(rule.complexity) },
        "properties": { "complexity": rule.complexity, "pattern": rule.pattern },
    });
    if let Some(note) = &rule.note {
        set(&mut descriptor, "help", json!({ "text": note }));
    }
    descriptor
}

const fn level(complexity: Complexity) -> &'static str {
    match complexity {
        Complexity::Low => "note",
        Complexity::Medium => "warning",
        Complexity::High => "error",
    }
}

fn result(assessment: &Assessment, finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": assessment.rules().iter().position(|rule| rule.id == finding.rule),
        "level": level(finding.complexity),
        "message": { "text": format!("{} ({})", plain(&finding.name), finding.complexity) },
        "locations": [{ "physicalLocation": { "artifactLocation": location(&finding.path), "region": region(finding) } }],
        "partialFingerprints": { FINGERPRINT: finding.fingerprint },
        "properties": { "complexity": finding.complexity, "context": finding.context },
    });
    if let Some(fix) = fix(finding) {
        set(&mut result, "fixes", json!([fix]));
    }
    result
}

fn suppressed(mut result: Value) -> Value {
    set(&mut result, "suppressions", json!([{ "kind": "inSource" }]));
    result
}

fn location(path: &str) -> Value {
    json!({ "uri": uri(path), "uriBaseId": ROOT })
}

fn region(finding: &Finding) -> Value {
    let mut region = place(finding);
    set(&mut region, "byteOffset", json!(finding.span.start));
    set(&mut region, "byteLength", json!(finding.span.len()));
    set(&mut region, "snippet", json!({ "text": finding.excerpt }));
    region
}

/// Lines and columns; the last ones only if the excerpt has all of the place.
fn place(finding: &Finding) -> Value {
    let mut place = json!({ "startLine": finding.line, "startColumn": finding.column });
    if finding.matched.len() == finding.span.len() {
        let text = finding.excerpt.get(finding.matched.clone()).unwrap_or_default();
        set(&mut place, "endLine", json!(finding.line));
        set(&mut place, "endColumn", json!(finding.column + text.chars().count()));
    }
    place
}

fn fix(finding: &Finding) -> Option<Value> {
    let replacement = finding.replacement.as_ref()?;
    let text = format!("Write `{}` instead.", plain(replacement));
    let change = json!({ "deletedRegion": place(finding), "insertedContent": { "text": replacement } });
    Some(json!({
        "description": { "text": text },
        "artifactChanges": [{ "artifactLocation": location(&finding.path), "replacements": [change] }],
    }))
}

fn notifications(assessment: &Assessment) -> Vec<Value> {
    let skipped = assessment.skipped().iter().map(|skipped| {
        let level = if skipped.reason.hides_findings() { "error" } else { "note" };
        let mut notification = notification("not-looked-at", level, &skipped.reason.to_string());
        let place = json!([{ "physicalLocation": { "artifactLocation": location(&skipped.path) } }]);
        set(&mut notification, "locations", place);
        notification
    });
    let warnings = assessment.warnings().iter().map(|warning| notification("warning", "warning", &warning.to_string()));
    skipped.chain(warnings).collect()
}

fn notification(id: &str, level: &str, text: &str) -> Value {
    json!({ "descriptor": { "id": id }, "level": level, "message": { "text": plain(text) } })
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.into(), value);
    }
}
