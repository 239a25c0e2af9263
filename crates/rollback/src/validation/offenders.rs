//! Where the ids go that offend: a few into the report, all of them into a list.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use rollback_types::{OffenderKind, Offenders};

/// The most ids of a kind that a report shows.
const MAX_SAMPLES: usize = 20;

/// The most characters of an id that a report shows.
const MAX_SAMPLE_CHARS: usize = 200;

/// Takes lists of ids, one for each kind, several at the same time.
pub trait OffenderSink: Send + Sync + fmt::Debug {
    /// A list begins. It is called only when there is something to put into it.
    ///
    /// # Errors
    /// The list cannot be begun; the report says so.
    fn begin(&self, kind: OffenderKind) -> io::Result<Box<dyn OffenderList>>;
}

/// One list.
pub trait OffenderList: Send {
    /// One more.
    ///
    /// # Errors
    /// It cannot be kept; the list ends here, and the report says so.
    fn id(&mut self, id: &str) -> io::Result<()>;

    /// That was all.
    ///
    /// # Errors
    /// Something of it may be missing; the report says so.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Keeps no lists: the samples in the report are all there is.
#[derive(Clone, Copy, Debug)]
pub struct NoSink;

impl OffenderSink for NoSink {
    fn begin(&self, _kind: OffenderKind) -> io::Result<Box<dyn OffenderList>> {
        Ok(Box::new(Self))
    }
}

impl OffenderList for NoSink {
    fn id(&mut self, _id: &str) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// Writes each list into a file named [`OffenderKind::file_name`], one id a line, control characters escaped. Files that
/// an earlier validation left in the folder stay: give each validation its own.
#[derive(Clone, Debug)]
pub struct FolderSink(PathBuf);

impl FolderSink {
    /// The folder is made when the first list begins.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }
}

impl OffenderSink for FolderSink {
    fn begin(&self, kind: OffenderKind) -> io::Result<Box<dyn OffenderList>> {
        std::fs::create_dir_all(&self.0)?;
        // Ids are short and the buffer is large: writing blocks rarely, and then not for long.
        let file = File::create(self.0.join(kind.file_name()))?;
        Ok(Box::new(FileList(BufWriter::with_capacity(1 << 16, file))))
    }
}

struct FileList(BufWriter<File>);

impl OffenderList for FileList {
    fn id(&mut self, id: &str) -> io::Result<()> {
        writeln!(self.0, "{}", on_one_line(id))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}

/// Counts the offenders of a kind, keeps samples, and passes all of them on.
pub(super) struct Collector<'a> {
    sink: &'a dyn OffenderSink,
    kind: OffenderKind,
    count: u64,
    samples: Vec<String>,
    list: Option<Box<dyn OffenderList>>,
    error: Option<String>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(sink: &'a dyn OffenderSink, kind: OffenderKind) -> Self {
        Self { sink, kind, count: 0, samples: Vec::new(), list: None, error: None }
    }

    pub(super) fn add(&mut self, id: &str) {
        self.count += 1;
        if self.samples.len() < MAX_SAMPLES {
            self.samples.push(sample(id));
        }
        if self.error.is_none()
            && let Err(e) = self.pass_on(id)
        {
            self.list = None;
            self.error = Some(e.to_string());
        }
    }

    /// `None` when there was none.
    pub(super) fn finish(mut self) -> Option<Offenders> {
        if let Some(list) = self.list.take()
            && let Err(e) = list.finish()
        {
            self.error = Some(e.to_string());
        }
        let list_error = self.error.map(|e| {
            format!(
                "The list of all of them is not whole: {e}. The count and the samples are right. Free the disk, \
                     or see to its rights, and validate again."
            )
        });
        (self.count > 0).then_some(Offenders { kind: self.kind, count: self.count, samples: self.samples, list_error })
    }

    fn pass_on(&mut self, id: &str) -> io::Result<()> {
        if self.list.is_none() {
            self.list = Some(self.sink.begin(self.kind)?);
        }
        self.list.as_mut().map_or(Ok(()), |list| list.id(id))
    }
}

/// An id as a report shows it.
pub(super) fn sample(id: &str) -> String {
    let mut chars = id.chars();
    let mut shown = on_one_line(&chars.by_ref().take(MAX_SAMPLE_CHARS).collect::<String>());
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

fn on_one_line(id: &str) -> String {
    let mut line = String::with_capacity(id.len());
    for c in id.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_go_into_the_file_and_twenty_into_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let sink = FolderSink::new(folder.path().join("not/yet/there"));
        let mut ids: Vec<String> = (0..1_000).map(|i| format!("bailey:ch1:{i}")).collect();
        ids[3] = "two\nlines\u{1b}[31m".into();
        ids[4] = "ü".repeat(10_000);
        let mut collector = Collector::new(&sink, OffenderKind::MissingInNeo4j);
        for id in &ids {
            collector.add(id);
        }
        let offenders = collector.finish().unwrap();
        assert_eq!((offenders.count, offenders.samples.len(), offenders.list_error), (1_000, 20, None));
        assert_eq!(offenders.samples[3], "two\\nlines\\u{1b}[31m");
        assert_eq!(offenders.samples[4].chars().count(), 201);
        let file = folder.path().join("not/yet/there/check-4-missing-in-neo4j.txt");
        let lines: Vec<String> = std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 1_000, "one line an id");
        assert_eq!(lines[4], ids[4], "whole in the list");
        assert_eq!(lines[999], "bailey:ch1:999");
    }

    #[test]
    fn nobody_offends_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let sink = FolderSink::new(folder.path().join("lists"));
        assert_eq!(Collector::new(&sink, OffenderKind::Orphans).finish(), None);
        assert!(!folder.path().join("lists").exists());
    }

    #[test]
    fn a_list_that_cannot_be_written_is_told_and_counting_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("file");
        std::fs::write(&taken, "").unwrap();
        let sink = FolderSink::new(taken.join("lists"));
        let mut collector = Collector::new(&sink, OffenderKind::Orphans);
        for id in ["a", "b", "c"] {
            collector.add(id);
        }
        let offenders = collector.finish().unwrap();
        assert_eq!((offenders.count, offenders.samples.len()), (3, 3));
        assert!(offenders.list_error.unwrap().contains("not whole"));
    }
}
