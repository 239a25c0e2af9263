//! Any bytes as a snapshot, headers of archives made right so that they are believed: the same however they are read, and
//! an embedded snapshot survives being written.

#![no_main]

use std::path::Path;

use backup_formats::qdrant_snapshot::{PointCount, inspect, read_embedded_points, write_embedded_snapshot};
use libfuzzer_sys::fuzz_target;
use stepback_fuzz::trickle::Trickle;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut believed = bytes.to_vec();
    for header in believed.chunks_exact_mut(512).filter(|block| block[257..].starts_with(b"ustar")) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    if believed != bytes {
        check(&believed);
    }
});

fn check(bytes: &[u8]) {
    let told = inspect(bytes, |_| {});
    // Slow, so it is left to the smaller inputs.
    if bytes.len() < 8 * 1024 {
        assert_eq!(format!("{told:?}"), format!("{:?}", inspect(Trickle::new(bytes), |_| {})));
    }
    let scratch = scratch();
    let mut points = Vec::new();
    let read = read_embedded_points(bytes, scratch, |point| {
        points.push(point);
        Ok(())
    });
    let (Ok(told), Ok(count)) = (told, read) else {
        return;
    };
    assert_eq!(count, points.len() as u64);
    let dim = points.first().map_or(0, |point| point.vector.len() as u32);
    let mut written = Vec::new();
    let source = points.into_iter().map(Ok);
    // Ids that come twice are refused: then the count differs too.
    if write_embedded_snapshot(&mut written, scratch, dim, source).is_ok() && told.points == PointCount::Exact(count) {
        let again = inspect(&written[..], |_| {}).expect("what was written is whole");
        assert_eq!((again.points, again.ids), (told.points, told.ids));
    }
}

/// In memory where there is such a place: thousands of files are made in a second.
fn scratch() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}
