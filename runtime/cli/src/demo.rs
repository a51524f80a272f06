//! `provost demo`: an incident from alert to outcome on a real, faulty service.

use std::io::{ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;
use provost_demo::{ShopOptions, ShopProcess, Variant};
use provost_domain::command::{Answer, Ask, Command};
use provost_domain::ids::{CmdId, PackName, SessionId};
use provost_domain::principal::Principal;
use provost_domain::session::PendingApproval;
use provost_engine::Case;
use provost_face::{VisibleText, markdown};
use provost_mail::{DeliveryFormat, first_case};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::time::{interval, timeout};

use crate::args::DemoArgs;
use crate::conclusion::summary;
use crate::follow::Follower;
use crate::output::{DIM, NOTE, Output, came_to};
use crate::wiring::{self, Configuration, House};

/// The demo's configuration, in its folder.
const CONFIG: &str = "provost.yaml";
/// How long the shop may take until its trouble shows.
const ILL_WITHIN: Duration = Duration::from_secs(15);
/// The window of the shop's figures: short, so that a fix shows soon.
const WINDOW: Duration = Duration::from_secs(3);
/// The error ratio from which the alert would fire.
const ALERT_ABOVE: f64 = 0.05;

/// Longest title shown, in characters.
const TITLE_MAX: usize = 200;
/// Most characters of arguments to approve: more than a call may have, as nobody approves what is not shown.
const ARGUMENTS_MAX: usize = 1024 * 1024;

pub(crate) async fn run(args: DemoArgs, output: Output) -> Result<ExitCode> {
    let folder = folder(args.dir.as_deref())?;
    spare(&folder)?;
    output.line(&format!("{DIM}folder {}{DIM:#}", folder.display()));
    let shop = ShopProcess::spawn(ShopOptions {
        program: None,
        variant: args.patient,
        log: folder.join("shop.log"),
        witness: Some(folder.join("witness.json")),
        window: WINDOW,
    })
    .await?;
    let variant = args.patient.to_possible_value();
    let variant = variant.as_ref().map_or("", clap::builder::PossibleValue::get_name);
    output.line(&format!("a shop runs at {} ({variant})", shop.base_url()));
    if args.patient != Variant::AlreadyHealthy {
        timeout(ILL_WITHIN, until_ill(shop.base_url())).await.context("the shop did not fall ill in time")??;
    }
    let config = configuration(&folder, shop.base_url())?;
    let code = House::within(&config, async |house| incident(&args, house, &folder, output).await).await?;
    let witness = shop.witness().await?;
    output.line(&format!(
        "{DIM}the shop itself counted {} rollback(s) and {} on-call notification(s){DIM:#}",
        witness.rollbacks, witness.oncall
    ));
    Ok(code)
}

fn folder(given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
            Ok(folder.to_path_buf())
        }
        None => Ok(tempfile::Builder::new().prefix("provost-demo-").tempdir()?.keep()),
    }
}

/// The demo's own configuration and packs, written beside its store so that every other command works on it.
fn configuration(folder: &Path, url: &str) -> Result<Configuration> {
    for (path, text) in wiring::shipped(folder) {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        }
        write(&path, text)?;
    }
    let path = folder.join(CONFIG);
    write(&path, &configured(folder, url))?;
    Ok(wiring::load(&path, &|_| None)?)
}

/// Its text, for a shop at this address.
fn configured(folder: &Path, url: &str) -> String {
    format!(
        "store: sqlite://{store}\npacks: [incident]\nmodels:\n  default: {{provider: scripted, script: incident/demo.script.yaml}}\n\
         tools:\n  metrics: {{endpoint: \"{url}/metrics\"}}\n  service: {{admin: \"{url}/admin\", refused: \"status in [400, 404, 409, 422, 503]\"}}\n  \
         logs: {{files: {{shop: shop.log}}}}\n  notify: {{oncall: {{url: \"{url}/oncall\"}}}}\nengine: {{drain: 5s, outage_budget: 3s}}\n",
        store = folder.join("provost.db").display()
    )
}

