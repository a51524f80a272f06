//! Pages of the book that are made of the code.

use std::fmt::Write as _;

use provost_face::Code;

/// The page of error codes.
pub fn error_codes() -> String {
    let mut page =
        "# Error codes\n\nMade of the code by `cargo run -p provost-tests --example error_codes`. `Retry-After` is in \
         seconds; where there is one, the same request may work then. A server has the same under `/errors/CODE`.\n\n\
         | code | status | retry after | meaning | when | what to do |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for code in Code::ALL {
        let after = code.retry_after().map(|seconds| seconds.to_string()).unwrap_or_default();
        let (word, status, title) = (code.as_str(), code.http_status(), code.title());
        writeln!(page, "| `{word}` | {status} | {after} | {title} | {} | {} |", code.meaning(), code.advice()).unwrap();
    }
    page
}
