//! The page files beside the program: what the browser loads.
//!
//! ```text
//! site/assets.json                     {"js": "/pkg/…", "wasm": "/pkg/…", "css": "/pkg/…", "boot": "/pkg/…"}
//! site/pkg/stepback.<hash>.js          wasm-bindgen's module
//! site/pkg/stepback_bg.<hash>.wasm
//! site/pkg/stepback.<hash>.css         style/*.css in the order of their names
//! site/pkg/boot.<hash>.js              loads the WASM and gives each island of the page its function
//! site/…                               public/
//! ```
//!
//! Names carry the hash of the content, so a browser may keep them for ever. The same input gives the same files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    cache, compress,
    failure::{Failure, FileContext, Outcome, say},
    fingerprint::{Fingerprint, files, hashed_name},
    wasm_opt,
    workspace::{Profile, Workspace},
};

/// Raise it when this file makes other output of the same input.
const FORMAT: &str = "2";

/// Makes the page files from the built frontend, unless they are up to date. Returns the WASM that the browser loads.
pub fn assemble(workspace: &Workspace, profile: Profile, frontend: &Path) -> Outcome<PathBuf> {
    let site = workspace.site(profile);
    let _lock = cache::lock(&site.with_file_name("site.lock"))?;
    let stamp = site.with_file_name("site.fingerprint");
    let wanted = fingerprint(workspace, profile, frontend)?;
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted)
        && let Some(wasm) = current_wasm(&site)
    {
        return Ok(wasm);
    }

    let new = site.with_file_name("site.new");
    cache::remove(&new)?;
    let pkg = new.join("pkg");
    fs::create_dir_all(&pkg).file("create", &pkg)?;
    copy_folder(&workspace.root().join("public"), &new)?;
    let (js, wasm) = bind(workspace, profile, frontend, &pkg)?;
    let css = add(&pkg, "stepback.css", style(&workspace.root().join("style"))?.as_bytes())?;
    let boot = add(&pkg, "boot.js", boot_script(&js, &wasm).as_bytes())?;
    let assets = serde_json::json!({ "js": js, "wasm": wasm, "css": css, "boot": boot });
    let list = new.join("assets.json");
    fs::write(&list, format!("{assets:#}\n")).file("write", &list)?;
    if profile == Profile::Release {
        compress::beside(&new)?;
    }
    swap(&site, &new)?;
    fs::write(&stamp, wanted).file("write", &stamp)?;
    current_wasm(&site).ok_or_else(|| Failure::new("the page files have no WASM", "run the command again"))
}

fn fingerprint(workspace: &Workspace, profile: Profile, frontend: &Path) -> Outcome<String> {
    let mut print = Fingerprint::default();
    print.add("format", FORMAT.as_bytes());
    print.add("profile", profile.folder().as_bytes());
    print.add("wasm-opt", wasm_opt::VERSION.as_bytes());
    print.add("frontend", &fs::read(frontend).file("read", frontend)?);
    print.add_folder(&workspace.root().join("style"))?;
    print.add_folder(&workspace.root().join("public"))?;
    Ok(print.finish())
}

/// The WASM that `assets.json` names, if the page files are whole.
fn current_wasm(site: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(site.join("assets.json")).ok()?;
    let assets: serde_json::Value = serde_json::from_str(&text).ok()?;
    let path = |kind: &str| {
        let named = assets.get(kind)?.as_str()?;
        Some(site.join(named.strip_prefix('/')?)).filter(|path| path.is_file())
    };
    let (_, _, _) = (path("js")?, path("css")?, path("boot")?);
    path("wasm")
}

/// What the browser would download of a release's WASM.
pub fn measure(workspace: &Workspace, frontend: &Path) -> Outcome<WasmSize> {
    let pkg = tempfile::Builder::new()
        .prefix("measured-")
        .tempdir_in(workspace.target())
        .file("create a folder in", workspace.target())?;
    let (_, wasm) = bind(workspace, Profile::Release, frontend, pkg.path())?;
    let file = pkg.path().join(wasm.trim_start_matches("/pkg/"));
    WasmSize::of(&file, Profile::Release)
}

