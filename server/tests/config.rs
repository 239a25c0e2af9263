//! Settings: which source counts, and what is refused with which words.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use stepback_server::config::{Config, ConfigError, KEYS, LayoutChoice, LocalOffset, OTHER_VARIABLES, Sources};

/// Sources with nothing in them, in a folder of their own.
fn sources(dir: &Path) -> Sources {
    Sources {
        file: None,
        without_file: false,
        flags: Vec::new(),
        environment: BTreeMap::new(),
        working_dir: dir.to_path_buf(),
    }
}

fn with_file(dir: &Path, text: &str) -> Sources {
    let file = dir.join("settings.toml");
    fs::write(&file, text).unwrap();
    Sources { file: Some(file), ..sources(dir) }
}

fn with_variables(dir: &Path, variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))).collect();
    Sources { environment, ..sources(dir) }
}

fn refusal(sources: &Sources) -> String {
    let error = Config::load(sources).unwrap_err();
    assert!(!error.remedy().is_empty());
    error.to_string()
}

#[test]
fn without_anything_the_defaults_hold() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::load(&sources(dir.path())).unwrap();
    assert_eq!(config.file, None);
    assert_eq!(config.deployment, "hybridflow");
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.sqlite.metadata, dir.path().join("metadata.db"));
    assert_eq!(config.sqlite.local_offset, LocalOffset::Local);
    assert_eq!(config.embedded.vectors, dir.path().join("vectors.db"));
    assert_eq!(config.embedded.graph, dir.path().join("graph.db"));
    assert_eq!(config.journal(), dir.path().join("stepback-data/journal.db"));
    assert_eq!(config.latest_copy(), dir.path().join("backups/latest-copy"));
    assert_eq!((config.qdrant.url, config.qdrant.rest_url, config.neo4j.uri), (None, None, None));
    assert_eq!(config.qdrant.collection, "textbook_chunks");
    assert_eq!(config.qdrant.alias, "textbook_chunks_latest");
    assert_eq!(config.rollback.batch_size, 5_000);
    assert_eq!(config.rollback.min_free_bytes, 500_000_000);
    assert_eq!(config.rollback.layout, LayoutChoice::Auto);
    assert!(config.rollback.keep_evidence && config.rollback.extra_states.is_empty());
    assert_eq!((config.verify.every, config.verify.trial_restore_every), (Some(6 * HOUR), Some(7 * 24 * HOUR)));
    assert_eq!(config.keep_way_back, 14 * 24 * HOUR);
    assert_eq!((config.search, config.expected_chapters), (None, None));
    assert_eq!((config.session.idle, config.session.absolute), (HOUR / 2, 12 * HOUR));
    let serving = config.serving;
    assert_eq!((serving.max_connections, serving.max_connections_per_address), (1024, 256), "a quarter of all");
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn times_are_written_as_people_write_them() {
    let dir = tempfile::tempdir().unwrap();
    for (text, time) in [
        ("6h", Some(6 * HOUR)),
        ("90 minutes", Some(HOUR * 3 / 2)),
        ("1h 30m", Some(HOUR * 3 / 2)),
        ("7d", Some(7 * 24 * HOUR)),
        ("2w", Some(14 * 24 * HOUR)),
        ("off", None),
    ] {
        let text = format!("[verify]\nevery = {text:?}\ntrial_restore_every = {text:?}\n");
        let verify = Config::load(&with_file(dir.path(), &text)).unwrap().verify;
        assert_eq!((verify.every, verify.trial_restore_every), (time, time), "{text}");
    }
    let config = Config::load(&with_variables(dir.path(), &[("STEPBACK_RETENTION_WAY_BACK", "36h")])).unwrap();
    assert_eq!(config.keep_way_back, 36 * HOUR);
}

