//! The files a HybridFlow backup is made of, read and written as pure code.
//!
//! Everything here works on [`std::io::Read`] and [`std::io::Write`], blocks, and keeps memory
//! bounded whatever the file says about itself. Nothing here talks to a server: a file can be judged
//! before anything that it would replace is touched.
//!
//! - [`checksums`]: `checksums.txt`, and SHA-256 of a stream;
//! - [`cypher_export`]: the graph's export in APOC's cypher-shell form, read, summarised and written;
//! - [`foreign`]: what a file is that is none of these;
//! - [`qdrant_snapshot`]: a collection's snapshot, checked offline, and the embedded store's own.
//!
//! Reading a file proves its structure, not each of its bytes: every cut is seen, but a flipped bit in a
//! text of the graph, in a vector or in a payload leaves a whole file with the right counts. Of random
//! flips about two in five are refused by the export's reader and a third by the snapshot's; the rest
//! only a recorded checksum sees, and it sees all of them (`tests/damage.rs`, which prints the counts).
//!
//! Measured in a release build on a 1 GB export (`examples/measure.rs`): under 3 MB resident for reading
//! every value and for hashing; hashing as fast as `openssl dgst -sha256`.

pub mod checksums;
pub mod cypher_export;
pub mod foreign;
mod progress;
pub mod qdrant_snapshot;
