//! The mapping from deliveries to fields: mistakes in it, and what the shipped one makes of what senders send.

use provost_mail::{BadDelivery, DeliveryFormat, Opening, first_case};
use serde_json::{Value, json};

use crate::mistakes::check_all;
use crate::support::{change, check, copied, shipped};

const PACK: &str = "pack.yaml";

#[test]
fn mistakes_in_a_mapping() {
    check_all(&[
        (PACK, "\n  alertmanager:\n", "\n  ¦alertmanagr:\n", "did you mean `alertmanager`?"),
        (PACK, "    onset: alert.startsAt", "    ¦onst: alert.startsAt", "did you mean `onset`?"),
        (PACK, "    onset: alert.startsAt", "    onset: ¦alert.startAt", "column 7: `startAt` is not a field here"),
        (PACK, "    onset: alert.startsAt", "    onset: ¦alert.", "column 7"),
        (PACK, "    onset: alert.startsAt", "    group: [¦alert.name]", "`alert` is not known here"),
        (PACK, "links: [alert.generatorURL,", "links: [¦alrt.generatorURL,", "did you mean `alert`?"),
        (PACK, "    when: '!(alert", "    when: ¦alert.name # '!(alert", "a condition is needed here"),
        (PACK, "      alert: alert\n", "      ¦alrt: alert\n", "the session has no field `alrt`"),
        (PACK, "          - alert.labels.app\n", "          - ¦labels.app\n", "`labels` is not known here"),
        (PACK, "prd | live: production", "prd | live: ¦prodction", "did you mean `production`?"),
        (PACK, "stg | stage: staging", "stg | stage: staging, ¦prod: staging", "the word `prod` is there twice"),
        (
            PACK,
            "        default: production\n",
            "        default: ¦moon\n",
            "is not a value of the field `environment`",
        ),
        (PACK, "        default: event\n", "        default: ¦7\n", "is not a value of the field `summary`"),
        (PACK, "      severity: {from: [event", "      severity: {¦form: [], from: [event", "did you mean `from`?"),
        (PACK, "[event.payload.severity]", "¦{a: b}", "expected a list"),
        (PACK, "      alert: event\n", "      alert: ¦[event]\n", "expected a text"),
        (PACK, "samples/disk-space.json", "¦samples/none.json", "no file `samples/none.json`"),
        (PACK, "samples: [samples/disk-space.json]", "samples: [¦pack.yaml]", "opens no case"),
    ]);
}

#[test]
fn a_field_that_every_session_needs_is_mapped() {
    let folder = copied();
    let (line, column) = change(folder.path(), PACK, "\n  pagerduty: ", "\n  ¦pagerduty: ");
    change(
        folder.path(),
        PACK,
        "          - event.payload.source\n      environment:\n",
        "          - event.payload.source\n      team:\n",
    );
    let errors = check(folder.path()).unwrap_err().0;
    let about = |part: &str| errors.iter().find(|error| error.message.contains(part)).unwrap();
    let missing = about("gives no `environment`");
    assert_eq!((missing.line, missing.column), (line, column), "{missing}");
    about("has no field `team`");
}

#[track_caller]
fn opened(format: DeliveryFormat, body: &Value) -> Result<Opening, BadDelivery> {
    let pack = check(&shipped("skills/incident")).unwrap();
    first_case(Some(&pack), format, body.to_string().as_bytes())
}

#[track_caller]
fn of_alert(labels: &Value) -> Opening {
    try_alert(labels).unwrap()
}

fn try_alert(labels: &Value) -> Result<Opening, BadDelivery> {
    let alert = json!({"status": "firing", "labels": labels, "annotations": {"summary": "it hurts"},
        "startsAt": "2026-01-01T00:00:00Z", "generatorURL": "http://p/graph", "fingerprint": "1"});
    opened(DeliveryFormat::Alertmanager, &json!({"version": "4", "groupKey": "g", "alerts": [alert]}))
}

