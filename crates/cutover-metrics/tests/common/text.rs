//! A strict reader of the Prometheus text format 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Labels = BTreeMap<String, String>;

/// A metric with its samples.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

/// What was exported, by the names of metrics. Whatever the format does not allow is refused.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Family>, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let wrong = |why: &str| format!("{why}: {line}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').ok_or_else(|| wrong("no text"))?;
            let family = Family { help: help.to_owned(), kind: String::new(), samples: Vec::new() };
            if !is_name(name, true) || families.insert(name.to_owned(), family).is_some() {
                return Err(wrong("no name, or one that was there before"));
            }
            open = Some(name.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or_else(|| wrong("no type"))?;
            let family = families.get_mut(name).filter(|_| open.as_deref() == Some(name));
            let family = family.ok_or_else(|| wrong("a type without its help"))?;
            if !["counter", "gauge", "histogram"].contains(&kind) || !family.kind.is_empty() {
                return Err(wrong("another type"));
            }
            kind.clone_into(&mut family.kind);
        } else {
            let sample = sample(line).map_err(|why| wrong(&why))?;
            let family = open.as_ref().and_then(|name| families.get_mut(name));
            let family = family.ok_or_else(|| wrong("a sample of nothing"))?;
            family.samples.push(sample);
        }
    }
    families.iter().try_for_each(|(name, family)| check(name, family).map_err(|why| format!("{name}: {why}")))?;
    Ok(families)
}

fn sample(line: &str) -> Result<Sample, String> {
    let name_ends = line.find(['{', ' ']).ok_or("no value")?;
    let (name, rest) = line.split_at(name_ends);
    if !is_name(name, true) {
        return Err("not a name".to_owned());
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().map_err(|_| "the value is no number")? };
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// Reads `a="b",c="d"}`; the answer has what follows.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("no label")?;
        if !is_name(name, false) || name.starts_with("__") {
            return Err(format!("{name} is no label"));
        }
        let (value, after) = value(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("{name} twice"));
        }
        match (after.strip_prefix(','), after.strip_prefix('}')) {
            (Some(after), _) => rest = after,
            (_, Some(after)) => return Ok((labels, after)),
            (None, None) => return Err("labels do not end".to_owned()),
        }
    }
}

/// Reads a label's value up to its closing quote.
fn value(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match characters.next() {
                Some((_, 'n')) => '\n',
                Some((_, escaped @ ('\\' | '"'))) => escaped,
                _ => return Err("an escape that is none".to_owned()),
            }),
            character => value.push(character),
        }
    }
    Err("a value does not end".to_owned())
}

fn is_name(name: &str, colons: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn check(name: &str, family: &Family) -> Result<(), String> {
    if family.kind.is_empty() || family.help.is_empty() || family.samples.is_empty() {
        return Err("no type, help or sample".to_owned());
    }
    let series: BTreeSet<_> = family.samples.iter().map(|sample| (&sample.name, &sample.labels)).collect();
    if series.len() != family.samples.len() {
        return Err("a series stands twice".to_owned());
    }
    match family.kind.as_str() {
        "histogram" => check_histogram(name, family),
        kind => family.samples.iter().try_for_each(|sample| check_number(name, kind, sample)),
    }
}

fn check_number(name: &str, kind: &str, sample: &Sample) -> Result<(), String> {
    let counts = kind == "counter";
    let is_count = sample.value >= 0.0 && sample.value.fract() == 0.0;
    if sample.name != name || counts != name.ends_with("_total") || (counts && !is_count) {
        return Err(format!("not a {kind}: {sample:?}"));
    }
    Ok(())
}

fn check_histogram(name: &str, family: &Family) -> Result<(), String> {
    for (labels, of_series) in by_series(family) {
        let part = |suffix: &str| -> Vec<&Sample> {
            of_series.iter().copied().filter(|sample| sample.name == format!("{name}{suffix}")).collect()
        };
        let (counts, sums) = (part("_count"), part("_sum"));
        let buckets: Vec<_> = part("_bucket").into_iter().map(|sample| (bound(sample), sample.value)).collect();
        let whole = counts.len() == 1 && sums.len() == 1 && buckets.len() + 2 == of_series.len();
        let ordered = buckets.is_sorted_by(|a, b| a.0 < b.0) && buckets.is_sorted_by_key(|bucket| bucket.1);
        let whole = whole && buckets.last().is_some_and(|last| last.0.is_infinite());
        let closed = buckets.last().map(|last| last.1.to_bits()) == counts.first().map(|count| count.value.to_bits());
        if !whole || !ordered || !closed {
            return Err(format!("no histogram at {labels:?}"));
        }
    }
    Ok(())
}

fn bound(sample: &Sample) -> f64 {
    match sample.labels.get("le").map(String::as_str) {
        Some("+Inf") => f64::INFINITY,
        Some(bound) => bound.parse().unwrap(),
        None => f64::NAN,
    }
}

fn by_series(family: &Family) -> BTreeMap<Labels, Vec<&Sample>> {
    let mut series: BTreeMap<Labels, Vec<&Sample>> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        labels.remove("le");
        series.entry(labels).or_default().push(sample);
    }
    series
}