#[test]
fn the_search_command_is_taken_word_for_word_and_its_arguments_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut sources =
        with_file(dir.path(), "[search]\ncommand = [\"/bin/look\", \" --key=hunter2, \", \"\"]\nlimit = \"2m\"\n");
    let search = Config::load(&sources).unwrap().search.unwrap();
    assert_eq!(search.argv, ["/bin/look", " --key=hunter2, ", ""]);
    assert_eq!(search.limit, Duration::from_secs(120));
    assert!(!format!("{search:?}").contains("hunter2"));
    sources.environment.insert("STEPBACK_SEARCH_COMMAND".into(), "[\"other\", \"a,b\"]".into());
    assert_eq!(Config::load(&sources).unwrap().search.unwrap().argv, ["other", "a,b"]);

    for wrong in ["\"/bin/look hunter2\"", "[]", "[\"\", \"hunter2\"]", "[\"x\", 2]", "[\"hunter2\\u0000\"]"] {
        let message = refusal(&with_file(dir.path(), &format!("[search]\ncommand = {wrong}\n")));
        assert!(message.contains("search.command") && message.contains("allowed: "), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn flags_come_before_variables_before_the_file_before_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let mut sources = with_file(dir.path(), "deployment = \"file\"\n[server]\nlisten = \"127.0.0.1:1\"\n");
    let load = |sources: &Sources| {
        let config = Config::load(sources).unwrap();
        (config.deployment, config.listen.port())
    };
    assert_eq!(load(&sources), ("file".to_owned(), 1));
    sources.environment.insert("STEPBACK_LISTEN".into(), "127.0.0.1:2".into());
    assert_eq!(load(&sources), ("file".to_owned(), 2));
    sources.flags.push(("server.listen", "--listen", "[::1]:3".to_owned()));
    assert_eq!(load(&sources), ("file".to_owned(), 3));
    // An empty variable is as good as none.
    sources.environment.insert("STEPBACK_DEPLOYMENT".into(), "".into());
    assert_eq!(load(&sources).0, "file");
}

#[test]
fn the_file_is_found_by_flag_by_variable_and_in_the_working_folder() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stepback.toml"), "deployment = \"here\"").unwrap();
    fs::write(dir.path().join("other.toml"), "deployment = \"other\"").unwrap();
    let mut sources = sources(dir.path());
    assert_eq!(Config::load(&sources).unwrap().deployment, "here");
    sources.environment.insert("STEPBACK_CONFIG".into(), "other.toml".into());
    assert_eq!(Config::load(&sources).unwrap().deployment, "other");
    sources.file = Some("missing.toml".into());
    assert!(refusal(&sources).contains("missing.toml could not be read"));
}

#[test]
fn paths_start_at_the_file_or_at_the_working_folder() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut sources = with_file(dir.path(), "[sqlite]\nmetadata = \"db/m.db\"\n[backups]\ndir = \"/srv/backups\"\n");
    sources.working_dir = elsewhere.path().to_path_buf();
    sources.environment.insert("STEPBACK_DATA_DIR".into(), "data".into());
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.sqlite.metadata, dir.path().join("db/m.db"));
    assert_eq!(config.backups_dir, Path::new("/srv/backups"));
    assert_eq!(config.data_dir, elsewhere.path().join("data"));
    // Defaults lie beside the file.
    assert_eq!(config.embedded.graph, dir.path().join("graph.db"));
}

