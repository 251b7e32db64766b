//! What the small systems do: answer by rules. Legacy reads them as text; new as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a question says: `weight` is `7`.
pub(crate) type Question = BTreeMap<String, String>;

/// A rule file of the old kind:
/// ```text
/// when weight > 20 say 19.90
/// when country is fr say 9.90
/// otherwise 4.90
/// ```
#[derive(Debug, Clone)]
pub(crate) struct LegacyRules {
    pub(crate) rules: Vec<LegacyRule>,
    pub(crate) otherwise: String,
}

#[derive(Debug, Clone)]
pub(crate) struct LegacyRule {
    pub(crate) field: String,
    pub(crate) operator: String,
    pub(crate) value: String,
    pub(crate) answer: String,
}

impl LegacyRules {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (mut rules, mut otherwise) = (Vec::new(), None);
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                ["otherwise", answer] => otherwise = Some((*answer).to_owned()),
                ["when", field, operator, value, "say", answer] => {
                    let [field, operator, value, answer] =
                        [field, operator, value, answer].map(|word| (*word).to_owned());
                    rules.push(LegacyRule { field, operator, value, answer });
                }
                _ => return Err(format!("line {}: neither `when .. say ..` nor `otherwise ..`", number + 1)),
            }
        }
        Ok(Self { rules, otherwise: otherwise.ok_or("there is no `otherwise`")? })
    }

    pub(crate) fn answer(&self, question: &Question) -> &str {
        let hit = self.rules.iter().find(|rule| question.get(&rule.field).is_some_and(|given| rule.holds(given)));
        hit.map_or(&self.otherwise, |rule| &rule.answer)
    }
}

impl LegacyRule {
    /// As the old engine has always done it: names are compared without regard to case.
    fn holds(&self, given: &str) -> bool {
        match self.operator.as_str() {
            "is" => given.eq_ignore_ascii_case(&self.value),
            ">" => number(given) > number(&self.value),
            "<" => number(given) < number(&self.value),
            "between" => self
                .value
                .split_once("..")
                .is_some_and(|(least, most)| (number(least)..=number(most)).contains(&number(given))),
            _ => false,
        }
    }
}

/// The rules as the new engine reads them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    pub(crate) otherwise: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) field: String,
    #[serde(flatten)]
    pub(crate) test: Test,
    pub(crate) answer: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "test", content = "value", rename_all = "snake_case")]
pub(crate) enum Test {
    Equals(String),
    Above(f64),
    Below(f64),
}

impl Rules {
    /// What the new engine can hold.
    pub(crate) const MOST: usize = 20;

    pub(crate) fn read(json: &str) -> Result<Self, String> {
        let rules: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        match rules.rules.len() {
            0..=Self::MOST => Ok(rules),
            more => Err(format!("{more} rules, and {} are allowed", Self::MOST)),
        }
    }

    pub(crate) fn answer(&self, question: &Question) -> &str {
        let hit = self.rules.iter().find(|rule| question.get(&rule.field).is_some_and(|given| rule.test.holds(given)));
        hit.map_or(&self.otherwise, |rule| &rule.answer)
    }
}

impl Test {
    fn holds(&self, given: &str) -> bool {
        match self {
            Self::Equals(value) => given == value,
            Self::Above(value) => number(given) > *value,
            Self::Below(value) => number(given) < *value,
        }
    }
}

/// What the converter makes of the old rules. It has a mistake, as converters have: it forgets that case never mattered.
pub(crate) fn convert(legacy: &LegacyRules) -> Result<Rules, String> {
    let convert = |rule: &LegacyRule| {
        let test = match rule.operator.as_str() {
            "is" => Test::Equals(rule.value.clone()),
            ">" => Test::Above(number(&rule.value)),
            "<" => Test::Below(number(&rule.value)),
            other => return Err(format!("there is no test in the new rules for `{other}`")),
        };
        Ok(Rule { field: rule.field.clone(), test, answer: rule.answer.clone() })
    };
    let rules = legacy.rules.iter().map(convert).collect::<Result<_, _>>()?;
    Ok(Rules { rules, otherwise: legacy.otherwise.clone() })
}

/// Questions on both sides of each rule.
pub(crate) fn questions(legacy: &LegacyRules) -> Vec<Question> {
    let about = |rule: &LegacyRule, given: String| Question::from([(rule.field.clone(), given)]);
    let of_rule = |rule: &LegacyRule| match rule.operator.as_str() {
        "is" => {
            let given = [rule.value.clone(), rule.value.to_lowercase(), format!("{}-other", rule.value)];
            given.map(|given| about(rule, given)).to_vec()
        }
        _ => [-1.0, 0.0, 1.0].map(|step| about(rule, (number(&rule.value) + step).to_string())).to_vec(),
    };
    legacy.rules.iter().flat_map(of_rule).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}
