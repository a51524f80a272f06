//! Arguments that commands take.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use provost_demo::Variant;
use provost_domain::principal::Principal;

use crate::starters::Starter;

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub(crate) struct FileArgs {
    /// The configuration file.
    #[arg(long, env = "PROVOST_CONFIG", default_value = "config/provost.yaml")]
    pub(crate) config: PathBuf,
}

/// Which store.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The store's file, instead of the configuration's.
    #[arg(long, env = "PROVOST_STORE_FILE")]
    pub(crate) store: Option<PathBuf>,
}

/// Where it is looked up.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReachArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The daemon that is asked, for example `http://127.0.0.1:7878`, or `https` elsewhere; then only a token of yours is needed,
    /// in `PROVOST_TOKEN`. Otherwise the store's files are read, and what changes something is done by the daemon that holds
    /// the store, or by this process.
    #[arg(long, env = "PROVOST_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A file with the token for the daemon, where `PROVOST_TOKEN` is not set.
    #[arg(long, env = "PROVOST_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Where it is done, and by whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct ActorArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(flatten)]
    pub(crate) author: AuthorArgs,
}

/// Who acts.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuthorArgs {
    /// Who acts, as the log records it; a daemon records the holder of the token instead.
    #[arg(long = "as", env = "PROVOST_USER", default_value = "cli")]
    user: String,
}

