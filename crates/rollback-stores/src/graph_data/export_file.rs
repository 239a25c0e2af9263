//! Writing an export into a file, in a thread of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use backup_formats::cypher_export::{ExportNode, ExportRelationship, ExportWriteError, ExportWriter, UniqueKey};
use rollback::store::{CopyTaken, Fault, StoreError};
use rollback_types::{Inventory, StoreKind};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{inventory_name, is_safety_backup_label};

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
pub enum ExportFileError {
    /// The graph could not be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The file could not be written.
    #[error("{path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong, and what to do.
        source: ExportWriteError,
    },
    /// The writing task ended early.
    #[error("the graph export was not finished: {0}. The graph was not changed; the unfinished file can be deleted")]
    Interrupted(String),
}

impl ExportFileError {
    /// As a store's error; the place is the file where the file is what is wrong.
    pub(crate) fn into_store_error(self, to: &Path) -> StoreError {
        let fault = match &self {
            Self::Read(error) => return error.clone(),
            Self::Write { source: ExportWriteError::Io(e), .. } => match e.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly,
                io::ErrorKind::NotFound => Fault::Missing,
                io::ErrorKind::AlreadyExists => Fault::Refused,
                _ => Fault::Unexpected,
            },
            Self::Write { .. } | Self::Interrupted(_) => Fault::Unexpected,
        };
        StoreError {
            store: StoreKind::Neo4j,
            endpoint: to.display().to_string(),
            operation: "writing the graph's export".to_owned(),
            fault,
            detail: self.to_string(),
        }
    }
}

/// What is written. Several at a time, because each message has its price.
pub(crate) enum Piece {
    Node(ExportNode),
    Relationship(ExportRelationship),
}

enum Message {
    Pieces(Vec<Piece>),
    /// Everything was sent. Without it the file is taken away again.
    End,
}

/// An export in the making: written beside its place, and put there when it is whole and durable.
pub(crate) struct ExportFile {
    path: PathBuf,
    messages: mpsc::Sender<Message>,
    /// `None` when its outcome was told.
    writing: Option<JoinHandle<Result<Option<CopyTaken>, ExportWriteError>>>,
}

impl ExportFile {
    /// Begins one. `replace`: a file of that name may be there, and goes when the new one is whole.
    pub(crate) fn begin(path: &Path, replace: bool, schema: Vec<String>, unique_keys: Vec<UniqueKey>) -> Self {
        let (messages, received) = mpsc::channel(16);
        let target = path.to_owned();
        let writing = tokio::task::spawn_blocking(move || write(&target, replace, &schema, unique_keys, received));
        Self { path: path.to_owned(), messages, writing: Some(writing) }
    }

    pub(crate) async fn send(&mut self, pieces: Vec<Piece>) -> Result<(), ExportFileError> {
        match self.messages.send(Message::Pieces(pieces)).await {
            Ok(()) => Ok(()),
            // The writer stopped, and says why.
            Err(_) => Err(self.outcome().await.err().unwrap_or_else(|| interrupted("the writer stopped"))),
        }
    }

    pub(crate) async fn finish(mut self) -> Result<CopyTaken, ExportFileError> {
        // When nobody receives it, the outcome is an error.
        let _ = self.messages.send(Message::End).await;
        self.outcome().await?.ok_or_else(|| interrupted("the writer stopped"))
    }

    /// Gives it up; returns when what was written is gone.
    pub(crate) async fn abandon(self) {
        let Self { messages, writing, .. } = self;
        drop(messages);
        if let Some(writing) = writing {
            // It was given up for another error, which is the one to tell.
            let _ = writing.await;
        }
    }

    async fn outcome(&mut self) -> Result<Option<CopyTaken>, ExportFileError> {
        let writing = self.writing.take().ok_or_else(|| interrupted("the writer stopped before"))?;
        let written = writing.await.map_err(|e| interrupted(&e.to_string()))?;
        written.map_err(|source| ExportFileError::Write { path: self.path.clone(), source })
    }
}

fn interrupted(why: &str) -> ExportFileError {
    ExportFileError::Interrupted(why.to_owned())
}

fn write(
    path: &Path,
    replace: bool,
    schema: &[String],
    unique_keys: Vec<UniqueKey>,
    received: mpsc::Receiver<Message>,
) -> Result<Option<CopyTaken>, ExportWriteError> {
    if !replace && path.try_exists()? {
        let detail = "there is a file of that name already, and it was left alone";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, detail).into());
    }
    let part = part_of(path);
    let written = write_part(&part, schema, unique_keys, received).and_then(|written| {
        let Some((bytes, sha256, inventory)) = written else {
            return Ok(None);
        };
        std::fs::rename(&part, path)?;
        // The name must last as well as the content.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(Some(CopyTaken { path: path.to_owned(), bytes, sha256, inventory }))
    });
    if !matches!(written, Ok(Some(_))) {
        // What could not be written whole is of no use to anybody; if it cannot be removed either, its name says so.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// `None`: whoever sent the pieces gave up.
fn write_part(
    part: &Path,
    schema: &[String],
    unique_keys: Vec<UniqueKey>,
    mut received: mpsc::Receiver<Message>,
) -> Result<Option<(u64, String, Inventory)>, ExportWriteError> {
    let file = Hashing { file: File::create(part)?, digest: Sha256::new(), bytes: 0 };
    let mut writer = ExportWriter::new(BufWriter::with_capacity(256 * 1024, file), schema, unique_keys)?;
    let (mut labels, mut types) = (BTreeMap::new(), BTreeMap::new());
    loop {
        let pieces = match received.blocking_recv() {
            Some(Message::Pieces(pieces)) => pieces,
            Some(Message::End) => break,
            None => return Ok(None),
        };
        for piece in pieces {
            match piece {
                Piece::Node(node) => {
                    for label in node.labels.iter().filter(|label| !is_safety_backup_label(label)) {
                        add_one(&mut labels, label);
                    }
                    writer.node(&node)?;
                }
                Piece::Relationship(relationship) => {
                    add_one(&mut types, &relationship.rel_type);
                    writer.relationship(&relationship)?;
                }
            }
        }
    }
    let (buffer, counts) = writer.finish()?;
    let file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.file.sync_all()?;
    let inventory = Inventory {
        name: inventory_name(&[]),
        nodes: Some(counts.nodes),
        relationships: Some(counts.relationships),
        labels,
        types,
        ..Inventory::default()
    };
    Ok(Some((file.bytes, hex::encode(file.digest.finalize()), inventory)))
}

fn add_one(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

/// A file that is hashed on its way to the disk, so that it need not be read again.
struct Hashing {
    file: File,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.digest.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
