//! Validates a new classifier with the cases of a JSON file, and prints what does not hold yet.
#![expect(clippy::print_stdout, reason = "an example")]

use cutover::MigrationValidator;
use serde::Serialize;

#[derive(Serialize)]
struct Message {
    r#type: &'static str,
    words: usize,
}

async fn classify(text: String) -> Result<Message, &'static str> {
    let words = text.split_whitespace().count();
    match text.split([' ', ',']).next() {
        Some("Hello" | "Good") => Ok(Message { r#type: "greeting", words }),
        Some("") | None => Err("there is nothing to classify"),
        Some(_) => Ok(Message { r#type: "statement", words }),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/validate_cases.json");
    let validator = MigrationValidator::from_json_file(cases)?
        .on_progress(|progress| println!("{} of {}: {}", progress.done, progress.total, progress.name));

    let report = futures::executor::block_on(validator.run(classify));

    println!("\n{report}");
    println!("\nthe new side is {:.0} % there", report.success_rate() * 100.0);
    Ok(())
}
