//! Rebuilds when a migration of the journal is added: the macro that embeds them is not watched by itself.
#![expect(clippy::print_stdout, reason = "that is how a build script speaks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
