//! An old API that stays alive over a new one, until its last caller is gone.
//!
//! `cargo run --example compat_layer`
#![expect(clippy::print_stdout, reason = "example")]

use std::error::Error;

use cutover::compat::{DeprecationBaseline, Release};

/// The new API: one way to ask for a price, in the currency of the customer.
mod catalog {
    pub(super) struct Quote {
        pub(super) cents: u32,
        pub(super) currency: &'static str,
    }

    pub(super) fn quote(product: &str, currency: &'static str) -> Quote {
        Quote { cents: 100 * u32::try_from(product.len()).unwrap_or(u32::MAX), currency }
    }
}

/// The old API, kept for those who still call it. Nothing is implemented here: everything asks the new one.
mod shop {
    use cutover::Deprecations;
    use cutover::compat::{Deprecation, Release};

    use super::catalog;

    const PRICE: Deprecation<'_> = Deprecation::new("shop::price")
        .instead("catalog::quote")
        .since(Release::new([2, 1]))
        .remove_after(Release::new([2])); // 3.0 does not have it
    const PRICE_IN_EURO: Deprecation<'_> = Deprecation::new("shop::price_in_euro").instead("catalog::quote");
    const FAX: Deprecation<'_> = Deprecation::new("shop::fax").since(Release::new([2, 3]));

    pub(super) static DEPRECATIONS: Deprecations = Deprecations::of(&[PRICE, PRICE_IN_EURO, FAX]);

    /// Cents, without a currency: that is what was wrong with it.
    #[track_caller]
    pub(super) fn price(product: &str) -> u32 {
        DEPRECATIONS.used(&PRICE);
        catalog::quote(product, "EUR").cents
    }

    #[track_caller]
    pub(super) fn price_in_euro(product: &str) -> f64 {
        DEPRECATIONS.used(&PRICE_IN_EURO);
        f64::from(catalog::quote(product, "EUR").cents) / 100.0
    }

    /// There is nobody left who has one, and it shows: no call of this is in the report.
    #[expect(dead_code, reason = "an old entry point without callers")]
    #[track_caller]
    pub(super) fn fax(_number: &str) {
        DEPRECATIONS.used(&FAX);
    }
}

/// The application: some of it has moved, some has not.
mod application {
    use super::{catalog, shop};

    pub(super) fn basket(products: &[&str]) -> u32 {
        products.iter().map(|product| shop::price(product)).sum() // one caller, however many products
    }

    pub(super) fn receipt(product: &str) -> String {
        format!("{product}: {:.2} EUR, {} cents", shop::price_in_euro(product), shop::price(product))
    }

    pub(super) fn window(product: &str) -> String {
        let quote = catalog::quote(product, "CHF"); // has moved
        format!("{product}: {} cents in {}", quote.cents, quote.currency)
    }

    /// What somebody adds on a Friday afternoon.
    pub(super) fn banner(product: &str) -> String {
        format!("Now only {}!", shop::price(product))
    }
}

/// What the repository has committed: how many call sites of what is old each file may have.
const COMMITTED: &str = r#"{
  "shop::price": { "examples/compat_layer.rs": 2 },
  "shop::price_in_euro": { "examples/compat_layer.rs": 1 }
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false).init();

    println!("The application runs. Each caller of something old is warned of once:\n");
    println!("  basket:  {} cents", application::basket(&["hat", "shoes", "umbrella"]));
    println!("  receipt: {}", application::receipt("hat"));
    println!("  receipt: {}", application::receipt("shoes"));
    println!("  window:  {}", application::window("hat"));

    let report = shop::DEPRECATIONS.report();
    println!("\nWho still calls what is old:\n\n{report}\n");

    let committed: DeprecationBaseline = serde_json::from_str(COMMITTED)?;
    report.check_callers(&committed)?;
    println!("The committed baseline allows {} call sites, so the test passes.", committed.call_sites());

    println!("\nSomebody adds one more, and the test fails:\n");
    println!("  banner:  {}", application::banner("hat"));
    let grown = shop::DEPRECATIONS.report();
    if let Err(error) = grown.check_callers(&committed) {
        println!("\n{error}");
    }

    println!("\nWhen the receipt has moved, the baseline shrinks, and never grows again:\n");
    let mut moved = report.clone();
    moved.deprecated.remove("shop::price_in_euro");
    println!("{}", serde_json::to_string_pretty(&committed.shrunk_to(&moved))?);

    for release in [Release::new([2, 9, 1]), Release::new([3, 0, 0])] {
        println!("\nMay {release} be released?\n");
        match report.check_removals(release) {
            Ok(()) => println!("Yes, nothing is overdue."),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}
