//! The command line: what comes before the command, and the commands.

use clap::{Parser, Subcommand};
use provost_demo::ShopArgs;

use crate::args::{
    Approvals, Audit, BackupArgs, Config, Deliveries, DemoArgs, Packs, RunArgs, ServeArgs, Tokens, Tools,
};
use crate::commands::sessions::Sessions;
use crate::logs::LogFormat;
use crate::output::Form;

/// A runtime for teams of AI agents that do operational work.
///
/// Exit codes: 0 done; 1 an error; 2 wrong usage; 3 the session waits for a person; 4 it ended without an outcome
/// (`needs_review`, error, stopped); 5 a copy was made, and the store has problems.
#[derive(Debug, Parser)]
#[command(name = "provost", version)]
pub(crate) struct Cli {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Form::Text)]
    pub(crate) output: Form,
    /// What is logged to standard error, for example `info` or `provost_engine=debug`; otherwise errors, and of `serve`
    /// what the configuration says.
    #[arg(long, global = true, env = "PROVOST_LOG", value_parser = crate::logs::directives)]
    pub(crate) log_filter: Option<String>,
    /// How it is logged.
    #[arg(long, global = true, env = "PROVOST_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows an incident from alert to outcome on a real, faulty service.
    Demo(DemoArgs),
    /// Opens a session from an alert (Alertmanager's webhook JSON) and follows it.
    Run(RunArgs),
    /// Looks at sessions and works on them.
    #[command(subcommand)]
    Sessions(Sessions),
    /// Looks at what came in from outside, and at what could not be worked on.
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Looks at approvals and answers them.
    #[command(subcommand)]
    Approvals(Approvals),
    /// Checks skill packs.
    #[command(subcommand)]
    Packs(Packs),
    /// Lists and shows the configured tools, and who uses them.
    #[command(subcommand)]
    Tools(Tools),
    /// Checks the configuration.
    #[command(subcommand)]
    Config(Config),
    /// Verifies logs, and says where they end.
    #[command(subcommand)]
    Audit(Audit),
    /// Copies the store into one file, also while a daemon works on it.
    Backup(BackupArgs),
    /// Runs as a daemon: HTTP, until SIGTERM or SIGINT.
    Serve(ServeArgs),
    /// Mints, lists and revokes the tokens that let callers in.
    #[command(subcommand)]
    Tokens(Tokens),
    /// The faulty shop of the demo.
    #[command(hide = true)]
    Patient(ShopArgs),
}
