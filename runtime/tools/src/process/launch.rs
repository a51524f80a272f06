//! Starts programs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::answer::ProgramAnswer;
use super::group::ChildGroup;
use super::marks;
use super::sandbox::Sandbox;
use super::section::{ProcessSection, STANDARD_PATH, VariableText};
use crate::error::ToolsError;
use crate::server::OpenServer;

/// Children of one server at once; further calls wait. A machine has more use for its memory than for more of them.
const CHILDREN_MAX: usize = 8;

/// Why a program was not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartFault {
    pub(crate) detail: String,
    /// Whether it may start another time.
    pub(crate) may_pass: bool,
}

/// Starts the programs of one server.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    sandbox: Sandbox,
    env: Arc<BTreeMap<String, SecretString>>,
    folder: PathBuf,
    places: Arc<Semaphore>,
}

impl Launcher {
    /// Of a section; where the server is to be called, sandbox, folder and these programs are there, and no child of a process
    /// that is gone is left.
    pub(crate) fn open(
        section: &ProcessSection,
        server: &OpenServer<'_>,
        programs: &[&str],
    ) -> Result<Self, ToolsError> {
        let value = |value: &VariableText| match value {
            VariableText::Plain(text) => Some(SecretString::from(text.as_str())),
            VariableText::Secret(place) => server.secret(place).cloned(),
        };
        let env = section.env.iter().filter_map(|(name, text)| Some((name.clone(), value(text)?)));
        let mut env: BTreeMap<String, SecretString> = env.collect();
        env.entry("PATH".to_owned()).or_insert_with(|| STANDARD_PATH.into());
        let places = Arc::new(Semaphore::new(CHILDREN_MAX));
        let own = Self { sandbox: section.sandbox.clone(), env: env.into(), folder: section.folder.clone(), places };
        if server.has_secrets() {
            let wrong = |detail: String| server.wrong(detail);
            if !own.folder.is_dir() {
                return Err(wrong(format!("`cwd`: {} is not a folder", own.folder.display())));
            }
            own.sandbox.try_out().map_err(wrong)?;
            for program in programs {
                let absent = || wrong(format!("the program `{program}` is not on this machine, as far as PATH says"));
                own.find(program).ok_or_else(absent)?;
            }
            marks::sweep();
        }
        Ok(own)
    }

    /// The program's file, as PATH says.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        let is_program =
            |path: &Path| path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
        if program.contains('/') {
            return Some(PathBuf::from(program)).filter(|path| path.is_absolute() && is_program(path));
        }
        let path = self.env.get("PATH").map(SecretString::expose_secret).unwrap_or_default();
        path.split(':').map(|folder| Path::new(folder).join(program)).find(|path| is_program(path))
    }

    /// Starts a program with its pipes.
    pub(crate) fn start(&self, argv: &[String], more: &[(&str, &str)]) -> Result<ChildGroup, StartFault> {
        let fault = |detail: String, may_pass| StartFault { detail, may_pass };
        let (program, rest) = argv.split_first().ok_or_else(|| fault("no program is named".to_owned(), false))?;
        let file = self.find(program).ok_or_else(|| fault(format!("the program `{program}` is not there"), false))?;
        let own: Vec<OsString> =
            std::iter::once(file.into_os_string()).chain(rest.iter().map(OsString::from)).collect();
        let wrapped = self.sandbox.wrapped(&own, &self.folder);
        let (first, rest) = wrapped.split_first().ok_or_else(|| fault("no program is named".to_owned(), false))?;
        let mark = marks::fresh();
        let mut command = Command::new(first);
        command.args(rest).env_clear().env(marks::MARK, &mark).current_dir(&self.folder).process_group(0);
        for (name, value) in &*self.env {
            command.env(name, value.expose_secret());
        }
        command.envs(more.iter().copied()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| fault(format!("`{program}` was not started: {error}"), true))?;
        Ok(ChildGroup::new(child, mark))
    }

    /// Runs a program to its end, with this input, keeping at most `limit` bytes of each output. Dropped before, the whole
    /// group of the program is killed.
    pub(crate) async fn run(
        &self,
        argv: &[String],
        more: &[(&str, &str)],
        input: &[u8],
        limit: usize,
    ) -> Result<ProgramAnswer, StartFault> {
        let closed = |_closed| StartFault { detail: "shutting down".to_owned(), may_pass: true };
        let _place = self.places.acquire().await.map_err(closed)?;
        let group = self.start(argv, more)?;
        Ok(ProgramAnswer::of(group, input, limit).await)
    }
}
