//! Settings of any text: read or refused by name, never a panic, never a secret told.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use stepback_server::config::{Config, ConfigError, KEYS, Key, Sources};

/// Told nowhere, whatever else is wrong.
const SECRET: &str = "hunter2-and-more";

fn load(dir: &Path, text: &[u8], variables: &[(&str, String)]) -> Result<Config, ConfigError> {
    let file = dir.join("settings.toml");
    fs::write(&file, text).unwrap();
    let environment = variables.iter().map(|(name, value)| ((*name).into(), value.into())).collect();
    Config::load(&Sources {
        file: Some(file),
        without_file: false,
        flags: Vec::new(),
        environment,
        working_dir: dir.to_path_buf(),
    })
}

/// A refusal says what to do, and tells no secret.
fn told(error: &ConfigError) -> String {
    let said = error.to_string();
    assert!(!said.is_empty() && !error.remedy().is_empty());
    assert!(
        !said.contains(SECRET) && !error.remedy().contains(SECRET) && !format!("{error:?}").contains(SECRET),
        "{said}"
    );
    said
}

fn as_toml(key: &Key, value: &str) -> String {
    match key.name.split_once('.') {
        Some((section, name)) => format!("[{section}]\n{name} = {value}\n"),
        None => format!("{} = {value}\n", key.name),
    }
}

/// What stands after `key =`: of every type, right and wrong.
fn value() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        any::<String>(),
        "[a-z+]{0,7}://[a-z0-9.:@\\[\\]/-]{0,20}",
        "[0-9]{0,21}[a-z]{0,3}( [0-9]{1,3}[smhd])?",
        "[0-9.:\\[\\]]{1,20}",
        "[+-]?[0-9]{1,2}:?[0-9]{0,3}",
    ];
    prop_oneof![
        text.prop_map(|text| toml_text(&text)),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:?}")),
        any::<bool>().prop_map(|b| b.to_string()),
        prop::collection::vec("[a-z ,\u{e9}]{0,9}", 0..4).prop_map(|words| format!("{words:?}")),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("{ a = 1 }".to_owned()),
    ]
}

fn toml_text(text: &str) -> String {
    let escaped: String = text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read_or_refused_with_the_files_name(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let dir = tempfile::tempdir().unwrap();
        if let Err(error) = load(dir.path(), &bytes, &[]) {
            prop_assert!(told(&error).contains("settings.toml"));
        }
    }

    #[test]
    fn any_value_of_any_setting_is_taken_or_refused_by_the_settings_name(
        key in prop::sample::select(KEYS.iter().collect::<Vec<_>>()),
        value in value(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        if let Err(error) = load(dir.path(), as_toml(key, &value).as_bytes(), &[]) {
            let said = told(&error);
            prop_assert!(said.contains(key.name), "{}: {said}", key.name);
        }
    }

    #[test]
    fn any_variable_is_taken_or_refused_by_its_name(key in prop::sample::select(KEYS.iter().collect::<Vec<_>>()), value in "[^\\x00]{0,40}") {
        let dir = tempfile::tempdir().unwrap();
        if let Err(error) = load(dir.path(), b"", &[(key.variable, value)]) {
            let said = told(&error);
            prop_assert!(said.contains(key.variable) || said.contains(key.name), "{}: {said}", key.name);
        }
    }

    #[test]
    fn a_damaged_file_tells_no_secret(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "deployment = \"d\"\n[qdrant]\nurl = \"http://h:6334\"\napi_key = \"{SECRET}\"\n[neo4j]\nuri = \"bolt://h:7687\"\n\
             password = \"{SECRET}\"\n[search]\ncommand = [\"look\", \"--key={SECRET}\"]\n"
        );
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        match load(dir.path(), &bytes, &[]) {
            Ok(config) => assert!(!format!("{config:?}").contains(SECRET)),
            Err(error) => drop(told(&error)),
        }
    }
}
