//! Plays the scenarios of a pack: whole sessions on the real engine, with a scripted model, tools that answer what the scenario
//! says, and people who answer when they are asked. The store is in memory, time is virtual, and nothing leaves the process.
//!
//! | file | what |
//! |---|---|
//! | `shape` | a scenario as written |
//! | `suite` | a pack with its tools and scenarios, read and checked before anything is played |
//! | `scenario` | one scenario, checked against its pack |
//! | `stage` | what one session is played on: the doubles of model and tools |
//! | `people` | who answers what |
//! | `play` | one scenario from its case to its end |
//! | `verdict` | what came of it against what was expected |
//! | `coverage` | which outcomes, routes, gates, questions and watches a session reached |
//! | `junit` | results for machines that read `JUnit`'s form |

mod coverage;
mod junit;
mod people;
mod play;
mod scenario;
mod shape;
mod stage;
mod suite;
mod verdict;

pub use coverage::{Coverage, PackPlace};
pub use junit::junit;
pub use play::Playback;
pub use suite::{Suite, SuiteResult, SuiteTools, TOOLS_FILE};

/// The JSON Schema of a scenario, for editors.
pub fn scenario_schema() -> provost_form::Json {
    <shape::RawScenario as provost_form::FromYaml>::schema()
}
