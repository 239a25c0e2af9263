//! The program `stepback`.
fn main() {}
