//! Rebuilds when a migration is added: the macro that embeds them is not watched by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
