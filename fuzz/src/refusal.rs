//! What every refusal promises.

use std::collections::HashSet;
use std::error::Error;

use cutover::StoreError;
use cutover::store::Record;
use serde_json::Value;

/// The longest text of an error, in characters.
const LONGEST_TEXT: usize = 400;
/// The longest part of the input that a text may repeat, in characters.
const LONGEST_REPEAT: usize = 64;

/// A store's error: the size alone decides about `TooLarge`, and the texts keep the input to themselves.
pub(crate) fn check_store(error: &StoreError, input: &[u8]) {
    if input.len() > Record::MAX_BYTES {
        assert!(
            matches!(error, StoreError::TooLarge { size, max } if *size == input.len() && *max == Record::MAX_BYTES)
        );
    } else {
        assert!(matches!(error, StoreError::Corrupt(_) | StoreError::UnknownFormat(_)), "{error:?}");
    }
    check_texts(error, input);
    check_text(&format!("{error:?}"), &texts_of(input));
}

/// The error and its causes say little, in one line, and repeat no long part of the input.
pub(crate) fn check_texts(error: &(dyn Error + 'static), input: &[u8]) {
    let inputs = texts_of(input);
    let mut next = Some(error);
    while let Some(cause) = next {
        check_text(&cause.to_string(), &inputs);
        next = cause.source();
    }
}

fn check_text(text: &str, inputs: &str) {
    let chars: Vec<char> = text.chars().collect();
    assert!(chars.len() <= LONGEST_TEXT, "an error of {} characters: {text}", chars.len());
    assert!(!chars.iter().any(|c| c.is_control()), "a control character: {text:?}");
    let said: HashSet<u64> = windows(text).collect();
    assert!(!windows(inputs).any(|part| said.contains(&part)), "repeats its input: {text}");
}

/// A number for each part of `text` that is one longer than allowed. The parts themselves are not compared: a fuzzer looks at
/// what is compared, and would put the text into its inputs.
fn windows(text: &str) -> impl Iterator<Item = u64> {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    let size = LONGEST_REPEAT + 1;
    let leaving = (0..size).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let numbers: Vec<u64> = text.chars().map(|c| u64::from(u32::from(c)) + 1).collect();
    let mut hash = 0_u64;
    (0..numbers.len()).filter_map(move |at| {
        let gone = at.checked_sub(size).map_or(0, |gone| numbers[gone]);
        hash = hash.wrapping_mul(BASE).wrapping_add(numbers[at]).wrapping_sub(gone.wrapping_mul(leaving));
        (at + 1 >= size).then_some(hash)
    })
}

/// The input as it stands, and each text in it without its escapes.
fn texts_of(input: &[u8]) -> String {
    let mut texts = String::from_utf8_lossy(input).into_owned();
    collect(&serde_json::from_slice(input).unwrap_or_default(), &mut texts);
    texts
}

fn collect(value: &Value, texts: &mut String) {
    let mut add = |text: &str| texts.extend(["\n", text]);
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            texts.extend(["\n", name]);
            collect(member, texts);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `json` with blanks behind it, `size` bytes long.
pub(crate) fn padded(json: &[u8], size: usize) -> Vec<u8> {
    let mut padded = json.to_vec();
    padded.resize(size, b' ');
    padded
}
