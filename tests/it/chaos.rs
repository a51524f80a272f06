//! The chaos campaign in its short form; `cargo xtask chaos` runs it at any length, with a full disk too.

use provost_tests::binary;
use provost_tests::chaos::{QUIET_MAX, Settings, run};

#[tokio::test]
async fn ten_kills_among_many_sessions_lose_nothing_and_repeat_nothing() {
    let settings = Settings {
        program: binary::provost().unwrap(),
        kills: 10,
        seed: 20_261_121,
        fill_disk: false,
        quiet: QUIET_MAX,
        meetings: false,
        environment: Vec::new(),
    };
    let report = run(settings, |_| {}).await;
    assert!(report.is_clean(), "{:#}", report.to_json());
    let (sessions, appends, takeovers) = report.sizes();
    assert_eq!(report.troubles().kills, 10);
    assert!(sessions > 0 && appends > 0 && takeovers > 0, "nothing was at work: {:#}", report.to_json());
}
