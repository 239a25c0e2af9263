//! What the browser tests need: npm packages and a Chromium.

use std::{env, fs, path::PathBuf, process::Command};

use crate::{
    debian,
    failure::{Failure, FileContext, Outcome, say},
    fingerprint::Fingerprint,
    process,
    workspace::Workspace,
};

/// Chromium's own names, and Chrome's.
const PROGRAMS: [&str; 3] = ["chromium", "google-chrome", "google-chrome-stable"];

/// Installs the npm packages of the lock file, unless they are there.
pub fn ensure_packages(workspace: &Workspace) -> Outcome {
    debian::ensure_node()?;
    let folder = workspace.end2end();
    let mut print = Fingerprint::default();
    for name in ["package.json", "package-lock.json"] {
        let path = folder.join(name);
        print.add(name, &fs::read(&path).file("read", &path)?);
    }
    let wanted = print.finish();
    // In the folder that `npm ci` empties first: an interrupted install leaves no stamp.
    let stamp = folder.join("node_modules/.stepback-fingerprint");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    say("installing the npm packages of the browser tests");
    process::run(
        Command::new("npm").arg("ci").current_dir(&folder).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
        "check that npm reaches its registry (`npm ping`) and that Node.js is 18 or newer, then run the command again",
    )?;
    fs::write(&stamp, wanted).file("write", &stamp)
}

/// The program `sqlite3`, with which the browser tests count what is really in the files.
pub fn ensure_sqlite() -> Outcome {
    if process::find("sqlite3").is_some() { Ok(()) } else { debian::install(&["sqlite3"]) }
}

/// A Chromium: the one that `STEPBACK_CHROMIUM` names, one on PATH, or Debian's. `None` is Playwright's own.
pub fn ensure_chromium(workspace: &Workspace) -> Outcome<Option<PathBuf>> {
    if let Some(named) = env::var_os("STEPBACK_CHROMIUM") {
        let path = PathBuf::from(named);
        return if path.is_file() {
            Ok(Some(path))
        } else {
            Err(Failure::new(
                format!("STEPBACK_CHROMIUM names {}, which is no file", path.display()),
                "give the path of a Chromium, or unset it",
            ))
        };
    }
    if let Some(path) = PROGRAMS.iter().find_map(|program| process::find(program)) {
        return Ok(Some(path));
    }
    if debian::distribution().as_deref() == Some("ubuntu") {
        // Ubuntu's package is a snap, which sees neither temporary folders nor other users' files.
        say("installing Playwright's Chromium");
        process::run(
            Command::new("npx")
                .args(["playwright", "install", "--with-deps", "chromium"])
                .current_dir(workspace.end2end()),
            "install a Chromium or Chrome and name it in STEPBACK_CHROMIUM",
        )?;
        return Ok(None);
    }
    // Without any font pages would be measured with empty boxes.
    debian::install(&["chromium", "fonts-dejavu-core"])?;
    process::find("chromium")
        .map(Some)
        .ok_or_else(|| Failure::new("Chromium was installed, but is not on PATH", "name it in STEPBACK_CHROMIUM"))
}
