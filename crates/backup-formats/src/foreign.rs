//! Telling by its first bytes that a file is something else altogether, so that a person is told that and not a parser's complaint.

/// As much of a file's beginning as [`ForeignKind::of`] wants to see.
pub const HEAD: usize = 512;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKind {
    /// Compressed, and by what.
    Compressed(&'static str),
    /// Text of two bytes a character.
    Utf16,
    /// A tar archive, as a vector store's snapshot is.
    Tar,
    /// An SQLite database.
    Sqlite,
}

impl ForeignKind {
    /// Of a file that begins like this; `None` when nothing is known about it.
    pub fn of(head: &[u8]) -> Option<Self> {
        const COMPRESSED: [(&[u8], &str); 6] = [
            (b"\x1f\x8b", "gzip"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"\xfd7zXZ\0", "xz"),
            (b"BZh", "bzip2"),
            (b"\x04\x22\x4d\x18", "lz4"),
            (b"PK\x03\x04", "zip"),
        ];
        if let Some((_, name)) = COMPRESSED.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(Self::Compressed(name));
        }
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Some(Self::Utf16);
        }
        if head.starts_with(b"SQLite format 3\0") {
            return Some(Self::Sqlite);
        }
        (head.get(257..262) == Some(b"ustar")).then_some(Self::Tar)
    }

    /// In words, with what to do where that is known.
    pub fn said(self) -> String {
        match self {
            Self::Compressed(by) => format!("it is compressed by {by}: unpack it, and write its checksum anew"),
            Self::Utf16 => {
                "it is text in UTF-16: a tool has converted it; it must be UTF-8, as it was written".to_owned()
            }
            Self::Tar => "it is a tar archive, as a snapshot of vectors is".to_owned(),
            Self::Sqlite => "it is an SQLite database".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_something_else_is_named() {
        let mut tar = vec![0; HEAD];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, kind) in [
            (&b"\x1f\x8b\x08\0"[..], Some(ForeignKind::Compressed("gzip"))),
            (b"\xff\xfe:\0b\0", Some(ForeignKind::Utf16)),
            (b"SQLite format 3\0\x10", Some(ForeignKind::Sqlite)),
            (&tar, Some(ForeignKind::Tar)),
            (b":begin\nCREATE", None),
            (b"\xef\xbb\xbf:begin", None),
            (b"", None),
        ] {
            assert_eq!(ForeignKind::of(head), kind, "{head:?}");
        }
    }
}
