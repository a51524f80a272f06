//! `provost config check`: everything that `provost serve` does up to its listening socket, over a store in memory. The store's own
//! file is only looked at.

use std::cell::RefCell;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_face::VisibleText;
use provost_form::{SecretError, SecretPlace};
use provost_store::{OpenOptions, StorePlace, StoreUrl};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::args::{Config, StoreArgs};
use crate::daemon::{server, socket, tokens};
use crate::logs::Logs;
use crate::output::{BAD, GOOD, NOTE, Output};
use crate::remote::trust::require_own;
use crate::wiring::{self, Configuration, House, PackSet};

/// Nothing is wrong, as far as it could be checked from here.
const UNCHECKED: u8 = 3;

/// What came of a check, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CheckResult {
    Good,
    /// It depends on what is not here, or on who else runs.
    Unchecked,
    Bad,
}

impl CheckResult {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unchecked => "unchecked",
            Self::Bad => "bad",
        }
    }
}

/// One part of the configuration.
#[derive(Debug)]
struct CheckedPart {
    part: &'static str,
    verdict: CheckResult,
    detail: String,
}

/// What was found so far.
#[derive(Debug, Default)]
struct CheckFindings(Vec<CheckedPart>);

impl CheckFindings {
    fn add(&mut self, part: &'static str, verdict: CheckResult, detail: impl Into<String>) {
        self.0.push(CheckedPart { part, verdict, detail: detail.into() });
    }

    /// What worked, or nothing and the error is noted.
    fn good<T>(&mut self, part: &'static str, result: Result<T>, detail: impl FnOnce(&T) -> String) -> Option<T> {
        match result {
            Ok(value) => {
                self.add(part, CheckResult::Good, detail(&value));
                Some(value)
            }
            Err(error) => {
                self.add(part, CheckResult::Bad, format!("{error:#}"));
                None
            }
        }
    }

    fn worst(&self) -> CheckResult {
        self.0.iter().map(|checked| checked.verdict).max().unwrap_or(CheckResult::Good)
    }
}

/// Secrets as this process finds them. One that is not here is noted, and something else stands in for it.
#[derive(Debug, Default)]
struct SecretsHere {
    absent: RefCell<Vec<String>>,
}

impl SecretsHere {
    fn read(&self, place: &SecretPlace) -> Result<SecretString, SecretError> {
        match wiring::secret(place) {
            Err(SecretError::Absent(detail)) => {
                let mut absent = self.absent.borrow_mut();
                absent.push(detail);
                // No two are the same, as no two keys are.
                Ok(SecretString::from(format!("absent-{}", absent.len())))
            }
            read => read,
        }
    }
}

pub(super) async fn run(command: Config, output: Output, logs: Logs) -> Result<ExitCode> {
    let Config::Check(args) = command;
    let mut found = CheckFindings::default();
    if let Some(config) = found.good("file", wiring::config(&args), |config| format!("store {}", config.store)) {
        check(&config, &logs, &mut found).await;
    }
    say(&args, &found, output);
    Ok(match found.worst() {
        CheckResult::Good => ExitCode::SUCCESS,
        CheckResult::Unchecked => ExitCode::from(UNCHECKED),
        CheckResult::Bad => ExitCode::FAILURE,
    })
}

async fn check(config: &Configuration, logs: &Logs, found: &mut CheckFindings) {
    let secrets = SecretsHere::default();
    if let Err(error) = logs.wanted(config.log.filter.as_deref()) {
        found.add("log", CheckResult::Bad, format!("{error:#}"));
    }
    wired(config, &secrets, found).await;
    let stored = store(config, found).await;
    let plan = match stored {
        Some(reads) => {
            let plan = tokens::plan(&*reads.tokens, &config.server.tokens, &wiring::secret).await;
            reads.close().await;
            plan
        }
        None => tokens::plan_alone(&config.server.tokens, &wiring::secret),
    };
    match plan {
        Ok(_) => {}
        Err(error) if is_absent(&error) => found.add("tokens", CheckResult::Unchecked, format!("{error:#}")),
        Err(error) => found.add("tokens", CheckResult::Bad, format!("{error:#}")),
    }
    for detail in secrets.absent.take() {
        found.add("secrets", CheckResult::Unchecked, detail);
    }
    let listen = config.server.listen;
    match socket::try_bind(listen) {
        Ok(()) => found.add("socket", CheckResult::Good, listen.to_string()),
        Err(error) => {
            found.add(
                "socket",
                CheckResult::Unchecked,
                format!("{listen} cannot be listened on from here now: {error}"),
            );
        }
    }
}