/// Runs wasm-bindgen, for release wasm-opt too, and puts module and WASM into `pkg`.
fn bind(workspace: &Workspace, profile: Profile, frontend: &Path, pkg: &Path) -> Outcome<(String, String)> {
    say("binding the WASM for the browser");
    let scratch = tempfile::Builder::new()
        .prefix("bindgen-")
        .tempdir_in(workspace.target())
        .file("create a folder in", workspace.target())?;
    generate(profile, frontend, scratch.path()).map_err(|error| {
        Failure::new(
            format!("wasm-bindgen failed: {error}"),
            "the crate `wasm-bindgen` and the library in the xtask must have one version: compare Cargo.toml and xtask/Cargo.toml",
        )
    })?;
    let wasm = scratch.path().join("stepback_bg.wasm");
    if profile == Profile::Release {
        wasm_opt::shrink(&wasm)?;
    }
    let wasm = add(pkg, "stepback_bg.wasm", &fs::read(&wasm).file("read", &wasm)?)?;
    let js = scratch.path().join("stepback.js");
    whole(&fs::read_to_string(&js).file("read", &js)?, frontend)?;
    let js = add(pkg, "stepback.js", &fs::read(&js).file("read", &js)?)?;
    // Only there when a crate brings JavaScript of its own; the module imports it by this relative path.
    copy_folder(&scratch.path().join("snippets"), &pkg.join("snippets"))?;
    Ok((js, wasm))
}

/// Where a build was broken off amid its linking, the compiler's stored parts may no longer fit each other. The linker then
/// leaves functions open as imports from a module `env`, which no browser has, and the page would stay without life.
fn whole(js: &str, frontend: &Path) -> Outcome {
    if !js.contains("from \"env\"") && !js.contains("from 'env'") {
        return Ok(());
    }
    let stored = frontend.with_file_name("incremental");
    Err(Failure::new(
        "the WASM lacks functions of its own: an earlier build was broken off and left parts that do not fit",
        format!("remove {} and run the command again", stored.display()),
    ))
}

fn generate(profile: Profile, frontend: &Path, out: &Path) -> Result<(), String> {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .input_path(frontend)
        .out_name("stepback")
        .typescript(false)
        // The boot script says where the WASM is.
        .omit_default_module_path(true)
        .remove_producers_section(true)
        // Names make the traces of a debug build readable.
        .remove_name_section(profile == Profile::Release);
    bindgen.web(true).and_then(|bindgen| bindgen.generate(out)).map_err(|error| format!("{error:#}"))
}

/// Writes a file under its hashed name, and returns its path on the server.
fn add(pkg: &Path, name: &str, content: &[u8]) -> Outcome<String> {
    let name = hashed_name(name, content);
    let path = pkg.join(&name);
    fs::write(&path, content).file("write", &path)?;
    Ok(format!("/pkg/{name}"))
}

fn boot_script(js: &str, wasm: &str) -> String {
    format!(
        "import init, * as app from '{js}';\n\
         await init({{ module_or_path: '{wasm}' }});\n\
         app.hydrate();\n\
         for (const island of document.querySelectorAll('leptos-island')) app[island.dataset.component](island);\n"
    )
}

/// The style sheets in one, in the order of their names.
fn style(folder: &Path) -> Outcome<String> {
    let mut all = String::new();
    for file in files(folder)? {
        if file.extension().is_some_and(|extension| extension == "css") {
            all.push_str(fs::read_to_string(&file).file("read", &file)?.trim_end());
            all.push('\n');
        }
    }
    Ok(all)
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).file("create", folder)?;
        }
        fs::copy(&file, &target).file("copy", &file)?;
    }
    Ok(())
}

