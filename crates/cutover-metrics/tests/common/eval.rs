//! What an expression of `PromQL` says after a series of scrapes: as much of the language as alerts need.

#![expect(clippy::wildcard_enum_match_arm, clippy::panic, reason = "what is not read here fails the test")]

use std::collections::BTreeMap;
use std::time::Duration;

use promql_parser::parser::{self, AggregateExpr, BinaryExpr, Expr, LabelModifier, MatrixSelector, VectorSelector};

use super::Scrape;
use super::text::Labels;

/// Scrapes and when they were made, the latest last.
#[derive(Default)]
pub(crate) struct History(Vec<(Duration, Scrape)>);

/// Values by their labels. A number has none.
type Vector = BTreeMap<Labels, f64>;

impl History {
    pub(crate) fn add(&mut self, at: Duration, scrape: Scrape) {
        self.0.push((at, scrape));
    }

    /// What the expression says at the last scrape.
    pub(crate) fn eval(&self, expr: &str) -> Vector {
        self.value(&parser::parse(expr).unwrap_or_else(|why| panic!("{expr}: {why}")))
    }

    fn value(&self, expr: &Expr) -> Vector {
        match expr {
            Expr::NumberLiteral(number) => Vector::from([(Labels::new(), number.val)]),
            Expr::Paren(paren) => self.value(&paren.expr),
            Expr::VectorSelector(selector) => self.latest(selector),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => match (call.func.name, call.args.args.first().map(|arg| &**arg)) {
                ("increase", Some(Expr::MatrixSelector(selector))) => self.increase(selector),
                other => panic!("{other:?} is not read here"),
            },
            other => panic!("{other:?} is not read here"),
        }
    }

    fn latest(&self, selector: &VectorSelector) -> Vector {
        self.0.last().map(|(_, scrape)| select(scrape, selector)).unwrap_or_default()
    }

    /// By how much each series has grown between the first and the last scrape in the range.
    fn increase(&self, MatrixSelector { vs, range }: &MatrixSelector) -> Vector {
        let now = self.0.last().map_or(Duration::ZERO, |(at, _)| *at);
        let mut within = self.0.iter().filter(|(at, _)| *at + *range >= now);
        let first = within.next().map(|(_, scrape)| select(scrape, vs)).unwrap_or_default();
        let last = self.latest(vs).into_iter();
        last.filter_map(|(labels, value)| first.get(&labels).map(|was| (labels.clone(), value - was))).collect()
    }

    fn aggregate(&self, AggregateExpr { op, expr, modifier, .. }: &AggregateExpr) -> Vector {
        let Some(LabelModifier::Include(by)) = modifier else { panic!("only `by` is read here") };
        let fold: fn(f64, f64) -> f64 = match op.to_string().as_str() {
            "max" => f64::max,
            "min" => f64::min,
            "sum" => |a, b| a + b,
            other => panic!("{other} is not read here"),
        };
        let mut groups = Vector::new();
        for (mut labels, value) in self.value(expr) {
            labels.retain(|label, _| by.labels.contains(label));
            groups.entry(labels).and_modify(|group| *group = fold(*group, value)).or_insert(value);
        }
        groups
    }

    fn binary(&self, BinaryExpr { op, lhs, rhs, .. }: &BinaryExpr) -> Vector {
        let (left, right) = (self.value(lhs), self.value(rhs));
        let number = right.get(&Labels::new()).copied().filter(|_| matches!(**rhs, Expr::NumberLiteral(_)));
        let pairs = left.into_iter().filter_map(|(labels, value)| {
            let other = number.or_else(|| right.get(&labels).copied())?;
            Some((labels, value, other))
        });
        let keeps: fn(f64, f64) -> Option<f64> = match op.to_string().as_str() {
            "==" => |a, b| (a.total_cmp(&b).is_eq()).then_some(a),
            ">" => |a, b| (a > b).then_some(a),
            "-" => |a, b| Some(a - b),
            other => panic!("{other} is not read here"),
        };
        pairs.filter_map(|(labels, value, other)| Some((labels, keeps(value, other)?))).collect()
    }
}

fn select(scrape: &Scrape, selector: &VectorSelector) -> Vector {
    let name = selector.name.as_deref().unwrap_or_default();
    let samples = scrape.0.values().flat_map(|family| &family.samples).filter(|sample| sample.name == name);
    let fits = |labels: &Labels| {
        let asked = &selector.matchers.matchers;
        asked.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name).map_or("", String::as_str)))
    };
    samples.filter(|sample| fits(&sample.labels)).map(|sample| (sample.labels.clone(), sample.value)).collect()
}