fn is_absent(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| match cause.downcast_ref() {
        Some(SecretError::Absent(_)) => true,
        Some(SecretError::Unusable(_)) | None => false,
    })
}

/// Packs, models and tools, and all of the daemon around them over a store in memory.
async fn wired(config: &Configuration, secrets: &SecretsHere, found: &mut CheckFindings) {
    let secret = |place: &SecretPlace| secrets.read(place);
    let names =
        |packs: &PackSet| packs.present().map(|pack| format!("{} {}", pack.name, pack.version)).collect::<Vec<_>>();
    let packs = found.good("packs", PackSet::load(config), |packs| names(packs).join(", "));
    let models = found.good("models", wiring::models(config, &secret), |_| {
        config.models.keys().cloned().collect::<Vec<_>>().join(", ")
    });
    let tools = found.good("tools", wiring::tools(config, &secret), |_| "they can be built".to_owned());
    let intake = config.intake.settings(&secret).context("section `intake`");
    let intake = found.good("intake", intake, |_| "it can be opened".to_owned());
    let (Some(packs), Some(models), Some(tools), Some(intake)) = (packs, models, tools, intake) else { return };
    let started = async {
        let store = provost_store::open(&StoreUrl::Memory, OpenOptions::default()).await?;
        let house = House::serving(config, (packs, models, tools), store).await?;
        house.during(async |house| server::server(house, config, intake).await.map(drop)).await
    };
    found.good("daemon", started.await, |()| "all of it starts, over a store in memory".to_owned());
}

/// Looks at the store; its read side, where it can be read.
async fn store(config: &Configuration, found: &mut CheckFindings) -> Option<provost_store::StoreReads> {
    let looked = async {
        config.store.file().map_or(Ok(()), require_own)?;
        Ok(provost_store::look(&config.store).await?)
    };
    match looked.await {
        Ok(StorePlace::Empty) => found.add("store", CheckResult::Good, format!("{} would begin", config.store)),
        Ok(StorePlace::Older { version }) => {
            let detail = format!("{} has schema {version}; `serve` brings it up to date", config.store);
            found.add("store", CheckResult::Unchecked, detail);
        }
        Ok(StorePlace::Held { detail }) => found.add("store", CheckResult::Unchecked, detail),
        Ok(StorePlace::Current) => {
            let reads = wiring::reads(config).await;
            return found.good("store", reads, |_| config.store.to_string());
        }
        Err(error) => {
            found.good("store", Err::<(), _>(error), |()| String::new());
        }
    }
    None
}

fn say(args: &StoreArgs, found: &CheckFindings, output: Output) {
    let (file, worst) = (args.file.config.display(), found.worst());
    let part = |CheckedPart { part, verdict, detail }: &CheckedPart| json!({"part": part, "verdict": verdict.word(), "detail": detail});
    let parts: Vec<Value> = found.0.iter().map(part).collect();
    output.json(&json!({
        "config": args.file.config, "verdict": worst.word(), "ok": worst == CheckResult::Good, "parts": parts,
    }));
    for CheckedPart { part, verdict, detail } in &found.0 {
        let (style, glyph) = match verdict {
            CheckResult::Good => (GOOD, "✓"),
            CheckResult::Unchecked => (NOTE, "?"),
            CheckResult::Bad => (BAD, "✕"),
        };
        // What follows the first line stands under it.
        let detail = VisibleText::new(detail.trim_end()).hanging("           ");
        output.line(&format!("{style}{glyph}{style:#} {part:<8} {detail}"));
    }
    output.line(&match worst {
        CheckResult::Good => format!("{file} is good: `provost serve` starts with it"),
        CheckResult::Unchecked => {
            format!("nothing is wrong with {file} as far as this could be checked from here; see what is marked `?`")
        }
        CheckResult::Bad => format!("{file} is bad: `provost serve` does not start with it"),
    });
}
