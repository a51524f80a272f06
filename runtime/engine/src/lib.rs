//! The engine: actors that carry sessions. It names no database, no HTTP client and no web framework: it holds ports.
//!
//! ```text
//! Node                  one per process: admission, restart, sweep, ordered shutdown
//! └─ Supervisor         one per live session: the only writer of its log; folds, decides, appends, performs
//!    └─ Worker          one per open assignment: asks the model, makes calls, reports; writes nothing itself
//! ```

mod api;
#[cfg(feature = "controls")]
mod controls;
mod eraser;
mod gateway;
mod gear;
mod meters;
mod node;
mod reader;
mod registry;
mod retention;
mod schedule;
mod shared;
mod supervisor;
mod sync;
mod worker;

pub use api::{Case, Engine, EngineError, EngineSettings, Opened, Ports, SystemClock, SystemRandom};
#[cfg(feature = "controls")]
pub use controls::Removed;
pub use eraser::{Eraser, Gone};
pub use gateway::{ModelGateway, ModelLimits, ToolGateway};
pub use gear::Packs;
pub use reader::{LogReader, ReadError, Tail, tombstone};
pub use registry::{LockRegistry, SessionBusy, SessionGuard};
pub use retention::{Retention, RetentionSettings};
pub use schedule::{Schedule, Schedules};
pub use shared::Hint;
