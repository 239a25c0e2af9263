//! `cargo xtask screenshots`: pictures of every page for people to look at, and the gallery of the documentation.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    browser, build,
    failure::{FileContext, Outcome, say},
    process,
    workspace::{Profile, Workspace},
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the pictures go; `screenshots` in the build's folder when absent
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Put those of the documentation into docs/images
    #[arg(long)]
    gallery: bool,
}

/// Takes the pictures of both layouts, on a desktop and a phone, light and dark.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let built = build::all(workspace, Profile::Debug)?;
    browser::ensure_packages(workspace)?;
    browser::ensure_sqlite()?;
    let chromium = browser::ensure_chromium(workspace)?;
    let folder = options.into.clone().unwrap_or_else(|| workspace.target().join("screenshots"));
    fs::create_dir_all(&folder).file("create", &folder)?;
    let folder = fs::canonicalize(&folder).file("find", &folder)?;
    let mut npx = Command::new("npx");
    npx.args(["playwright", "test", "--project", "screenshots"]).current_dir(workspace.end2end());
    npx.env("STEPBACK_BIN", &built.program).env("STEPBACK_SCREENSHOTS", &folder);
    if let Some(chromium) = chromium {
        npx.env("STEPBACK_CHROMIUM", chromium);
    }
    process::run(&mut npx, "look at the failures above; pictures taken before are in the folder")?;
    if options.gallery {
        let images = workspace.root().join("docs/images");
        let taken = folder.join("gallery");
        for picture in fs::read_dir(&taken).file("read", &taken)? {
            let from = picture.file("read", &taken)?.path();
            let Some(name) = from.file_name() else { continue };
            fs::copy(&from, images.join(name)).file("copy", &from)?;
        }
        say(format!("the gallery is in {}", images.display()));
    }
    say(format!("the pictures are in {}", folder.display()));
    Ok(())
}
