//! Debian's and Ubuntu's packages.

use std::{env, fs, io::IsTerminal, process::Command};

use crate::{
    failure::{Failure, Outcome, say},
    process,
};

/// Programs and the packages that bring them; installs what is missing.
///
/// Nothing is asked of apt when every program is there, so machines without apt are fine then.
pub fn ensure(programs: &[(&str, &[&str])]) -> Outcome {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| process::find(program).is_none())
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Installs packages by apt-get, as root or by sudo.
pub fn install(packages: &[&str]) -> Outcome {
    let by_hand = by_hand(packages);
    let prefix = update(packages, &by_hand)?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&prefix, &arguments, &by_hand)
}

/// Installs the first package that this release of the distribution has.
pub fn install_first_of(packages: &[&str]) -> Outcome {
    let known = |package: &&str| process::capture(Command::new("apt-cache").args(["show", package]), "").is_ok();
    let first = || packages.iter().copied().find(known);
    if let Some(package) = first() {
        return install(&[package]);
    }
    // A fresh machine has no package lists.
    update(&packages[..1], &by_hand(&packages[..1]))?;
    match first() {
        Some(package) => install(&[package]),
        None => Err(Failure::new(
            format!("apt knows none of the packages {}", packages.join(", ")),
            "install one of them, or its counterpart, by hand",
        )),
    }
}

fn by_hand(packages: &[&str]) -> String {
    format!("apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Fetches the package lists: a fresh machine has none, and old ones name files that are gone. Returns how to run apt.
fn update(packages: &[&str], by_hand: &str) -> Outcome<Vec<&'static str>> {
    if process::find("apt-get").is_none() {
        return Err(Failure::new(
            format!("missing: {}, and this machine has no apt-get to install it", packages.join(", ")),
            format!("install the counterparts of Debian's packages {}", packages.join(" ")),
        ));
    }
    let prefix = privilege(by_hand)?;
    say(format!("installing Debian packages: {}", packages.join(" ")));
    apt(&prefix, &["update"], by_hand)?;
    Ok(prefix)
}

fn apt(prefix: &[&str], arguments: &[&str], by_hand: &str) -> Outcome {
    let words: Vec<&str> = prefix
        .iter()
        .copied()
        .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
        // Another apt may be at work: wait for it.
        .chain(["-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"])
        .chain(arguments.iter().copied())
        .collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    process::run(&mut command, &format!("run `{by_hand}` by hand as root and look at its messages"))
}

/// What to put before apt-get.
fn privilege(by_hand: &str) -> Outcome<Vec<&'static str>> {
    let user = process::capture(Command::new("id").arg("-u"), "put `id` (coreutils) on PATH")?;
    if user.trim() == "0" {
        return Ok(Vec::new());
    }
    let sudo = process::find("sudo").is_some();
    let asks_nothing = sudo && process::capture(Command::new("sudo").args(["-n", "true"]), "").is_ok();
    if asks_nothing {
        Ok(vec!["sudo", "-n"])
    } else if sudo && std::io::stdin().is_terminal() {
        Ok(vec!["sudo"])
    } else {
        Err(Failure::new(
            "packages are missing, and installing them needs root",
            format!("run this as root, then the command again: {by_hand}"),
        ))
    }
}

/// The `ID` of /etc/os-release: `debian`, `ubuntu`, …
pub fn distribution() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    text.lines().find_map(|line| line.strip_prefix("ID=")).map(|id| id.trim_matches('"').to_owned())
}

/// What cargo's builds need beside Rust: SQLite and ring are C.
pub fn ensure_c_compiler() -> Outcome {
    if env::var_os("CC").is_some() {
        return Ok(());
    }
    ensure(&[("cc", &["gcc", "libc6-dev"])])
}

/// Node.js and npm: for wasm-opt and the browser tests.
pub fn ensure_node() -> Outcome {
    ensure(&[("node", &["nodejs"]), ("npm", &["npm"])])
}
