//! How large things may be. Beyond them a text is refused at load, and an evaluation cannot tell.

/// Longest expression in bytes: what needs more belongs into a tool.
pub const TEXT_MAX: usize = 1024;
/// Deepest nesting: the stack that parsing and evaluating use depends on it.
pub const NESTING_MAX: usize = 24;
/// Most nodes of one expression.
pub const NODES_MAX: usize = 256;
/// Most comprehensions (`exists`, `all`, `exists_one`, `filter`, `map`) of one expression; none stands in another.
pub const COMPREHENSIONS_MAX: usize = 4;
/// Longest list that is walked.
pub const LIST_MAX: usize = 500;
/// Most bytes of data that one evaluation reads, and the longest text it makes.
pub const DATA_MAX: usize = 256 * 1024;
/// Deepest data that is read: what is parsed from JSON is never deeper.
pub(crate) const DATA_DEPTH_MAX: usize = 128;
/// Most steps of one evaluation. A list of 500 items under a condition of 100 nodes needs 50,000; a step takes well under
/// a microsecond.
pub(crate) const STEPS_MAX: usize = 100_000;
/// Bytes of text that are compared or copied in one step.
pub(crate) const BYTES_PER_STEP: usize = 64;
/// Most patterns of one expression: each takes time to compile.
pub const PATTERNS_MAX: usize = 4;
/// Most bytes of memory that one compiled regular expression takes.
pub(crate) const REGEX_BYTES_MAX: usize = 256 * 1024;
/// Longest text with holes in bytes.
pub const TEMPLATE_MAX: usize = 64 * 1024;
/// Most holes of one text.
pub const HOLES_MAX: usize = 64;
