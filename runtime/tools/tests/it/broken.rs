//! Sections of tool servers with a mistake: each is refused with its place, what is wrong, and what to do.

use provost_form::{ErrorLog, FormErrors, FromYaml as _, parse};
use provost_tools::ToolsConfig;

/// The errors of a section, in the order of the file.
fn errors(text: &str) -> FormErrors {
    let mut log = ErrorLog::new("/etc/provost/provost.yaml".into());
    let node = parse(text, &mut log).unwrap();
    drop(ToolsConfig::read(&node, &mut log));
    FormErrors::sorted(log.errors)
}

/// One mistake: where it is, and parts of message and hint.
#[track_caller]
pub(crate) fn refused(text: &str, (line, column): (u64, u64), message: &str, hint: &str) {
    let errors = errors(text);
    let [error] = errors.0.as_slice() else { panic!("{text}: {errors}") };
    assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    assert!(error.message.contains(message), "{text}: {error}");
    assert!(error.hint.contains(hint), "{text}: {error}");
    assert!(!errors.to_string().contains("hush"), "{errors}");
}

const URL: &str = "url: \"http://h\"";

#[test]
fn a_server_has_a_name_a_kind_and_known_keys() {
    let kinds = "alertmanager, command, files, http, loki, mcp, metrics, notify, probe, prometheus";
    refused("[]", (1, 1), "expected a table of tool servers", kinds);
    refused(&format!("alerts: {{{URL}}}"), (1, 1), "unknown key `alerts`", "A server of your own has a `kind`");
    refused(&format!("metrix: {{{URL}}}"), (1, 1), "unknown key `metrix`", "did you mean `metrics`?");
    refused(
        &format!("a: {{kind: alertmanger, {URL}}}"),
        (1, 11),
        "the kind is not known",
        "did you mean `alertmanager`?",
    );
    refused(&format!("a: {{kind: 7, {URL}}}"), (1, 11), "expected a text", "in quotes");
    refused(&format!("a: {{kind: \"\", {URL}}}"), (1, 11), "the text is empty", "write one");
    for name in ["a:b", "1a", "a b", "_a", "ä", &"a".repeat(41)] {
        let text = format!("\"{name}\": {{kind: alertmanager, {URL}}}");
        refused(&text, (1, 1), "cannot be the name of a server", "at most 40");
    }
    refused("a: {kind: alertmanager}", (1, 4), "the key `url` is missing", "add `url:`");
    refused(
        &format!("a:\n  kind: alertmanager\n  {URL}\n  header: {{}}"),
        (4, 3),
        "unknown key `header`",
        "did you mean `headers`?",
    );
    refused(&format!("a: {{kind: alertmanager, {URL}, endpoint: x}}"), (1, 42), "unknown key `endpoint`", "");
}

#[test]
fn an_address_is_one_of_http_and_holds_no_secret() {
    let url = |url: &str| format!("a:\n  kind: alertmanager\n  url: \"{url}\"");
    let at = (3, 8);
    refused(&url("nowhere"), at, "not an address: relative URL", "http://127.0.0.1:9090");
    refused(&url("ftp://h/"), at, "neither http nor https", "http://127.0.0.1:9090");
    refused(&url("file:///etc/passwd"), at, "neither http nor https", "");
    refused(&url("http://u:hush@h/"), at, "a user's name or a password", "auth: {basic:");
    refused(&url("http://hush@h/"), at, "a user's name or a password", "auth: {basic:");
    refused(&url("http://h/?token=hush"), at, "has parameters", "remove what follows the `?`");
    refused(&url("http://h/#part"), at, "after `#`", "remove it");
    refused("a: {kind: alertmanager, url: [x]}", (1, 30), "expected a text, found a list", "one value");
}

#[test]
fn a_secret_is_named_by_its_place_alone() {
    let auth = |auth: &str| format!("a:\n  kind: alertmanager\n  url: \"https://h\"\n  auth: {auth}");
    let at = (4, 9);
    let ways = "{bearer: {credential: ID}}";
    refused(&auth("hush"), at, "expected a way to authenticate, found a text", ways);
    refused(&auth("{}"), at, "exactly one way", ways);
    refused(&auth("{bearer: {env: A}, header: X}"), at, "exactly one way", ways);
    refused(&auth("{bearer: {env: A}, env: B}"), at, "`bearer` stands alone", ways);
    refused(&auth("{bearer: hush}"), (4, 18), "here stands where the secret is", "{credential: ID}");
    refused(&auth("{bearer: {token: hush}}"), (4, 18), "here stands where the secret is", "{credential: ID}");
    refused(&auth("{baerer: {env: A}, header: X, env: B}"), (4, 10), "unknown key `baerer`", "did you mean `bearer`?");
    refused(&auth("{basic: {user: u}}"), (4, 17), "the key `password` is missing", "add `password:`");
    refused(&auth("{basic: {user: \"u:v\", password: {env: A}}}"), (4, 24), "a colon", "another user");
    refused(
        &auth("{basic: {user: u, password: hush}}"),
        (4, 37),
        "here stands where the secret is",
        "{credential: ID}",
    );
    refused(&auth("{header: \"X Y\", env: A}"), (4, 18), "not the name of a header", "X-Api-Key");
    refused(&auth("{header: X-Key}"), at, "here stands where the secret is", "{credential: ID}");
    refused(&auth("{header: X-Key, value: hush}"), (4, 25), "unknown key `value`", "");
    let clear = "a:\n  kind: alertmanager\n  url: \"http://am.example\"\n  auth: {bearer: {env: A}}";
    refused(clear, (3, 8), "would cross the network in the clear", "use https");
}

