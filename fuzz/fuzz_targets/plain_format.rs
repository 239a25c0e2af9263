//! Any bytes as cypher-shell's plain output: the same however they are read; and any text quoted as the shell does it
//! comes back.

#![no_main]

use std::io::{self, BufReader, Read};

use backup_formats::cypher_export::PlainFormatReader;
use libfuzzer_sys::fuzz_target;
use stepback_fuzz::trickle::Trickle;

fuzz_target!(|bytes: &[u8]| {
    let read = undo(BufReader::new(bytes));
    let trickled = undo(BufReader::with_capacity(2, Trickle::new(bytes)));
    assert_eq!(read, trickled);

    // Every row of an export ends in a newline; a backslash there would look like the closing mark's.
    let mut quoted = b"cypherStatements\n\"".to_vec();
    for &byte in bytes {
        if byte == b'"' {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.extend(b"\n\"\n");
    let (text, error) = undo(&quoted[..]);
    assert_eq!((text.strip_suffix(b"\n"), error), (Some(bytes), None));
});

fn undo(reader: impl io::BufRead) -> (Vec<u8>, Option<(io::ErrorKind, String)>) {
    let mut text = Vec::new();
    let result = PlainFormatReader::new(reader).read_to_end(&mut text);
    (text, result.err().map(|error| (error.kind(), error.to_string())))
}
