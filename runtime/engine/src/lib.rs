//! The engine: actors that carry sessions. It names no database, no HTTP client and no web framework: it holds ports.
//!
//! ```text
//! Node                  one per process: admission, restart, sweep, ordered shutdown
//! └─ Supervisor         one per live session: the only writer of its log; folds, decides, appends, performs
//!    └─ Worker          one per open assignment: asks the model, makes calls, reports; writes nothing itself
//! ```

mod api;
mod gateway;
mod node;
mod reader;
mod registry;
mod schedule;
mod supervisor;
mod worker;

pub use api::{Case, Engine, EngineError, EngineSettings, Hint, Opened, Ports, SystemClock};
pub use gateway::{ModelGateway, ModelLimits, ToolGateway};
pub use reader::{LogReader, ReadError, Tail};
pub use registry::{LockRegistry, SessionBusy, SessionGuard};
pub use schedule::{Schedule, Schedules};
