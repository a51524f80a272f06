//! What is shipped loads, and means what it says.

use provost_domain::gate::GateAction;
use serde_json::json;

use crate::support::{check, shipped};

#[test]
fn the_shipped_pack_loads() {
    let pack = check(&shipped("skills/incident")).unwrap();
    assert_eq!((pack.name.as_str(), pack.agents.len(), pack.entry.as_str()), ("incident", 4, "triage"));
    let resolved = pack.terminal_tools.get("mark_resolved").unwrap();
    let args = json!({"summary": "s", "confidence": 1, "rationale": "r", "evidence": ["x"]});
    assert_eq!(resolved.schema.problems(&args), Vec::<String>::new());
    let with_status = json!({"summary": "s", "confidence": 1, "rationale": "r", "evidence": ["x"], "status": "x"});
    assert_eq!(resolved.schema.problems(&with_status).len(), 1);
    assert!(pack.agents.values().all(|agent| agent.watch.is_some() || agent.prompt.contains("finish_turn")));
    assert!(pack.agents.values().all(|agent| !agent.prompt.contains("description:")));
    assert_eq!(pack.gates.rules[1].action, Some(GateAction::Approve));
    assert_eq!(pack.gates.rules[1].environments, ["production"]);
    assert_eq!(pack.limits.session_cost_micro_usd, 2_000_000);
    let severity = pack.patch_tools.get("update_incident").unwrap().aliases.get("severity").unwrap();
    assert_eq!(severity.get("sev1").unwrap(), "critical");
    let escalated = pack.terminal_tools.get("mark_escalated").unwrap();
    assert_eq!(escalated.rosters.get("team").unwrap(), "teams");
}
