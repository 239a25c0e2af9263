//! The demo's `stepback.toml`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::error::{DemoError, doing};
use crate::cli::{DemoArgs, DemoLayout};

/// Writes the settings; secrets go into files of their own that only their owner may read.
pub(super) fn write(folder: &Path, args: &DemoArgs, chapters: usize) -> Result<(), DemoError> {
    let mut text = String::from(
        "# Written by `stepback demo`. Paths are relative to this file.\n\
         deployment = \"demo\"\n\n\
         [data]\ndir = \"stepback-data\"\n\n\
         [sqlite]\nmetadata = \"metadata.db\"\n",
    );
    let offset = match args.layout {
        DemoLayout::Shared => "utc",
        DemoLayout::PerVersion => "+01:00",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "local_offset = \"{offset}\"\n");
    match &args.qdrant_url {
        Some(url) => {
            let _ = writeln!(text, "[qdrant]\nurl = {}", quoted(url));
            if let Some(rest) = &args.qdrant_rest_url {
                let _ = writeln!(text, "rest_url = {}", quoted(rest));
            }
            if let Some(key) = &args.qdrant_api_key {
                write_secret(&folder.join("qdrant.key"), key)?;
                text.push_str("api_key_file = \"qdrant.key\"\n");
            }
            text.push('\n');
        }
        None => text.push_str("# Without [qdrant] url the embedded vector store is used.\n"),
    }
    match (&args.neo4j_uri, &args.neo4j_password) {
        (Some(uri), Some(password)) => {
            write_secret(&folder.join("neo4j.password"), password)?;
            let _ = writeln!(
                text,
                "[neo4j]\nuri = {}\nuser = {}\npassword_file = \"neo4j.password\"\n",
                quoted(uri),
                quoted(&args.neo4j_user)
            );
        }
        _ => text.push_str("# Without [neo4j] uri the embedded graph is used.\n"),
    }
    text.push_str("\n[embedded]\nvectors = \"vectors.db\"\ngraph = \"graph.db\"\n\n[backups]\ndir = \"backups\"\n");
    text.push_str("\n[verify]\nevery = \"6h\"\ntrial_restore_every = \"7d\"\n\n[retention]\nway_back = \"14d\"\n");
    // The registry's rows need not tell it in the per-version layout.
    let _ = writeln!(text, "\n[validation]\nexpected_chapters = {chapters}");
    let path = folder.join("stepback.toml");
    fs::write(&path, text).map_err(doing(format!("writing {}", path.display())))
}

/// JSON's strings are TOML's basic strings.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_secret(path: &Path, secret: &str) -> Result<(), DemoError> {
    let failed = || doing(format!("writing {}", path.display()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed())?;
    writeln!(file, "{secret}").map_err(failed())
}