#[test]
fn every_setting_of_the_file_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::load(&with_file(
        dir.path(),
        r#"
        [sqlite]
        busy_timeout_ms = 700
        local_offset = "-05:30"
        [qdrant]
        url = "http://q.example:6334/"
        api_key = "k"
        collection = "c"
        alias = "a"
        connect_timeout_ms = 1
        request_timeout_ms = 2
        long_timeout_ms = 3
        [neo4j]
        uri = "neo4j+s://n.example"
        user = "u"
        password = "p"
        database = "d"
        connect_timeout_ms = 4
        request_timeout_ms = 5
        long_timeout_ms = 6
        [rollback]
        extra_states = ["quarantined", "parked"]
        keep_evidence = false
        batch_size = 10
        min_free_bytes = "2 GiB"
        layout = "per-version"
        "#,
    ))
    .unwrap();
    let ms = Duration::from_millis;
    assert_eq!(config.sqlite.busy_timeout, ms(700));
    assert_eq!(config.sqlite.local_offset, LocalOffset::Seconds(-19_800));
    assert_eq!(config.qdrant.url.as_deref(), Some("http://q.example:6334"));
    assert_eq!(config.qdrant.rest_url.as_deref(), Some("http://q.example:6333"));
    assert_eq!((config.qdrant.collection.as_str(), config.qdrant.alias.as_str()), ("c", "a"));
    assert_eq!(
        [config.qdrant.connect_timeout, config.qdrant.request_timeout, config.qdrant.long_timeout],
        [ms(1), ms(2), ms(3)]
    );
    assert_eq!(config.neo4j.uri.as_deref(), Some("neo4j+s://n.example"));
    assert_eq!((config.neo4j.user.as_str(), config.neo4j.database.as_deref()), ("u", Some("d")));
    assert_eq!(
        [config.neo4j.connect_timeout, config.neo4j.request_timeout, config.neo4j.long_timeout],
        [ms(4), ms(5), ms(6)]
    );
    assert_eq!(config.qdrant.api_key.unwrap().expose(), "k");
    assert_eq!(config.neo4j.password.unwrap().expose(), "p");
    assert_eq!(config.rollback.extra_states, ["quarantined", "parked"]);
    assert!(!config.rollback.keep_evidence);
    assert_eq!(config.rollback.batch_size, 10);
    assert_eq!(config.rollback.min_free_bytes, 2 << 30);
    assert_eq!(config.rollback.layout, LayoutChoice::PerVersion);
}

#[test]
fn every_setting_can_come_from_its_variable() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret"), "from-file\n").unwrap();
    for key in KEYS {
        let value = match key.name {
            "server.listen" => "localhost:9",
            "sqlite.local_offset" => "+02:00",
            "qdrant.url" | "qdrant.rest_url" | "server.public_url" => "http://h:1",
            "server.trusted_proxy" => "10.0.0.5, ::1",
            "neo4j.uri" => "bolt://h:1",
            "rollback.extra_states" => "a, b",
            "rollback.keep_evidence" => "false",
            "rollback.layout" => "shared",
            "search.command" => "[\"look\"]",
            name if name.starts_with("verify.")
                || name.starts_with("session.")
                || name == "retention.way_back"
                || name == "search.limit" =>
            {
                "50m"
            }
            "validation.expected_chapters" => "77",
            "approval.required" => "2",
            "oidc.roles" => "ops=operator, all=viewer",
            name if name.ends_with("_file") => "secret",
            name if name.starts_with("server.max_") => "77",
            name if name.ends_with("_ms") || name.ends_with("size") || name.ends_with("bytes") => "77",
            _ => "text",
        };
        // A limit alone has nothing to limit, and a certificate is nothing without its key.
        let start: &[(&str, &str)] = match key.name {
            "search.limit" => &[("STEPBACK_SEARCH_COMMAND", "[\"x\"]")],
            name if name.starts_with("oidc.") => &[
                ("STEPBACK_PUBLIC_URL", "https://h"),
                ("STEPBACK_OIDC_ISSUER", "https://id"),
                ("STEPBACK_OIDC_CLIENT_ID", "c"),
                ("STEPBACK_OIDC_ROLES", "ops=viewer"),
            ],
            "server.tls_cert" | "server.tls_key" => &[("STEPBACK_TLS_CERT", "c"), ("STEPBACK_TLS_KEY", "k")],
            _ => &[],
        };
        let start = with_variables(dir.path(), start);
        let before = format!("{:?}", Config::load(&start).unwrap());
        let mut set = start;
        set.environment.insert(key.variable.into(), value.into());
        let after = format!("{:?}", Config::load(&set).unwrap());
        assert_ne!(before, after, "{} changes nothing", key.variable);
    }
}

