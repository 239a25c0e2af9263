//! The files a HybridFlow backup is made of, read and written as pure code.
//!
//! Everything here works on [`std::io::Read`] and [`std::io::Write`], blocks, and keeps memory
//! bounded whatever the file says about itself. Nothing here talks to a server: a file can be judged
//! before anything that it would replace is touched.
//!
//! - [`checksums`]: `checksums.txt`, and SHA-256 of a stream;
//! - [`cypher_export`]: the graph's export in APOC's cypher-shell form, read, summarised and written;
//! - [`qdrant_snapshot`]: a collection's snapshot, checked offline, and the embedded store's own.

pub mod checksums;
pub mod cypher_export;
mod progress;
pub mod qdrant_snapshot;
