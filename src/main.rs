//! The program: real clock, randomness and environment; everything else is the library.
fn main() {}