#[test]
fn unknown_keys_are_refused_with_the_file_and_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    for (text, key, allowed) in [
        ("[qdrant]\nurll = \"http://h\"", "qdrant.urll", "qdrant.url, qdrant.rest_url"),
        ("[quadrant]\nurl = \"http://h\"", "quadrant", "[qdrant], [neo4j]"),
        ("listen = \"127.0.0.1:1\"", "listen", "deployment, [server]"),
        ("qdrant = 3", "qdrant", "[qdrant]"),
    ] {
        let message = refusal(&with_file(dir.path(), text));
        assert!(message.contains("settings.toml"), "{message}");
        assert!(message.contains(&format!("{key:?}")) && message.contains(allowed), "{message}");
    }
    let message = refusal(&with_variables(dir.path(), &[("STEPBACK_QDRANT_URI", "x")]));
    assert!(
        message.contains("STEPBACK_QDRANT_URI is no setting") && message.contains("STEPBACK_QDRANT_URL"),
        "{message}"
    );
    // Others' variables, the tests' own and the three that are no settings pass.
    let mut pass = vec![("PATH", "/bin"), ("STEPBACKX", "1"), ("STEPBACK_TEST_NEO4J_URI", "x")];
    pass.extend(OTHER_VARIABLES.iter().filter(|v| **v != "STEPBACK_CONFIG").map(|v| (*v, "x")));
    Config::load(&with_variables(dir.path(), &pass)).unwrap();
}

#[test]
fn wrong_values_are_refused_with_key_value_and_what_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    for (section, key, value) in [
        ("server", "listen", "\"nowhere\""),
        ("server", "listen", "3000"),
        ("sqlite", "busy_timeout_ms", "0"),
        ("sqlite", "busy_timeout_ms", "\"5000\""),
        ("sqlite", "busy_timeout_ms", "-1"),
        ("sqlite", "local_offset", "\"+1\""),
        ("sqlite", "local_offset", "\"+15:00\""),
        ("sqlite", "metadata", "\"\""),
        ("qdrant", "url", "\"localhost:6334\""),
        ("qdrant", "url", "\"http://\""),
        ("qdrant", "url", "\"http://h:99999\""),
        ("qdrant", "url", "\"http://h/path\""),
        ("neo4j", "uri", "\"http://h\""),
        ("rollback", "layout", "\"both\""),
        ("rollback", "batch_size", "100001"),
        ("rollback", "keep_evidence", "\"yes\""),
        ("rollback", "extra_states", "\"a\""),
        ("rollback", "extra_states", "[1]"),
        ("rollback", "min_free_bytes", "\"5 apples\""),
        ("rollback", "min_free_bytes", "-5"),
        ("verify", "every", "6"),
        ("verify", "every", "\"6\""),
        ("verify", "every", "\"-6h\""),
        ("verify", "every", "\"59s\""),
        ("verify", "every", "\"never\""),
        ("verify", "trial_restore_every", "\"1 month\""),
        ("verify", "trial_restore_every", "\"11y\""),
        ("retention", "way_back", "\"off\""),
        ("retention", "way_back", "\"0d\""),
        ("search", "limit", "\"0s\""),
        ("search", "limit", "\"61m\""),
        ("validation", "expected_chapters", "0"),
        ("validation", "expected_chapters", "\"220\""),
    ] {
        let error = Config::load(&with_file(dir.path(), &format!("[{section}]\n{key} = {value}\n"))).unwrap_err();
        assert!(matches!(error, ConfigError::WrongValue { .. }), "{section}.{key} = {value}: {error}");
        let message = error.to_string();
        let names = [format!("{section}.{key}"), value.to_owned(), "allowed: ".to_owned(), "settings.toml".to_owned()];
        assert!(names.iter().all(|part| message.contains(part)), "{message}");
    }
    let message = refusal(&with_file(dir.path(), "deployment = \"x\"\n[sqlite\n"));
    assert!(message.contains("line 2"), "{message}");
}

