use cutover::SystemMode;
use cutover::guard::Trigger;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::view::{Evidence, Point, SidePoint};

fn side() -> impl Strategy<Value = SidePoint> {
    let nanos = || proptest::option::of(0..=u64::MAX);
    (0..=u64::MAX, proptest::option::of(0.0..=1.0), nanos(), nanos(), nanos()).prop_map(
        |(trials, success_rate, p50, p95, p99)| SidePoint { calls: trials, trials, success_rate, p50, p95, p99 },
    )
}

fn any_share() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..3.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(-1.0)]
}

prop_compose! {
    fn point()(
        step in prop_oneof![Just(5_000_u64), Just(0), 1..100_000_u64],
        epoch in 0..4_u64,
        mode in proptest::sample::select(SystemMode::ALL.to_vec()),
        rollout in 0.0..100.0,
        legacy in side(),
        new in side(),
        compared in 0..1_000_u64,
        mismatch_rate in proptest::option::of(0.0..=1.0),
        evidence in vec((proptest::sample::select(Trigger::ALL.to_vec()), any_share()), 0..4),
    ) -> Point {
        let evidence = evidence.into_iter().map(|(trigger, share)| Evidence { trigger, share }).collect();
        Point { at: step, epoch, mode, rollout, legacy, new, compared, mismatch_rate, evidence }
    }
}

fn series() -> impl Strategy<Value = Series> {
    let start = prop_oneof![Just(0_u64), Just(1_795_175_331_865)];
    (prop_oneof![3 => vec(point(), 1..30), 1 => vec(point(), 200..300)], start).prop_map(|(mut points, start)| {
        let mut at = start;
        for point in &mut points {
            at += point.at;
            point.at = at;
        }
        Series { every: 5_000_000_000, points }
    })
}

fn within(value: f64, low: f64, high: f64) -> bool {
    value.is_finite() && value >= low - 1e-6 && value <= high + 1e-6
}