/// Refuses a folder in which the demo would write over what is not its own; an earlier demo's shop had another address.
fn spare(folder: &Path) -> Result<()> {
    let earlier = |text: &str| {
        let (_, rest) = text.split_once("endpoint: \"")?;
        let (url, _) = rest.split_once("/metrics\"")?;
        Some(text == configured(folder, url))
    };
    let own = |path: &Path, is_own: &dyn Fn(&str) -> bool| match std::fs::read(path) {
        Ok(there) if std::str::from_utf8(&there).is_ok_and(is_own) => Ok(()),
        Ok(_) => bail!(
            "{} is there and is not the demo's: it would be written over; name another folder with --dir, or move it away",
            path.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    };
    for (path, text) in wiring::shipped(folder) {
        own(&path, &|there| there == text)?;
    }
    own(&folder.join(CONFIG), &|there| earlier(there) == Some(true))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// Waits until the shop's own figures would make the alert fire.
async fn until_ill(url: &str) -> Result<()> {
    let client = provost_http::client(None)?.build()?;
    let mut pause = interval(Duration::from_millis(100));
    loop {
        pause.tick().await;
        let text = client.get(format!("{url}/metrics")).send().await?.text().await?;
        let ratio = text.lines().find_map(|line| line.strip_prefix("http_errors_ratio "));
        if ratio.and_then(|ratio| ratio.trim().parse::<f64>().ok()).is_some_and(|ratio| ratio > ALERT_ABOVE) {
            return Ok(());
        }
    }
}

/// The alert as Alertmanager would send it.
fn delivery() -> Value {
    let labels =
        json!({"alertname": "ShopErrors", "service": "shop", "environment": "production", "severity": "critical"});
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"ShopErrors\"}", "status": "firing", "receiver": "provost",
        "truncatedAlerts": 0, "groupLabels": {"alertname": "ShopErrors"}, "commonLabels": labels,
        "commonAnnotations": {"summary": "checkout of the shop fails"}, "externalURL": "",
        "alerts": [{"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "5eed"}],
    })
}

async fn incident(args: &DemoArgs, house: &House, folder: &Path, output: Output) -> Result<ExitCode> {
    let pack = house.engine.pack(&PackName::new("incident"))?;
    let intake = first_case(Some(&pack), DeliveryFormat::Alertmanager, delivery().to_string().as_bytes())?;
    let case = Case {
        id: SessionId::new(uuid::Uuid::now_v7()),
        pack: PackName::new("incident"),
        fields: intake.fields,
        title: intake.title,
        by: Principal::Intake("demo".to_owned()),
        parent: None,
        origin: intake.origin,
        start: true,
    };
    output.line(&format!("an alert comes in: {}", VisibleText::new(&case.title).line(TITLE_MAX)));
    let opened = house.engine.open(case).await?;
    // Streams of events are for `run` and `tail`; the demo's JSON is its last line.
    let mut follower = Follower::new(opened.id);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        follower.until_rest(house, output).await?;
        let Some(session) = follower.session().cloned().filter(|session| !session.status().is_end()) else { break };
        let Some(pending) = session.approvals().values().next() else { break };
        let answer = tokio::select! {
            answer = ask(args, pending, &mut lines, output) => answer?,
            () = house.told_to_end().cancelled() => None,
        };
        let Some(answer) = answer else {
            output.line("the session waits in its store. Start again with --yes or --reject to see both ends.");
            break;
        };
        let approval = pending.asked.approval.clone();
        let command = Command {
            by: Principal::user("demo"),
            if_version: None,
            ask: Ask::Answer { approval, answer, reason: None },
        };
        let cmd_id = CmdId::new(uuid::Uuid::now_v7().to_string());
        house.engine.command(opened.id, &cmd_id, command).await?;
    }
    let path = write_report(house, &follower, folder).await?;
    let session = follower.session().context("the session has no events")?;
    let pack = house.engine.pack_of(session);
    output.line(&came_to(session.handle().as_str(), session.status().as_str(), pack.as_deref()));
    output.line(&format!("report {}", path.display()));
    output.json(&summary(&follower));
    let ended = session.status().is_final();
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// The answer: by flag, or from standard input; `None` when nobody answers.
async fn ask(
    args: &DemoArgs,
    pending: &PendingApproval,
    lines: &mut Lines<BufReader<Stdin>>,
    output: Output,
) -> Result<Option<Answer>> {
    if args.yes {
        return Ok(Some(Answer::Approve));
    }
    let reject = |reason: &str| Some(Answer::Reject { reason: reason.to_owned() });
    if args.reject {
        return Ok(reject("rejected by the demo's flag"));
    }
    let asked = &pending.asked;
    let terminal = std::io::stdin().is_terminal();
    let call = VisibleText::json(&asked.args, ARGUMENTS_MAX);
    output.line(&format!("\n{NOTE}May {} run with {call}?{NOTE:#}", asked.tool));
    let limit = if terminal { Duration::from_hours(1) } else { args.wait };
    output.line(&format!("type `yes` or `no` and Enter (waiting {})", humantime::format_duration(limit)));
    let answered = timeout(limit, async {
        loop {
            match lines.next_line().await? {
                Some(line) if matches!(line.trim(), "y" | "yes") => return Ok(Some(Answer::Approve)),
                Some(line) if matches!(line.trim(), "n" | "no") => return Ok(reject("rejected at the terminal")),
                Some(_) => output.line("please type `yes` or `no`"),
                None => return std::future::pending::<Result<Option<Answer>>>().await,
            }
        }
    });
    if let Ok(answer) = answered.await {
        return answer;
    }
    output.line("nobody answered");
    Ok(None)
}

async fn write_report(house: &House, follower: &Follower, folder: &Path) -> Result<PathBuf> {
    let session = follower.session().context("the session has no events")?;
    let mut events = Vec::new();
    Follower::new(session.id()).catch_up(&**house.engine.reads(), |step| events.push(step.event.clone())).await?;
    let path = folder.join(format!("{}.md", session.handle()));
    write(&path, &markdown(session, &events)?)?;
    Ok(path)
}
