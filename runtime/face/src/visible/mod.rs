//! Text from outside (tools, alerts, models, people) on its way to a person: bounded, with nothing invisible in it.
//!
//! | rendering | how |
//! |---|---|
//! | terminal | [`VisibleText`]'s `Display`: no character moves the cursor, changes colours or turns the line around |
//! | HTML | the same, escaped once more by the page's templates |
//! | Markdown | [`VisibleText::markdown`], and [`fenced`] for blocks |
//! | log and table | [`VisibleText::line`]: one line |

mod character;
mod json;
mod markdown;
mod text;

pub use character::write_visible;
pub use markdown::{Markdown, fenced};
pub use provost_domain::visible::hides;
pub use text::{TEXT_MAX, VisibleText};