/// Puts the new folder in the old one's place, so that a running server never sees half of either.
fn swap(site: &Path, new: &Path) -> Outcome {
    let old = site.with_file_name("site.old");
    cache::remove(&old)?;
    if site.exists() {
        fs::rename(site, &old).file("move away", site)?;
    }
    fs::rename(new, site).file("put in place", site)?;
    cache::remove(&old)
}

/// What a browser downloads of the WASM, in bytes.
#[derive(Debug)]
pub struct WasmSize {
    raw: usize,
    gzip: usize,
    /// Only of a release build: at the best level it takes long.
    brotli: Option<usize>,
}

impl WasmSize {
    /// What a browser downloads of it at most, in bytes, compressed by brotli.
    pub const LIMIT: usize = 250_000;

    /// Whether a release keeps to the limit; a build that was not compressed claims nothing.
    pub fn is_within_limit(&self) -> bool {
        self.brotli.is_none_or(|bytes| bytes <= Self::LIMIT)
    }

    /// Measures a file.
    pub fn of(wasm: &Path, profile: Profile) -> Outcome<Self> {
        let content = fs::read(wasm).file("read", wasm)?;
        let brotli = match profile {
            Profile::Debug => None,
            Profile::Release => Some(compress::brotli(&content).file("compress", wasm)?.len()),
        };
        Ok(Self { raw: content.len(), gzip: compress::gzip(&content).file("compress", wasm)?.len(), brotli })
    }
}

impl std::fmt::Display for WasmSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kb = |bytes: usize| bytes.div_ceil(1000);
        write!(f, "WASM {} kB, {} kB gzip", kb(self.raw), kb(self.gzip))?;
        if let Some(brotli) = self.brotli {
            write!(f, ", {} kB brotli", kb(brotli))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_sheets_come_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("10-b.css", "b{}\n\n"), ("00-a.css", "a{}"), ("README.md", "no style")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(style(folder.path()).unwrap(), "a{}\nb{}\n");
    }

    #[test]
    fn the_boot_script_names_the_hashed_files() {
        let script = boot_script("/pkg/stepback.1.js", "/pkg/stepback_bg.2.wasm");
        assert!(script.contains("from '/pkg/stepback.1.js'"), "{script}");
        assert!(script.contains("module_or_path: '/pkg/stepback_bg.2.wasm'"), "{script}");
    }

    #[test]
    fn a_wasm_with_functions_left_open_is_refused_with_the_remedy() {
        let frontend = Path::new("/t/wasm-dev/frontend.wasm");
        let open = whole("import * as import1 from \"env\"\n", frontend).unwrap_err().to_string();
        assert!(open.contains("remove /t/wasm-dev/incremental"), "{open}");
        whole("// The environment, from everywhere.\nimport { a } from './snippets/a.js';\n", frontend).unwrap();
    }

    #[test]
    fn page_files_with_one_missing_are_not_up_to_date() {
        let site = tempfile::tempdir().unwrap();
        let pkg = site.path().join("pkg");
        fs::create_dir(&pkg).unwrap();
        let assets = r#"{"js":"/pkg/a.js","wasm":"/pkg/a.wasm","css":"/pkg/a.css","boot":"/pkg/b.js"}"#;
        fs::write(site.path().join("assets.json"), assets).unwrap();
        for name in ["a.js", "a.wasm", "a.css"] {
            fs::write(pkg.join(name), "").unwrap();
        }
        assert_eq!(current_wasm(site.path()), None);
        fs::write(pkg.join("b.js"), "").unwrap();
        assert_eq!(current_wasm(site.path()), Some(pkg.join("a.wasm")));
    }

    #[test]
    fn the_swap_leaves_nothing_of_the_old_files() {
        let folder = tempfile::tempdir().unwrap();
        let (site, new) = (folder.path().join("site"), folder.path().join("site.new"));
        for (place, name) in [(&site, "old"), (&new, "new")] {
            fs::create_dir(place).unwrap();
            fs::write(place.join(name), "").unwrap();
        }
        swap(&site, &new).unwrap();
        assert!(site.join("new").is_file() && !site.join("old").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