fn places(line: &Line) -> Vec<(f64, f64)> {
    let pair = |text: &str| {
        let (x, y) = text.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    line.stretches.iter().flat_map(|stretch| stretch.split(' ')).map(pair).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_drawn_inside_the_frame(series in series()) {
        let charts = Charts::of(&series).unwrap();
        for chart in &charts.all {
            for line in &chart.lines {
                for (x, y) in places(line) {
                    prop_assert!(within(x, 0.0, WIDTH) && within(y, 0.0, HEIGHT), "{x},{y} in {}", chart.id);
                }
                for (x, y) in &line.dots {
                    prop_assert!(within(x.0, LEFT, LEFT + SPAN) && within(y.0, TOP, TOP + HEIGHT));
                }
            }
            let heights = chart.y_ticks.iter().chain(&chart.threshold);
            prop_assert!(heights.into_iter().all(|tick| within(tick.at.0, TOP, TOP + HEIGHT)), "{:?}", chart.y_ticks);
            prop_assert!(chart.x_ticks.iter().all(|tick| within(tick.at.0, LEFT, LEFT + SPAN)), "{:?}", chart.x_ticks);
        }
        prop_assert!(charts.marks.iter().all(|mark| within(mark.at.0, LEFT, LEFT + SPAN)));
        prop_assert!(charts.rows.len() <= ROWS);
        let texts = format!("{charts:?}");
        prop_assert!(!texts.contains("NaN") && !texts.contains("inf"), "{texts}");
    }

    #[test]
    fn axes_go_one_way_and_lines_go_forward_in_time(series in series()) {
        for chart in &Charts::of(&series).unwrap().all {
            let upwards: Vec<f64> = chart.y_ticks.iter().map(|tick| tick.at.0).collect();
            prop_assert!(upwards.len() >= 2 && upwards.is_sorted_by(|one, next| one > next), "{upwards:?}");
            let onwards: Vec<f64> = chart.x_ticks.iter().map(|tick| tick.at.0).collect();
            prop_assert!(onwards.is_sorted_by(|one, next| one < next), "{onwards:?}");
            let mut labels: Vec<&str> = chart.y_ticks.iter().map(|tick| tick.label.as_str()).collect();
            labels.dedup();
            prop_assert_eq!(labels.len(), chart.y_ticks.len(), "{:?}", chart.y_ticks);
            for line in &chart.lines {
                prop_assert!(places(line).is_sorted_by(|one, next| one.0 <= next.0));
            }
        }
    }

    #[test]
    fn a_larger_value_is_never_drawn_lower(one in 0.0..1e12_f64, other in 0.0..1e12_f64, most in 1.0..1e12_f64) {
        let scale = Scale::durations(0.0, most);
        let (less, more) = (one.min(other), one.max(other));
        prop_assert!(scale.y(more) <= scale.y(less));
    }
}

fn steady(success: Option<f64>, at: u64) -> Point {
    let new = SidePoint { calls: 100, trials: 100, success_rate: success, p50: Some(4_000_000), p95: None, p99: None };
    let evidence = vec![Evidence { trigger: Trigger::ErrorRate, share: 0.5 }];
    let (epoch, mode, rollout) = (2, SystemMode::Parallel, 0.0);
    Point { at, epoch, mode, rollout, legacy: SidePoint::default(), new, compared: 0, mismatch_rate: None, evidence }
}

fn series_of(points: Vec<Point>) -> Series {
    Series { every: 5_000_000_000, points }
}

#[test]
fn a_line_has_gaps_where_there_is_no_data() {
    let values = [Some(1.0), Some(0.98), None, Some(0.97), None, Some(0.96), Some(0.96)];
    let points = values.iter().zip(0..).map(|(value, number)| steady(*value, 1_000_000 + number * 5_000)).collect();
    let charts = Charts::of(&series_of(points)).unwrap();
    let new = &Chart::named(&charts, "success").lines[1];
    assert_eq!((new.stretches.len(), new.dots.len()), (2, 1), "{new:?}");
    assert_eq!(Chart::named(&charts, "success").lines[0].stretches.len(), 0);
    assert!(!Chart::named(&charts, "p95").has_data);
}

#[test]
fn a_line_has_a_gap_where_nobody_sampled() {
    let points = [0, 5_000, 10_000, 100_000, 105_000].map(|at| steady(Some(1.0), 1_000_000 + at)).to_vec();
    let charts = Charts::of(&series_of(points)).unwrap();
    assert_eq!(Chart::named(&charts, "success").lines[1].stretches.len(), 2);
}

#[test]
fn axes_have_round_ticks_with_units() {
    let labels = |scale: Scale, unit| scale.ticks(unit).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
    assert_eq!(labels(Scale::below_one(0.964, 1.0), Unit::Share), ["96 %", "98 %", "100 %"]);
    assert_eq!(labels(Scale::below_one(0.3, 1.0), Unit::Share), ["0 %", "50 %", "100 %"]);
    assert_eq!(labels(Scale::above_zero(0.0, 0.0), Unit::Share), ["0 %", "1 %", "2 %"]);
    assert_eq!(labels(Scale::durations(0.0, 11.2e6), Unit::Nanos), ["0", "5 ms", "10 ms", "15 ms"]);
    assert_eq!(labels(Scale::evidence(), Unit::Share), ["0 %", "50 %", "100 %"]);
    let times = |seconds| axis::back_from_now(std::time::Duration::from_secs(seconds));
    let names: Vec<String> = times(3_600).into_iter().map(|(_, label)| label).collect();
    assert_eq!(names, ["−1 h", "−40 min", "−20 min", "now"].map(str::to_owned).to_vec());
}

#[test]
fn a_change_of_settings_is_marked_once() {
    let mut points: Vec<Point> = (0..10).map(|number| steady(Some(1.0), 1_000_000 + number * 5_000)).collect();
    for point in points.iter_mut().skip(4) {
        (point.epoch, point.mode, point.rollout) = (3, SystemMode::GradualRollout, 25.0);
    }
    points[8].epoch = 4;
    points[9].epoch = 4;
    let charts = Charts::of(&series_of(points)).unwrap();
    let texts: Vec<&str> = charts.marks.iter().map(|mark| mark.text.as_str()).collect();
    assert_eq!(texts, ["Parallel → Gradual rollout, 25 %, epoch 3", "epoch 4, still Gradual rollout, 25 %"]);
}

#[test]
fn the_description_says_what_the_lines_show() {
    let points = [0.99, 0.95, 0.97].iter().zip(0..).map(|(value, at)| steady(Some(*value), 1_000_000 + at * 5_000));
    let charts = Charts::of(&series_of(points.collect())).unwrap();
    let chart = Chart::named(&charts, "success");
    assert_eq!(chart.description, "legacy: no data. new: from 95 % to 99 %, last 97 %.");
    assert_eq!(chart.lines[1].latest.as_deref(), Some("97 %"));
}

#[test]
fn a_long_series_is_folded_and_its_worst_stays_visible() {
    let mut points: Vec<Point> = (0..720).map(|number| steady(Some(1.0), 1_000_000 + number * 5_000)).collect();
    points[401].new.p50 = Some(90_000_000);
    let charts = Charts::of(&series_of(points)).unwrap();
    let new = &Chart::named(&charts, "p50").lines[1];
    assert_eq!(places(new).len(), 240);
    assert!(new.sentence.contains("to 90 ms"), "{}", new.sentence);
}

#[test]
fn calls_that_were_given_up_weigh_nothing_in_a_success_rate() {
    let mut points = vec![steady(Some(1.0), 1_000_000), steady(Some(0.0), 1_005_000)];
    (points[0].new.calls, points[0].new.trials) = (100, 10);
    (points[1].new.calls, points[1].new.trials) = (30, 30);
    let columns = fold::fold(&series_of(points), 1);
    assert_eq!(columns[0].new.success, Some(0.25));
}
