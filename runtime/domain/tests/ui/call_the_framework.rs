use provost_domain::event::StatusChanged;

fn main() {
    let _ = StatusChanged::framework;
}
