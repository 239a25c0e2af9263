//! Speed and memory of reading large files, as the numbers in the documentation were measured:
//!
//! ```sh
//! cargo build --release -p backup-formats --example measure
//! target/release/examples/measure generate 1000 /tmp/export.cypher   # megabytes, file
//! target/release/examples/measure parse /tmp/export.cypher
//! target/release/examples/measure sha256 /tmp/export.cypher          # beside: openssl dgst -sha256
//! ```

// The figures are this program's output.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use backup_formats::checksums::sha256_reader;
use backup_formats::cypher_export::{
    CypherValue, ExportNode, ExportReader, ExportRelationship, ExportWriter, UniqueKey, summarize_content,
};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let started = Instant::now();
    let (what, bytes) = match args.as_slice() {
        ["generate", megabytes, path] => ("written", generate(megabytes.parse::<u64>()? * 1_000_000, path)?),
        // Every value typed, nothing kept: what a restore needs.
        ["items", path] => {
            let mut reader = ExportReader::open(path.as_ref())?;
            while reader.next_item()?.is_some() {}
            ("read as items", reader.bytes_read())
        }
        ["parse", path] => {
            let summary = summarize_content(File::open(path)?, Some("staging"), |_| {})?;
            println!(
                "{}: {} nodes, {} relationships, {} paragraphs",
                summary.form, summary.nodes, summary.relationships, summary.paragraphs.ids.count
            );
            ("parsed and counted", summary.bytes)
        }
        ["sha256", path] => {
            let mut bytes = 0;
            println!("{}  {path}", sha256_reader(File::open(path)?, |done| bytes = done)?);
            ("hashed", bytes)
        }
        _ => return Err("usage: measure generate MEGABYTES FILE | items FILE | parse FILE | sha256 FILE".into()),
    };
    let seconds = started.elapsed().as_secs_f64();
    let megabytes = bytes as f64 / 1e6;
    println!("{what}: {megabytes:.0} MB in {seconds:.2} s, {:.0} MB/s; {}", megabytes / seconds, peak_memory()?);
    Ok(())
}

/// The kernel's own word for the most memory this process ever had resident.
fn peak_memory() -> io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    Ok(status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_owned())
}

/// A graph in the proportions of a real deployment: for each paragraph two other nodes and three relationships.
fn generate(bytes: u64, path: &str) -> Result<u64, Box<dyn Error>> {
    let schema = ["CREATE CONSTRAINT c FOR (node:Paragraph) REQUIRE (node.chunk_id) IS UNIQUE".to_owned()];
    let key = UniqueKey { label: "Paragraph".into(), property: "chunk_id".into() };
    let out = Counted { inner: BufWriter::new(File::create(path)?), bytes: 0 };
    let mut writer = ExportWriter::new(out, &schema, vec![key])?;
    // A paragraph with all that belongs to it takes about this much.
    let paragraphs = i64::try_from(bytes / 1_330)?;
    let chunk_id = |n: i64| format!("bailey:ch{}:{}.{}.{}", n / 400, n / 100 % 4 + 1, n / 10 % 10 + 1, n % 10 + 1);
    let unique = |n: i64| format!("{}#{n}", chunk_id(n));
    for n in 0..paragraphs {
        let text = "The \"reactive\" haemorrhage occurs within 24 hours, as the blood pressure rises; it is managed by \
                    replacing blood\nand, where needed, by returning the patient to theatre (see Fig. 2.1) – a slipped ligature. ";
        let properties = BTreeMap::from([
            ("chunk_id".to_owned(), CypherValue::from(unique(n))),
            ("text".to_owned(), text.repeat(1 + (n % 4) as usize).into()),
            ("number".to_owned(), format!("{}.{}", n / 10 % 10 + 1, n % 10 + 1).into()),
            ("page".to_owned(), (n % 1500).into()),
            ("bounds".to_owned(), CypherValue::List(vec![72.5.into(), 144.25.into(), 523.0.into(), 188.125.into()])),
            ("cross_references".to_owned(), "[{\"type\": \"figure\", \"id\": \"fig2.1\"}]".into()),
        ]);
        writer.node(&ExportNode { id: n, labels: vec!["Paragraph".into()], properties })?;
    }
    for n in 0..2 * paragraphs {
        let properties = BTreeMap::from([
            ("paragraph_id".to_owned(), CypherValue::from(unique(n / 2))),
            ("caption".to_owned(), format!("Figure {n}").into()),
        ]);
        let node = ExportNode { id: paragraphs + n, labels: vec!["Figure".into()], properties };
        writer.node(&node)?;
    }
    for (rel_type, offset) in [("NEXT", 0), ("PREV", 1)] {
        for n in 0..paragraphs - 1 {
            let (start, end) = (n + offset, n + 1 - offset);
            let properties = BTreeMap::new();
            writer.relationship(&ExportRelationship { start, end, rel_type: rel_type.to_owned(), properties })?;
        }
    }
    for n in 0..paragraphs {
        let properties = BTreeMap::new();
        let rel_type = "CONTAINS_FIGURE".to_owned();
        writer.relationship(&ExportRelationship { start: n, end: paragraphs + n, rel_type, properties })?;
    }
    let (out, _) = writer.finish()?;
    Ok(out.bytes)
}

struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buf)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
