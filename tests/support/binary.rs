//! The built binary, for tests that use the program as its users do.

use std::io;
use std::path::PathBuf;

/// The path of the `provost` binary of this build's profile. It is not built by building the tests: build `provost-cli` first.
pub fn provost() -> io::Result<PathBuf> {
    built("provost", "the provost binary is not built: run `cargo build -p provost-cli`")
}

/// The path of an example program of the tests.
pub fn example(name: &str) -> io::Result<PathBuf> {
    built(&format!("examples/{name}"), "the examples are not built: run `cargo build --workspace --all-targets`")
}

/// A program in the folder of this build's profile. Test binaries lie in `deps` in it, examples in `examples`.
fn built(name: &str, missing: &str) -> io::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let profile = running.parent().and_then(|folder| folder.parent());
    let binary = profile.map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    let binary = binary.filter(|binary| binary.is_file());
    binary.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, missing))
}
