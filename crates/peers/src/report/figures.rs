//! Figures of one row, out of all rounds.

use indicatif::HumanFloatCount;

use crate::harness::{Results, Timed};

/// The times of one comparison at so many threads.
pub(super) struct Figures<'r> {
    processes: Vec<&'r [Timed]>,
}

impl<'r> Figures<'r> {
    pub(super) fn new(results: &'r Results, comparison: &str, threads: usize) -> Self {
        let of_it = results.times.iter().filter(|times| times.comparison == comparison && times.threads == threads);
        Self { processes: of_it.map(|times| times.subjects.as_slice()).collect() }
    }

    /// The median of all rounds, in nanoseconds per call.
    pub(super) fn nanos(&self, subject: &str) -> Option<f64> {
        median(self.processes.iter().filter_map(|all| nanos(all, subject)).flatten().copied().collect())
    }

    /// How many times as long `subject` took as `base`: the median over rounds in which both had their turn.
    pub(super) fn ratio(&self, subject: &str, base: &str) -> Option<f64> {
        let pairs = self.processes.iter().filter_map(|all| Some(nanos(all, subject)?.iter().zip(nanos(all, base)?)));
        median(pairs.flatten().map(|(subject, base)| subject / base).collect())
    }
}

fn nanos<'r>(subjects: &'r [Timed], name: &str) -> Option<&'r [f64]> {
    subjects.iter().find(|timed| timed.name == name).map(|timed| timed.nanos.as_slice())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Three digits are what a measurement is worth.
pub(super) fn digits(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{:.0}", HumanFloatCount(value.round())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{Machine, Times};

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_each_round() {
        let subject = |name: &str, nanos: &[f64]| Timed { name: name.into(), nanos: nanos.to_vec() };
        // In the second round the machine was busy: the medians alone would say 1.0.
        let subjects = vec![subject("floor", &[10.0, 40.0, 20.0]), subject("ours", &[20.0, 80.0, 40.0])];
        let times = vec![Times { comparison: "x".into(), threads: 1, subjects }];
        let results = Results { machine: Machine::this(), times, allocations: Vec::new() };
        let figures = Figures::new(&results, "x", 1);
        assert_eq!((figures.ratio("ours", "floor"), figures.nanos("floor")), (Some(2.0), Some(20.0)));
        assert_eq!((figures.ratio("ours", "nobody"), figures.nanos("nobody")), (None, None));
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([1.234, 12.34, 123.4, 146_463.2].map(digits), ["1.23", "12.3", "123", "146,463"]);
    }
}
