//! The engine: actors that carry sessions. It names no database, no HTTP client and no web framework: it holds ports.
//!
//! ```text
//! Node                  one per process: admission, restart, ordered shutdown
//! └─ Supervisor         one per live session: the only writer of its log; folds, decides, appends, performs
//!    └─ Worker          one per open assignment: asks the model, makes calls, reports; writes nothing itself
//! ```

mod answer;
mod api;
mod backoff;
mod breaker;
mod controls;
mod deadline;
mod eraser;
mod error;
mod gateway;
mod hint;
mod meters;
mod node;
mod parts;
mod ports;
mod reader;
mod registry;
mod resources;
mod schedule;
mod settings;
mod supervisor;
mod sync;
mod system;
mod tasks;
mod ticker;
mod tickers;
mod worker;

pub use api::{Case, Engine, ModelOutage, Opened};
pub use backoff::Backoff;
pub use controls::Controls;
pub use eraser::{Eraser, Gone};
pub use error::{EngineError, StartError};
pub use gateway::{ModelGateway, ModelLimits, ToolGateway};
pub use hint::Hint;
pub use ports::Ports;
pub use reader::{LogReader, ReadError, Tail, tombstone};
pub use registry::{LockRegistry, SessionBusy, SessionGuard};
pub use resources::{Packs, Resources};
pub use schedule::{Schedule, Schedules};
pub use settings::EngineSettings;
pub use system::{SteadyTime, SystemClock, SystemRandom};
pub use tasks::Tasks;
pub use ticker::{Next, TickFailure, Ticker, TickerHandle, TickerSettings};
pub use tickers::{OldestApproval, Retention, RetentionSettings, Scrub};
