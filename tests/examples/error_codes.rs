//! Prints the page of error codes: `cargo run -p provost-tests --example error_codes > docs/src/errors.md`.
#![expect(clippy::print_stdout, reason = "prints a page")]

fn main() {
    print!("{}", provost_tests::docs::error_codes());
}
