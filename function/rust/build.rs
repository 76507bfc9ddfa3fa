//! Records the compiler's version, which `health` reports as the runtime: Rust has no other.

use std::{env, process::Command};

fn main() {
    let version = Command::new(env::var("RUSTC").expect("cargo names the compiler"))
        .arg("--version")
        .output()
        .expect("the compiler states its version");
    let version = String::from_utf8_lossy(&version.stdout);
    println!("cargo::rustc-env=RUST_VERSION={}", version.split_whitespace().nth(1).unwrap_or("unknown"));
}
