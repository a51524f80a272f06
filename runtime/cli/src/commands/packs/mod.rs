//! `provost packs`: what an author needs to write a pack and to try it before anything runs on it.

mod check;
mod diff;
mod folders;
mod meaning;
mod new;
mod schema;
mod show;
mod test;
mod told;

use std::process::ExitCode;

use anyhow::Result;

use crate::args::Packs;
use crate::output::Output;

pub(super) async fn run(command: &Packs, output: Output) -> Result<ExitCode> {
    match command {
        Packs::Check(args) => check::run(args, output),
        Packs::Test(args) => test::run(args, output).await,
        Packs::New(args) => new::run(args, output),
        Packs::Show(args) => show::run(args, output),
        Packs::Diff(args) => diff::run(args, output),
        Packs::Schema { file } => schema::run(*file),
    }
}
