//! Any text as a literal: what is read survives being written.

#![no_main]

use backup_formats::cypher_export::CypherValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(value) = text.parse::<CypherValue>() else {
        return;
    };
    let written = value.to_string();
    let again = written.parse::<CypherValue>().unwrap_or_else(|error| panic!("{written}: {error}"));
    // As text, in which a number that is none equals itself.
    assert_eq!(format!("{value:?}"), format!("{again:?}"), "{written}");
});
