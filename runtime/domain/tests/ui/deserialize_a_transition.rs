fn main() {
    let _ = serde_json::from_str::<provost_domain::event::StatusChanged>("{}");
}
