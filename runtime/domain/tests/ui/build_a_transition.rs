use provost_domain::event::StatusChanged;
use provost_domain::principal::Principal;
use provost_domain::status::Status;

fn main() {
    let _ = StatusChanged {
        from: Status::InProgress,
        to: Status::Outcome("resolved".to_owned()),
        reason: "because I say so".to_owned(),
        by: Principal::parse("agent:me"),
    };
}
