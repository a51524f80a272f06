//! What a pack may say of the deliveries of other senders: webhooks whose form it declares, groups, versions of a case, and
//! times of its own.

use provost_form::FormErrors;
use provost_mail::{DeliveryFormat, first_case};
use serde_json::json;

use crate::support::{change, check, copied};

const PACK: &str = "pack.yaml";
/// A mapping that every case below begins with.
const HOOK: &str = "  webhook.certs:\n    payload: {host: string, left: optional integer}\n    \
                    fields: {summary: body.host, service: body.host, environment: {from: [], default: staging}}\n";

/// The shipped pack with more under `intake`, and with lines before it.
fn with(before: &str, more: &str) -> Result<provost_domain::pack::Pack, FormErrors> {
    let folder = copied();
    let intake = "intake:                           # how a delivery becomes the fields of a session\n";
    change(folder.path(), PACK, intake, &format!("{before}intake:\n{more}"));
    check(folder.path())
}

#[track_caller]
fn refused(before: &str, more: &str, part: &str) {
    let errors = with(before, more).unwrap_err().0;
    assert!(errors.iter().any(|error| error.to_string().contains(part)), "{part}: {errors:?}");
    assert!(errors.iter().all(|error| error.line > 0 && !error.hint.is_empty()), "{errors:?}");
}

#[test]
fn a_declared_body_is_checked_and_what_is_not_declared_is_let_through() {
    let pack = with("", HOOK).unwrap();
    let format = DeliveryFormat::webhook("certs").unwrap();
    let opened = |body: serde_json::Value| first_case(Some(&pack), format, body.to_string().as_bytes());
    let fields = opened(json!({"host": "shop.example", "more": {"any": 1}})).unwrap().fields;
    assert_eq!((&fields["service"], &fields["environment"]), (&json!("shop.example"), &json!("staging")));
    for body in [json!({}), json!({"host": 7}), json!({"host": "a", "left": "soon"}), json!([])] {
        let error = opened(body.clone()).unwrap_err().to_string();
        assert!(error.contains("the form that the pack declares"), "{body}: {error}");
    }
}

#[test]
fn mistakes_in_a_webhook_are_found_at_load() {
    let hook = |from: &str, to: &str| HOOK.replace(from, to);
    refused("", &hook("body.host, service", "body.hots, service"), "did you mean `host`?");
    refused("", &hook("    payload: {host: string, left: optional integer}\n", ""), "does not say what its body is");
    refused("", &hook("host: string", "host: strng"), "expected a type");
    refused("", &hook("webhook.certs", "webhook.Certs"), "no deliveries have the form `webhook.Certs`");
    refused("", &hook("    fields", "    group: [body.hots]\n    fields"), "did you mean `host`?");
    let standard = "  github:\n    payload: outside\n    fields: {summary: event.action}\n";
    refused("", standard, "leave `payload` out");
    with("", &hook("{host: string, left: optional integer}", "outside").replace("body.host", "body.any.thing"))
        .unwrap();
}

#[test]
fn a_version_is_a_field_that_tells_no_case_from_another() {
    assert_eq!(with("supersede: [severity]\n", HOOK).unwrap().supersede, ["severity"]);
    refused("supersede: [sevrity]\n", HOOK, "did you mean `severity`?");
    refused("supersede: [service]\n", HOOK, "belongs to the identity of a case");
}

/// A schedule with a calendar and some fields.
fn schedule(calendar: &str, fields: &str) -> String {
    format!("  schedules:\n    - {{{calendar}, fields: {{{fields}}}}}\n")
}

const FIELDS: &str = "summary: 'due {{ schedule.at }}', service: shop, environment: staging";

#[test]
fn a_schedule_is_a_calendar_and_the_fields_of_a_case() {
    let pack = with("", &schedule("cron: 0 6 * * 1, zone: Europe/Berlin", FIELDS)).unwrap();
    assert_eq!(pack.schedules[0].calendar.to_string(), "0 6 * * 1 Europe/Berlin");
    assert_eq!(with("", &schedule("cron: '@daily'", FIELDS)).unwrap().schedules[0].calendar.to_string(), "@daily UTC");
}

#[test]
fn mistakes_in_a_schedule_are_found_at_load() {
    for (calendar, part) in [
        ("cron: 0 25 * * *", "is not a cron expression"),
        ("cron: 0 0 30 2 *", "never comes"),
        ("cron: 0 6 * * *, zone: Europe/Atlantis", "the time zone `Europe/Atlantis` is not known"),
        ("zone: UTC", "the key `cron` is missing"),
    ] {
        refused("", &schedule(calendar, FIELDS), part);
    }
    for (from, to, part) in [
        ("service: shop", "servce: shop", "the session has no field `servce`"),
        ("schedule.at", "schedule.att", "`att` is not a field here"),
        ("environment: staging", "environment: moon", "opens no case"),
        (", service: shop", "", "opens no case"),
    ] {
        refused("", &schedule("cron: 0 6 * * *", &FIELDS.replace(from, to)), part);
    }
}

/// Every mapping of the page on deliveries loads in the shipped pack.
#[test]
fn the_mappings_of_the_page_on_deliveries_load() {
    let page = include_str!("../../../../docs/src/intake.md");
    let blocks = page.split("```yaml\n# pack.yaml\nintake:\n").skip(1).filter_map(|rest| rest.split("```").next());
    let loaded: Vec<_> = blocks.map(|block| (block, with("", block).unwrap())).collect();
    for (block, pack) in &loaded {
        let own = block.split(':').next().unwrap().trim();
        assert!(pack.intake.contains_key(own), "{own}");
    }
    assert_eq!(loaded.len(), 5, "GitHub, PagerDuty, CloudEvents, a webhook and a schedule");
}
