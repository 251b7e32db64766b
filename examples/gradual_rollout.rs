//! A request handler behind a flag that grows from 10 to 50 %: whoever is in stays in.
//!
//! `cargo run --example gradual_rollout`
#![expect(clippy::print_stdout, reason = "example")]

use cutover::{FeatureFlag, Percentage, PercentageError};

struct Request<'a> {
    user: &'a str,
    prices: &'a [u32],
}

/// The handler asks once, and each side is a plain function.
fn total(flag: &FeatureFlag, request: &Request<'_>) -> String {
    if flag.is_enabled(request.user) { total_new(request) } else { total_legacy(request) }
}

fn total_legacy(request: &Request<'_>) -> String {
    let mut sum = 0;
    for price in request.prices {
        sum += price;
    }
    format!("legacy: {sum}")
}

fn total_new(request: &Request<'_>) -> String {
    format!("new: {}", request.prices.iter().sum::<u32>())
}

fn main() -> Result<(), PercentageError> {
    // The allow list and the deny list name the first two; the others are up to the percentage.
    let users: Vec<String> = (3..=1_002).map(|n| format!("user-{n}")).collect();
    let flag = FeatureFlag::new("new-total").deny(["user-2"]).allow(["user-1"]);
    let mut before: Vec<&String> = Vec::new();

    for percent in [10.0, 25.0, 50.0] {
        let flag = flag.clone().rollout(Percentage::new(percent)?);
        let now: Vec<&String> = users.iter().filter(|user| flag.is_enabled(*user)).collect();
        let stayed = before.iter().filter(|user| now.contains(user)).count();
        println!(
            "{percent:>3} %: {:>3} of {} users are in; {stayed} of {} from before stayed",
            now.len(),
            users.len(),
            before.len()
        );
        before = now;
    }

    let half = flag.rollout(Percentage::new(50.0)?);
    println!();
    for user in ["user-1", "user-2", "user-7", "user-8", "user-9"] {
        let answer = total(&half, &Request { user, prices: &[120, 80, 5] });
        println!("{user}: {answer:<12} decided by {}", half.decide(user).rule);
    }
    println!("\nAnd off again: {}", total(&half.kill(), &Request { user: "user-1", prices: &[120, 80, 5] }));
    Ok(())
}