#[test]
fn beyond_loopback_passwords_do_not_travel_readably() {
    let dir = tempfile::tempdir().unwrap();
    for listen in ["0.0.0.0:3000", "192.168.1.5:80", "[::]:3000"] {
        let mut sources = sources(dir.path());
        sources.flags.push(("server.listen", "--listen", listen.to_owned()));
        let message = refusal(&sources);
        assert!(message.contains("--listen") && message.contains(listen), "{message}");
        assert!(message.contains("tls_cert") && message.contains("trusted_proxy"), "{message}");
        for protection in [&[("tls_cert", "c.pem"), ("tls_key", "k.pem")][..], &[("trusted_proxy", "10.0.0.5")]] {
            let mut sources = sources.clone();
            for (key, value) in protection {
                let key = KEYS.iter().find(|k| k.name == format!("server.{key}")).unwrap();
                sources.environment.insert(key.variable.into(), (*value).into());
            }
            assert_eq!(Config::load(&sources).unwrap().listen.to_string(), listen);
        }
    }
}

#[test]
fn a_certificate_and_its_key_come_together() {
    let dir = tempfile::tempdir().unwrap();
    for (given, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] {
        let message = refusal(&with_file(dir.path(), &format!("[server]\n{given} = \"x.pem\"\n")));
        assert!(message.contains(&format!("server.{missing} is not set")), "{message}");
    }
    let message = refusal(&with_file(dir.path(), "[server]\ntrusted_proxy = [\"proxy.example\"]\n"));
    assert!(message.contains("server.trusted_proxy") && message.contains("IP addresses"), "{message}");
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("pw"), "hunter2\r\n").unwrap();
    fs::write(dir.path().join("empty"), "\n").unwrap();
    let mut sources = with_file(dir.path(), "[neo4j]\npassword_file = \"pw\"\n");
    let config = Config::load(&sources).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.neo4j.password.unwrap().expose(), "hunter2");
    // A variable wins over the file's file.
    sources.environment.insert("STEPBACK_NEO4J_PASSWORD".into(), "sesame".into());
    assert_eq!(Config::load(&sources).unwrap().neo4j.password.unwrap().expose(), "sesame");

    let message = refusal(&with_file(dir.path(), "[neo4j]\npassword_file = \"pw\"\npassword = \"hunter2\"\n"));
    assert!(
        message.contains("both neo4j.password and neo4j.password_file") && !message.contains("hunter2"),
        "{message}"
    );
    let message = refusal(&with_file(dir.path(), "[qdrant]\napi_key_file = \"empty\"\n"));
    assert!(message.contains("qdrant.api_key_file") && message.contains("it is empty"), "{message}");
    let message = refusal(&with_file(dir.path(), "[neo4j]\npassword = 20061207\n"));
    assert!(message.contains("(hidden)") && !message.contains("20061207"), "{message}");
    let message = refusal(&with_file(dir.path(), "[neo4j]\nuri = \"bolt://neo4j:hunter2@h:7687\"\n"));
    assert!(message.contains("neo4j.uri") && !message.contains("hunter2"), "{message}");
}

#[test]
fn the_documentation_names_every_setting_with_its_default() {
    let text = include_str!("../../docs/configuration.md");
    for key in KEYS {
        let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if !section.is_empty() {
            assert!(text.contains(&format!("[{section}]")), "the section of {} is missing", key.name);
        }
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` | `{}`", key.variable)))
            .unwrap_or_else(|| panic!("{} with {} has no row", key.name, key.variable));
        assert!(row.contains(key.default), "{row} does not tell the default {}", key.default);
    }
}