/// The labels of a stock rule on an exporter's series.
fn stock() -> Value {
    json!({"alertname": "KubePodCrashLooping", "job": "kube-state-metrics", "namespace": "orders", "pod": "api-0",
        "service": "stack-kube-state-metrics", "severity": "warning", "instance": "10.1.2.3:8080"})
}

#[test]
fn a_stock_rule_opens_a_case_of_what_is_ill_and_not_of_its_exporter() {
    let Opening { fields, origin, .. } = of_alert(&stock());
    assert_eq!(
        (&fields["service"], &fields["environment"], &fields["severity"]),
        (&json!("orders"), &json!("production"), &json!("medium"))
    );
    assert_eq!((origin.links.as_slice(), origin.unknown_words.len()), (["http://p/graph".to_owned()].as_slice(), 0));
    assert!(origin.onset.is_some());
    for (labels, service) in [
        (json!({"alertname": "A", "service": "node-exporter", "instance": "web1:9100"}), "web1:9100"),
        (json!({"alertname": "A", "service": "blackbox", "app": "shop"}), "shop"),
        (json!({"alertname": "BudgetBurn", "severity": "critical"}), "BudgetBurn"),
        (json!({"alertname": "A", "job": "shop"}), "A"),
    ] {
        assert_eq!(of_alert(&labels).fields["service"], service, "{labels}");
    }
}

#[test]
fn words_are_read_and_unknown_ones_stay_visible() {
    let with = |name: &str, word: &str| {
        let mut labels = stock();
        labels[name] = json!(word);
        of_alert(&labels)
    };
    for (word, environment) in [("PROD", "production"), ("stage", "staging"), ("Staging", "staging")] {
        assert_eq!(with("environment", word).fields["environment"], environment, "{word}");
    }
    for (word, severity) in [("P1", "critical"), ("warn", "medium"), ("P1 - Critical", "critical"), ("low", "low")] {
        assert_eq!(with("severity", word).fields["severity"], severity, "{word}");
    }
    let odd = with("severity", "purple");
    assert_eq!((&odd.fields["severity"], odd.origin.unknown_words["severity"].as_str()), (&json!("high"), "purple"));
    let moon = with("environment", "the-moon");
    assert_eq!(
        (&moon.fields["environment"], moon.origin.unknown_words["environment"].as_str()),
        (&json!("production"), "the-moon")
    );
}

#[test]
fn an_alert_that_always_fires_is_passed_over_and_one_about_nothing_is_refused() {
    let watchdog = try_alert(&json!({"alertname": "Watchdog", "severity": "none"})).unwrap_err().to_string();
    assert!(watchdog.contains("nothing to work on"), "{watchdog}");
    let nothing = try_alert(&json!({"pod": "web-0"})).unwrap_err().to_string();
    assert!(nothing.contains("the `service`") && nothing.contains("alert.labels.namespace"), "{nothing}");
}

#[test]
fn events_without_an_environment_open_cases() {
    let event = |payload: Value| {
        let body = json!({"event_action": "trigger", "dedup_key": "d", "client_url": "https://z", "payload": payload});
        opened(DeliveryFormat::Pagerduty, &body).unwrap()
    };
    let zabbix = json!({"summary": "Problem: disk", "source": "db1 : 10.0.0.5", "severity": "error",
        "custom_details": {"Event host": "db1"}});
    let sentry = json!({"summary": "TypeError", "source": "checkout.pay", "severity": "warning", "component": "web-shop",
        "custom_details": {"url": "https://s/1"}});
    for (payload, service, severity) in [(zabbix, "db1", "high"), (sentry, "web-shop", "medium")] {
        let Opening { fields, origin, .. } = event(payload);
        assert_eq!(
            (&fields["service"], &fields["environment"], &fields["severity"]),
            (&json!(service), &json!("production"), &json!(severity))
        );
        assert_eq!(origin.links, ["https://z"]);
    }
}
