//! Page files compressed once, at the best level, rather than with every answer.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use crate::{
    failure::{FileContext, Outcome, say},
    fingerprint::files,
};

/// Smaller files than this gain nothing.
const WORTHWHILE: usize = 1024;

/// Writes `<file>.br` and `<file>.gz` beside every file that gets smaller by it.
pub fn beside(folder: &Path) -> Outcome {
    say("compressing the page files");
    for file in files(folder)? {
        if !is_text_or_wasm(&file) {
            continue;
        }
        let content = fs::read(&file).file("read", &file)?;
        if content.len() < WORTHWHILE {
            continue;
        }
        for (extension, packed) in [("br", brotli(&content)), ("gz", gzip(&content))] {
            let packed = packed.file("compress", &file)?;
            let mut name = file.clone().into_os_string();
            name.push(format!(".{extension}"));
            fs::write(&name, packed).file("write", Path::new(&name))?;
        }
    }
    Ok(())
}

fn is_text_or_wasm(file: &Path) -> bool {
    file.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| matches!(extension, "css" | "js" | "wasm" | "svg" | "txt" | "webmanifest"))
}

/// Brotli at its best level.
pub fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    // One large block for the whole file: a hundredth smaller than with the encoder's own choice.
    let best = ::brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        lgblock: 21,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    ::brotli::BrotliCompress(&mut &content[..], &mut packed, &best)?;
    Ok(packed)
}

/// gzip at its best level, without a time stamp.
pub fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let text = "a { color: red }\n".repeat(200);
        fs::write(folder.path().join("a.css"), &text).unwrap();
        fs::write(folder.path().join("small.css"), "a{}").unwrap();
        fs::write(folder.path().join("picture.png"), &text).unwrap();
        beside(folder.path()).unwrap();

        let mut plain = String::new();
        let packed = fs::read(folder.path().join("a.css.br")).unwrap();
        ::brotli::Decompressor::new(&packed[..], 4096).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text);
        plain.clear();
        let packed = fs::read(folder.path().join("a.css.gz")).unwrap();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing beside small files and pictures");
    }
}
