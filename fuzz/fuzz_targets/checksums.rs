//! Any text as a `checksums.txt`: what is read survives being written; and any bytes hashed, however they come.

#![no_main]

use backup_formats::checksums::{Sha256Digest, parse, sha256_reader};
use libfuzzer_sys::fuzz_target;
use stepback_fuzz::trickle::Trickle;

fuzz_target!(|bytes: &[u8]| {
    let digest = sha256_reader(Trickle::new(bytes), |_| {}).expect("nothing can fail");
    assert_eq!(digest, Sha256Digest::of(bytes));

    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match parse(text) {
        Ok(checksums) => {
            let written = checksums.to_string();
            assert_eq!(parse(&written).as_ref(), Ok(&checksums), "{written}");
            for (name, digest) in checksums.iter() {
                assert_eq!(checksums.get(name), Some(digest));
            }
        }
        Err(error) => assert!((1..=text.split('\n').count()).contains(&error.line)),
    }
});
