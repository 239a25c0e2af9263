//! Rebuilds when a migration of the journal is added: the macro that embeds them is not watched by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
