//! The smallest use: a call runs both sides, legacy answers, and the counts tell how often the two agree.
#![expect(clippy::print_stdout, reason = "an example prints")]

use cutover::{DualRunner, Equality, MemoryStore, MigrationController, SystemMode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let controller = MigrationController::open("price", MemoryStore::new()).await?;
    controller.transition(SystemMode::Parallel, "ana", "first look at the new prices").await?;
    let price = DualRunner::builder("price", controller.clone()).comparator(Equality).build();

    for cents in [100, 250, 999_u32] {
        let legacy = async { Ok::<_, String>(cents / 10 * 10) };
        let new = async { Ok(cents - cents % 5) };
        println!("the caller gets {} cents", price.run(cents.to_string().as_str(), legacy, new).await?);
    }
    let counts = price.counts();
    println!("{} calls: {} matched, {} did not", counts.selected, counts.matched, counts.mismatched);
    Ok(())
}
