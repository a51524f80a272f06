fn main() {
    let _ = provost_domain::terminal::verify;
}
