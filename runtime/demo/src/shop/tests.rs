//! The shop as a table: variants, idempotency and counts.

use super::*;

const WINDOW: Duration = Duration::from_secs(5);

fn shop(variant: Variant) -> Shop {
    Shop::new(variant, WINDOW, Timestamp::UNIX_EPOCH)
}

fn post(shop: &mut Shop, endpoint: ShopEndpoint, key: Option<&str>, body: &str) -> ShopAnswer {
    shop.handle(&ShopRequest { endpoint, key, body: body.as_bytes(), at: Timestamp::UNIX_EPOCH })
}

/// The error ratio of ten checkouts, and how long each takes.
fn work(shop: &mut Shop) -> (f64, Duration) {
    let now = Instant::now() + WINDOW * 2 * u32::try_from(shop.checkouts_finished).unwrap();
    let begun: Vec<_> = (0..10).map(|_| shop.begin()).collect();
    for checkout in &begun {
        shop.finish(checkout, checkout.takes, now);
    }
    (shop.figures(now).0.errors_ratio, begun[0].takes)
}

#[track_caller]
fn check_work(shop: &mut Shop, expect: (f64, Duration)) {
    assert_eq!(work(shop), expect);
}

const ILL: (f64, Duration) = (0.4, Duration::from_millis(35));
const WELL: (f64, Duration) = (0.0, Duration::from_millis(5));

#[test]
fn a_rollback_heals_where_the_release_is_at_fault() {
    let mut shop = shop(Variant::HealsOnRollback);
    check_work(&mut shop, ILL);
    let answer = post(&mut shop, ShopEndpoint::Rollback, None, "");
    assert_eq!(answer.body, json!({"version": "2.4.0", "previous": "2.4.1"}));
    check_work(&mut shop, WELL);
}

#[test]
fn a_rollback_that_does_not_help_still_changes_the_release() {
    let mut shop = shop(Variant::RollbackDoesNotHelp);
    assert_eq!(post(&mut shop, ShopEndpoint::Rollback, None, "").status, StatusCode::OK);
    assert_eq!(shop.releases().live(), "2.4.0");
    check_work(&mut shop, ILL);
}

#[test]
fn a_healthy_shop_falls_ill_by_the_faulty_release_only() {
    let mut shop = shop(Variant::AlreadyHealthy);
    check_work(&mut shop, WELL);
    post(&mut shop, ShopEndpoint::Release, None, r#"{"version": "2.5.0"}"#);
    check_work(&mut shop, WELL);
    post(&mut shop, ShopEndpoint::Release, None, r#"{"version": "2.4.1"}"#);
    check_work(&mut shop, ILL);
}

#[test]
fn a_restart_does_not_heal() {
    let mut shop = shop(Variant::HealsOnRollback);
    assert_eq!(post(&mut shop, ShopEndpoint::Restart, None, "").status, StatusCode::OK);
    check_work(&mut shop, ILL);
    assert_eq!(shop.witness().restarts, 1);
}

#[test]
fn a_failing_admin_port_changes_nothing_but_reaches_the_people_on_call() {
    let mut shop = shop(Variant::AdminFailing);
    for endpoint in [ShopEndpoint::Release, ShopEndpoint::Rollback, ShopEndpoint::Restart] {
        for _ in 0..2 {
            let answer = post(&mut shop, endpoint, Some("k"), r#"{"version": "9"}"#);
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        }
    }
    let page = post(&mut shop, ShopEndpoint::Oncall, Some("k"), "help");
    assert_eq!(page.status, StatusCode::ACCEPTED);
    let expect = ShopWitness {
        rollback_requests: 2,
        rollback_keys: 1,
        restart_requests: 2,
        release_requests: 2,
        refused: 6,
        oncall: 1,
        oncall_bodies: ["help".into()].into(),
        ..ShopWitness::default()
    };
    assert_eq!(shop.witness(), &expect);
    check_work(&mut shop, ILL);
}

#[test]
fn a_repeated_key_is_answered_the_same_and_acts_once() {
    let mut shop = shop(Variant::HealsOnRollback);
    let first = post(&mut shop, ShopEndpoint::Rollback, Some("a"), "");
    assert_eq!(post(&mut shop, ShopEndpoint::Rollback, Some("a"), ""), first);
    let other = post(&mut shop, ShopEndpoint::Rollback, Some("b"), "");
    assert_eq!(other.status, StatusCode::CONFLICT);
    let page = post(&mut shop, ShopEndpoint::Oncall, Some("a"), r#"{"team": "x"}"#);
    assert_eq!(post(&mut shop, ShopEndpoint::Oncall, Some("a"), "other"), page);
    let expect = ShopWitness {
        rollbacks: 1,
        rollback_requests: 3,
        rollback_keys: 2,
        rollback_repeats: 1,
        oncall: 1,
        oncall_repeats: 1,
        oncall_bodies: [json!({"team": "x"})].into(),
        ..ShopWitness::default()
    };
    assert_eq!(shop.witness(), &expect);
}

#[test]
fn bad_bodies_are_refused_and_leave_the_key_free() {
    let mut shop = shop(Variant::HealsOnRollback);
    for (endpoint, body) in [
        (ShopEndpoint::Rollback, "{"),
        (ShopEndpoint::Restart, "[1]"),
        (ShopEndpoint::Release, ""),
        (ShopEndpoint::Release, r#"{"version": " "}"#),
        (ShopEndpoint::Release, r#"{"version": 2}"#),
    ] {
        let answer = post(&mut shop, endpoint, Some("k"), body);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(shop.releases().live(), "2.4.1");
    let again = post(&mut shop, ShopEndpoint::Rollback, Some("k"), "{}");
    assert_eq!(again.status, StatusCode::OK);
}

#[test]
fn the_status_is_measured_and_the_list_tells_no_fault() {
    let mut shop = shop(Variant::HealsOnRollback);
    let now = Instant::now();
    assert_eq!(shop.health(now).status, "healthy");
    for _ in 0..5 {
        let checkout = shop.begin();
        shop.finish(&checkout, checkout.takes, now);
    }
    assert_eq!(shop.health(now).status, "degraded");
    let at = Timestamp::UNIX_EPOCH;
    assert_eq!(
        json!(shop.releases().list()),
        json!([
            {"version": "2.4.0", "at": at, "current": false},
            {"version": "2.4.1", "at": at, "current": true},
        ])
    );
}

#[test]
fn a_release_can_be_asked_about_by_its_key() {
    let mut shop = shop(Variant::HealsOnRollback);
    assert_eq!(shop.look_up("k"), json!({"happened": false}));
    let answered = post(&mut shop, ShopEndpoint::Release, Some("k"), r#"{"version": "2.5.0"}"#).body;
    assert_eq!(shop.look_up("k"), json!({"happened": true, "answer": answered}));
    assert_eq!(shop.witness().releases, 1);
}
