//! What a session came to, for people: its agents' typed reports as data, and the whole as a document.
//!
//! | file | what |
//! |---|---|
//! | `card` | an agent's last report, the same in every face |
//! | `field` | fields of the case that agents wrote |
//! | `part` | JSON as names, values and tables |
//! | `cite` | the tool results that a text names |
//! | `document` | a session as Markdown |

mod card;
mod cite;
mod document;
mod field;
mod part;

pub use card::{ReportCard, report_cards};
pub use cite::{TextSpan, shortened, text_spans};
pub use document::markdown;
pub use field::{FieldCard, field_cards};
pub use part::{DataPart, DataTable, data_parts};
