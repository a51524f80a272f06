//! Typed reports are data in every face: on the page, in `sessions show`, in the Markdown report, in the API.

use provost_domain::access::AccessRole;
use provost_domain::ids::SessionId;
use provost_tests::binary;
use provost_tests::face::Face;
use provost_tests::house::House;
use provost_tests::pack;
use provost_tests::visitor::Visitor;
use serde_json::{Value, json};
use tokio::process::Command;

/// What a command prints that knows nothing but an address and a token.
async fn printed(face: &Face, secret: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(binary::provost().unwrap());
    command.args(arguments).args(["--server", &face.url]).env("PROVOST_TOKEN", secret);
    let output = command.current_dir("/").output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A session whose agents have all reported, and the position of the result that they cite.
async fn reported(house: &House) -> (SessionId, u64) {
    let session = house.session("staging").await;
    house.model.calls(&[("read__gauge", json!({"service": "shop"}))]);
    house.model.asked_times(2).await;
    let log = house.log(session).await;
    let seq = log.iter().find(|event| event.body.kind() == "tool_returned").unwrap().seq.0;
    let evidence = format!("{session}/{seq}");
    house.model.report(&json!({"real": true, "scope": "the *shop*", "evidence": [evidence]}));
    let likely = json!({"cause": "a bad | release", "confidence": 0.8, "for": [evidence], "cause_class": "release"});
    let other = json!({"cause": "<b>load</b>\u{1b}[31m", "confidence": 0.1, "for": [], "against": [evidence]});
    house.model.report(&json!({"hypotheses": [likely, other]}));
    house.model.report(&json!({"step": "none was safe", "outcome": "not_tried", "left": "look at the \u{202e}log"}));
    house.until(session, "needs_review").await;
    (session, seq)
}

/// Red without the typed parts in the face's reports.
#[tokio::test]
async fn typed_reports_are_data_on_the_page_the_command_line_and_in_markdown() {
    let face = Face::over(House::with(pack::typed()).await).await;
    let (session, seq) = reported(&face.house).await;
    let (id, secret) = (session.to_string(), face.secret(AccessRole::Viewer).await);

    let page = Visitor::logged_in(&face.url, &secret).await.get(&format!("/sessions/{id}")).await.text;
    let link = format!("<a href=\"#e{seq}\">#{seq}</a>");
    for part in [
        "<dt>real</dt><dd>yes</dd>",
        "<dt>scope</dt><dd>the *shop*</dd>",
        "<caption>hypotheses</caption>",
        "<th scope=\"col\">cause</th><th scope=\"col\">cause class</th><th scope=\"col\">confidence</th>",
        "<td>a bad | release</td><td>release</td><td>0.8</td>",
        "<td>&lt;b&gt;load&lt;/b&gt;␛[31m</td>",
        "<dt>outcome</dt><dd>not_tried</dd>",
        "look at the ⟨U+202E⟩log",
        &link,
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }

    let shown = printed(&face, &secret, &["sessions", "show", &id]).await;
    for part in ["real  yes", "scope  the *shop*", "CAUSE CLASS", "a bad | release", "<b>load</b>␛[31m", "not_tried"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(shown.contains(&format!("#{seq}")) && shown.contains("⟨U+202E⟩log"), "{shown}");

    let document = printed(&face, &secret, &["sessions", "report", &id]).await;
    for part in [
        "- real: yes",
        "- scope: the \\*shop\\*",
        "| cause | cause class | confidence | against | for |",
        &format!("| a bad \\| release | release | 0\\.8 |  | \\#{seq} |"),
        "&lt;b&gt;load&lt;/b&gt;␛\\[31m",
        "- outcome: not\\_tried",
    ] {
        assert!(document.contains(part), "{part} in {document}");
    }

    let json = printed(&face, &secret, &["sessions", "show", &id, "--output", "json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["reports"]["second"]["report"]["hypotheses"][0]["cause"], "a bad | release");
}

/// What the runtime measured is a typed report like the others.
#[tokio::test]
async fn a_measurement_is_data_too() {
    let face = Face::over(House::open().await).await;
    let session = face.house.session("staging").await;
    face.house.model.finish("watch", 0.9);
    face.house.model.asked_times(2).await;
    let (id, secret) = (session.to_string(), face.secret(AccessRole::Viewer).await);
    let page = Visitor::logged_in(&face.url, &secret).await.get(&format!("/sessions/{id}")).await.text;
    assert!(page.contains("<dt>verdict</dt><dd>recovered</dd>"), "{page}");
    let shown = printed(&face, &secret, &["sessions", "show", &id]).await;
    assert!(shown.contains("verdict  recovered") && shown.contains("in a row  2"), "{shown}");
    let document = printed(&face, &secret, &["sessions", "report", &id]).await;
    assert!(document.contains("- verdict: recovered") && document.contains("- in a row: 2"), "{document}");
}
