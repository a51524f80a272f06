//! The built binary, for tests that use the program as its users do.

use std::io;
use std::path::PathBuf;

/// The path of the `provost` binary of this build's profile. Test binaries lie in `deps` beside it. It is not built by
/// building the tests: build `provost-cli` first.
pub fn provost() -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(|deps| deps.parent());
    let binary = profile.map(|folder| folder.join(format!("provost{}", std::env::consts::EXE_SUFFIX)));
    binary.filter(|binary| binary.is_file()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "the provost binary is not built: run `cargo build -p provost-cli`")
    })
}