#[test]
fn headers_and_certificates() {
    let more = |more: &str| format!("a:\n  kind: alertmanager\n  url: \"https://h\"\n  {more}");
    refused(&more("headers: [x]"), (4, 12), "expected a table of headers", "X-Scope-OrgID");
    refused(&more("headers: {\"X Y\": a}"), (4, 13), "not the name of a header", "X-Scope-OrgID");
    refused(&more("headers: {authorization: hush}"), (4, 13), "holds a secret", "under `auth`");
    refused(&more("headers: {Cookie: hush}"), (4, 13), "holds a secret", "under `auth`");
    refused(&more("headers: {Host: h}"), (4, 13), "by the client itself", "remove it");
    refused(&more("headers: {X-A: \"a\\nb\"}"), (4, 18), "cannot stand in a header", "on one line");
    refused(&more("headers: {X-A: 7}"), (4, 18), "expected a text", "in quotes");
    refused(&more("tls: {cert: c.pem}"), (4, 8), "`cert` and `key` belong together", "write both");
    refused(&more("tls: {key: {env: K}}"), (4, 8), "`cert` and `key` belong together", "write both");
    refused(&more("tls: {cert: c.pem, key: hush}"), (4, 27), "here stands where the secret is", "{credential: ID}");
    refused(&more("tls: {ca_file: c.pem}"), (4, 9), "unknown key `ca_file`", "");
}

#[test]
fn what_is_said_of_a_tool_only_tightens() {
    let tools = |tools: &str| format!("a:\n  kind: alertmanager\n  url: \"https://h\"\n  tools: {tools}");
    refused(&tools("[list]"), (4, 10), "expected a table of tools", "NAME");
    refused(&tools("{lists: {risk: high}}"), (4, 11), "this server has no tool `lists`", "did you mean `list`?");
    refused(&tools("{list: high}"), (4, 17), "expected a table", "its keys are");
    refused(&tools("{list: {rsik: high}}"), (4, 18), "unknown key `rsik`", "did you mean `risk`?");
    refused(&tools("{list: {risk: higher}}"), (4, 24), "`higher` is not known here", "did you mean `high`?");
    refused(&tools("{list: {effect: writes}}"), (4, 26), "`writes` is not known here", "");
    refused(&tools("{list: {effect: probe}}"), (4, 26), "cannot be asked", "read or idempotent or unsafe");
    refused(&tools("{list: {timeout: 0s}}"), (4, 27), "at most 10 minutes", "30s");
    refused(&tools("{list: {timeout: 11m}}"), (4, 27), "at most 10 minutes", "30s");
    refused(&tools("{list: {timeout: 30}}"), (4, 27), "expected a duration", "30s");
    refused(&tools("{list: {output: 8KB}}"), (4, 26), "expected a size", "8KiB");
    refused(&tools("{list: {output: 2MiB}}"), (4, 26), "expected a size", "1MiB");
    refused(&tools("{list: {output: 10}}"), (4, 26), "expected a size", "256B");
    refused(&tools("{list: {rate: 6/day}}"), (4, 24), "not a rate of calls", "6/min");
    refused(&tools("{list: {rate: 0/s}}"), (4, 24), "not a rate of calls", "6/min");
    refused(&tools("{list: {target: shop}}"), (4, 26), "ENVIRONMENT/COMPONENT", "{{ args.environment }}");
    refused(&tools("{list: {repeat: {max: 0, within: 1m}}}"), (4, 32), "a whole number from 1", "");
    refused(&tools("{list: {about: \"\"}}"), (4, 25), "the text is empty", "");
}

#[test]
fn all_mistakes_of_all_servers_come_at_once() {
    let errors =
        errors("a: {kind: alertmanager, url: x}\nb: {kind: nothing}\nc: {}\nd: {kind: alertmanager, tools: {x: {}}}");
    assert_eq!(errors.0.len(), 5, "{errors}");
}