impl AuthorArgs {
    /// Who acts, as the log records it.
    pub(crate) fn principal(&self) -> Principal {
        Principal::user(self.user.as_str())
    }
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Approves by itself.
    #[arg(long, conflicts_with = "reject")]
    pub(crate) yes: bool,
    /// Rejects by itself.
    #[arg(long)]
    pub(crate) reject: bool,
    /// How the service behaves.
    #[arg(long, value_enum, default_value = "heals-on-rollback")]
    pub(crate) patient: Variant,
    /// Where store, log and report are put; a fresh folder otherwise.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// How long to wait for an answer without a terminal.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) wait: std::time::Duration,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The name of the pack that the session is opened from.
    pub(crate) pack: String,
    /// The alert, Alertmanager's webhook JSON; `-` for standard input.
    #[arg(long)]
    pub(crate) input: PathBuf,
    #[command(flatten)]
    pub(crate) config: ActorArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Deliveries {
    /// Lists deliveries, newest first.
    List {
        /// Only this state: waiting, done or bad.
        #[arg(long)]
        state: Option<provost_domain::port::DeliveryState>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        #[command(flatten)]
        config: ReachArgs,
    },
    /// Shows one delivery with what came.
    Show(OneDelivery),
    /// Has the daemon take a bad delivery again, for when what made it bad has changed.
    Replay(OneDelivery),
    /// Gives a bad delivery up: nobody works on it, and its body goes.
    Dismiss {
        #[command(flatten)]
        one: OneDelivery<ActorArgs>,
        /// Why.
        #[arg(long, default_value = "not needed")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OneDelivery<A: Args = ReachArgs> {
    /// The delivery's id.
    pub(crate) delivery: String,
    #[command(flatten)]
    pub(crate) config: A,
}

#[derive(Debug, Args)]
pub(crate) struct One<A: Args = ActorArgs> {
    /// Id or handle.
    pub(crate) session: String,
    #[command(flatten)]
    pub(crate) config: A,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Approvals {
    /// Lists approvals, pending ones unless asked otherwise.
    List {
        /// Decided ones too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        config: ReachArgs,
    },
    /// Lets the call run.
    Approve {
        #[command(flatten)]
        one: OneApproval,
        /// Why; it stands beside the answer.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Does not let it run.
    Reject {
        #[command(flatten)]
        one: OneApproval,
        /// Why; the model is told.
        #[arg(long, default_value = "rejected by a person")]
        reason: String,
    },
    /// Lets it run with other arguments.
    Edit {
        #[command(flatten)]
        one: OneApproval,
        /// All of the arguments, as a JSON object.
        #[arg(long)]
        args: String,
        /// Why; it stands beside the answer.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Gives the model a text instead of running the call.
    Respond {
        #[command(flatten)]
        one: OneApproval,
        /// What the model gets in place of the result.
        text: String,
        /// Why; it stands beside the answer.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OneApproval {
    /// The approval's id.
    pub(crate) approval: String,
    #[command(flatten)]
    pub(crate) config: ActorArgs,
}

/// The packs that a command looks at.
#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// The folders of packs; without one the packs of the configuration.
    pub(crate) packs: Vec<PathBuf>,
    /// The configuration file whose tools and models the packs are read with. Without it, and with folders, a pack is read
    /// with the tools of its own `tests/tools.yaml`, and its models are not checked.
    #[arg(long, env = "PROVOST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Packs {
    /// Loads packs with their scenarios and says what is wrong.
    Check(PackArgs),
    /// Plays the scenarios of packs: in virtual time, without a network, on the real engine.
    ///
    /// Prints the first difference of each scenario that fails, and at the end what no scenario reached. `--output junit`
    /// writes a report for CI. Exit codes: 0 all passed; 1 a scenario failed, or a pack does not load.
    Test(PackArgs),
    /// Writes a pack to begin with, whose scenarios pass. Nothing is written over.
    New(NewPackArgs),
    /// Shows what packs are made of: agents, routes, tools with effect and gate, outcomes.
    Show(PackArgs),
    /// Prints the JSON Schema of a file that packs have, for editors.
    Schema {
        /// Which file: `pack` (pack.yaml), `agent` (agents/NAME/agent.yaml) or `scenario` (tests/NAME.yaml).
        #[arg(value_enum)]
        file: PackFileKind,
    },
    /// Says what two packs mean differently: agents, routes, gates, tools. Comments and spelling do not count.
    Diff(PackDiffArgs),
}

/// A file that packs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PackFileKind {
    /// `pack.yaml`.
    Pack,
    /// `agents/NAME/agent.yaml`.
    Agent,
    /// `tests/NAME.yaml`.
    Scenario,
}

/// What a pack begins with, and where it is written.
#[derive(Debug, Args)]
pub(crate) struct NewPackArgs {
    /// Its folder; the last part is the pack's name.
    #[arg(value_name = "NAME")]
    pub(crate) path: PathBuf,
    /// What it begins with.
    #[arg(long, value_enum, default_value_t = Starter::Empty)]
    pub(crate) like: Starter,
}

/// The two packs, or the two versions of one, that are compared.
#[derive(Debug, Args)]
pub(crate) struct PackDiffArgs {
    /// The folder of the earlier one.
    pub(crate) before: PathBuf,
    /// The folder of the later one.
    pub(crate) after: PathBuf,
    /// The configuration file whose tools both are read with.
    #[arg(long, env = "PROVOST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tools {
    /// Lists the tools with what they may do and which packs use them. Needs no secret and reaches no server.
    List(FileArgs),
    /// Calls a tool that only reads, as an agent would, and prints what it answers. Needs the secrets of its server, and reads
    /// no others.
    ///
    /// Exit codes: 0 it answered; 1 it failed, or it may change something.
    Call {
        /// The full name, `SERVER:TOOL`.
        name: String,
        /// Its arguments, as a JSON object.
        #[arg(long, default_value = "{}")]
        args: String,
        #[command(flatten)]
        config: FileArgs,
    },
    /// Looks whether servers can be used, and whether they still say of their tools what was accepted. Changes nothing.
    ///
    /// Exit codes: 0 everything is as it should be; 1 something is not.
    Check {
        /// The server, by its key under `tools`; all without one.
        server: Option<String>,
        #[command(flatten)]
        config: FileArgs,
    },
    /// Accepts what a server says of its tools now, and writes it beside the configuration. A tool that its server describes
    /// otherwise later is not called until that was accepted too.
    ///
    /// Exit codes: 0 accepted; 1 nothing was accepted.
    Accept {
        /// The server, by its key under `tools`.
        server: String,
        #[command(flatten)]
        config: FileArgs,
    },
    /// Shows one tool: its arguments and results, its bounds, and who uses it.
    Show {
        /// The full name, `SERVER:TOOL`.
        name: String,
        #[command(flatten)]
        config: FileArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Does what `serve` does up to its listening socket, over a store in memory, and says what is wrong.
    ///
    /// Exit codes: 0 good: `serve` starts with it; 1 bad: it does not; 3 nothing is wrong as far as this could be checked from
    /// here: a secret is not here, the address is taken, the store is held by another process or was written by an earlier version.
    Check(StoreArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Checks the hash chain and the invariants of one session or of all.
    ///
    /// Works beside a daemon and changes nothing. Goes on after what cannot be read, and names every session that does not
    /// hold with its first bad record. Exit codes: 0 everything holds; 1 something does not, or the store cannot be opened.
    Verify {
        /// Id or handle; all without one.
        session: Option<String>,
        /// What `audit head` printed earlier: no log may be shorter or another than it was then.
        #[arg(long, value_name = "FILE")]
        heads: Option<PathBuf>,
        #[command(flatten)]
        config: StoreArgs,
    },
    /// Prints where each log ends, with its hash: kept elsewhere, it shows a log that was cut or rewritten.
    Head {
        /// Id or handle; all without one.
        session: Option<String>,
        #[command(flatten)]
        config: StoreArgs,
    },
}

/// Copies the store, as one moment of it was, into one file.
///
/// Works beside a daemon, which goes on meanwhile. The copy is verified before it gets its name; an existing file is never
/// written over. Exit codes: 0 the copy is there and clean; 1 it could not be made, or what it copies does not hold.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) config: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen, instead of the configuration's; port 0 takes a free one, which is printed.
    #[arg(long)]
    pub(crate) listen: Option<std::net::SocketAddr>,
    #[command(flatten)]
    pub(crate) config: StoreArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Mints a token and shows its secret, once.
    Create {
        /// Whose it is; the log names its holder so.
        name: String,
        /// What it may do: intake, viewer, operator, approver or admin.
        #[arg(long)]
        role: provost_domain::access::AccessRole,
        /// How long it is good for, for example `30d`; without end otherwise.
        #[arg(long, value_parser = humantime::parse_duration)]
        expires: Option<std::time::Duration>,
        #[command(flatten)]
        config: ActorArgs,
    },
    /// Makes a secret for a token of the configuration and prints it; nothing is stored.
    Generate,
    /// Lists tokens, revoked ones included.
    List(ReachArgs),
    /// Revokes a token for good.
    Revoke {
        /// Its id.
        token: String,
        #[command(flatten)]
        config: ActorArgs,
    },
}
