//! Any bytes as `stepback.toml`: read, or refused with the place and what to do; the second time as the first.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stepback_server::config::{Config, Sources};

/// A folder of this process's own: the file is read from the disk, as the program reads it.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("stepback-fuzz-configuration-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let file = FOLDER.join("stepback.toml");
    std::fs::write(&file, bytes).expect("the file can be written");
    let sources = Sources { file: Some(file), working_dir: FOLDER.clone(), ..Sources::default() };
    let told = || match Config::load(&sources) {
        Ok(config) => format!("{config:?}"),
        Err(error) => {
            let (said, remedy) = (error.to_string(), error.remedy());
            assert!(!said.is_empty() && !remedy.is_empty(), "{error:?}");
            format!("{said}\n{remedy}")
        }
    };
    assert_eq!(told(), told());
});
