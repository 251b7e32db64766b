//! Holds an expression of `PromQL` against what was exported.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is not read here is refused")]

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

use super::Scrape;
use super::text::Labels;

/// What was exported, by the name of each sample: its series.
pub(crate) struct Series(BTreeMap<String, Vec<Labels>>);

impl Series {
    pub(crate) fn of(scrape: &Scrape) -> Self {
        let mut series: BTreeMap<String, Vec<Labels>> = BTreeMap::new();
        for sample in scrape.0.values().flat_map(|family| &family.samples) {
            series.entry(sample.name.clone()).or_default().push(sample.labels.clone());
        }
        Self(series)
    }

    pub(crate) fn has_label(&self, metric: &str, label: &str) -> bool {
        self.0.get(metric).is_some_and(|series| series.iter().all(|labels| labels.contains_key(label)))
    }

    /// Whether the expression reads, and each selector in it finds series, whose labels are all that it groups by. The
    /// answer has the names of its metrics and the labels of its result.
    pub(crate) fn check(&self, expr: &str) -> Result<Found, String> {
        let plain = expr.replace("$__rate_interval", "5m").replace("$__range", "1h").replace("$migration", ".*");
        let parsed = parser::parse(&plain).map_err(|why| format!("{expr}: {why}"))?;
        let mut visitor = Visitor { series: self, found: Found::default() };
        walk_expr(&mut visitor, &parsed).map_err(|why| format!("{expr}: {why}"))?;
        visitor.found.labels = self.labels(&parsed).map_err(|why| format!("{expr}: {why}"))?;
        Ok(visitor.found)
    }

    /// The labels of the result.
    fn labels(&self, expr: &Expr) -> Result<BTreeSet<String>, String> {
        match expr {
            Expr::Aggregate(aggregate) => {
                let inner = self.labels(&aggregate.expr)?;
                let by = match &aggregate.modifier {
                    Some(LabelModifier::Include(by)) => by.labels.iter().cloned().collect(),
                    None => BTreeSet::new(),
                    Some(LabelModifier::Exclude(_)) => return Err("`without` is not read here".to_owned()),
                };
                let unknown: Vec<_> = by.difference(&inner).collect();
                if unknown.is_empty() { Ok(by) } else { Err(format!("there is no label {unknown:?}")) }
            }
            Expr::Binary(binary) => {
                let (left, right) = (self.labels(&binary.lhs)?, self.labels(&binary.rhs)?);
                Ok(if left.is_empty() { right } else { left })
            }
            Expr::Paren(paren) => self.labels(&paren.expr),
            Expr::Call(call) => {
                let labels = call.args.args.iter().map(|arg| self.labels(arg)).collect::<Result<Vec<_>, _>>()?;
                let mut labels: BTreeSet<_> = labels.into_iter().flatten().collect();
                if call.func.name == "histogram_quantile" && !labels.remove("le") {
                    return Err("quantiles need the label le".to_owned());
                }
                Ok(labels)
            }
            Expr::VectorSelector(selector) => Ok(self.labels_of(selector)),
            Expr::MatrixSelector(selector) => Ok(self.labels_of(&selector.vs)),
            Expr::NumberLiteral(_) => Ok(BTreeSet::new()),
            other => Err(format!("{other:?} is not read here")),
        }
    }

    fn labels_of(&self, selector: &VectorSelector) -> BTreeSet<String> {
        self.matching(selector).next().map(|labels| labels.keys().cloned().collect()).unwrap_or_default()
    }

    /// A value that the selector asks for, or leaves out, and that no series has.
    fn unknown_value(&self, selector: &VectorSelector) -> Option<String> {
        let series = self.0.get(selector.name.as_ref()?)?;
        let is_known =
            |name: &str, value: &str| series.iter().any(|labels| labels.get(name).is_some_and(|v| v == value));
        let matchers = selector.matchers.matchers.iter().filter(|matcher| matcher.value != ".*");
        let asked = matchers.flat_map(|matcher| matcher.value.split('|').map(|value| (matcher.name.as_str(), value)));
        asked.into_iter().find(|(name, value)| !is_known(name, value)).map(|(name, value)| format!("{name}={value}"))
    }

    /// The series that the selector finds.
    fn matching<'a>(&'a self, selector: &'a VectorSelector) -> impl Iterator<Item = &'a Labels> {
        let series = selector.name.as_ref().and_then(|name| self.0.get(name)).into_iter().flatten();
        series.filter(|labels| {
            let fits = |matcher: &promql_parser::label::Matcher| {
                labels.get(&matcher.name).is_some_and(|value| matcher.is_match(value))
            };
            selector.matchers.matchers.iter().all(fits)
        })
    }
}

#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) metrics: BTreeSet<String>,
    pub(crate) labels: BTreeSet<String>,
}

struct Visitor<'a> {
    series: &'a Series,
    found: Found,
}

impl ExprVisitor for Visitor<'_> {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, String> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(selector) => &selector.vs,
            _ => return Ok(true),
        };
        if self.series.matching(selector).next().is_none() {
            return Err(format!("nothing is exported that fits {selector}"));
        }
        if let Some(unknown) = self.series.unknown_value(selector) {
            return Err(format!("no series has {unknown}"));
        }
        self.found.metrics.extend(selector.name.clone());
        Ok(true)
    }
}
