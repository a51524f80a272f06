//! Each role with a stub model actor of its own: what its agents are told, what they may hand back, what is sent back.
#![expect(clippy::unwrap_used, reason = "tests")]

mod investigator;
mod resolution;
mod triage;
mod watcher;

use std::sync::Arc;

use provost_domain::schema::ArgSchema;
use provost_domain::session::Session;
use provost_tests::house::House;
use provost_tests::model::StubModel;
use provost_tests::pack;
use serde_json::Value;

/// One session in which one agent of the pack is played by the test; the others end their turns with a report of their role.
pub(crate) struct Play {
    house: House,
    model: StubModel,
    session: provost_domain::ids::SessionId,
}

impl Play {
    pub(crate) async fn of(agent: &str) -> Self {
        let model = StubModel::for_agent(agent).await;
        let house = House::facing(pack::typed(), Arc::new(model.clone())).await;
        let session = house.session("staging").await;
        Self { house, model, session }
    }

    /// The same with a field that the pack adds to the agent's report: the id of a result.
    pub(crate) async fn with_evidence(agent: &str) -> Self {
        let model = StubModel::for_agent(agent).await;
        let mut pack = pack::typed();
        let id = serde_json::json!({"type": "string", "x-evidence": true});
        let fields = serde_json::json!({"type": "object", "required": ["seen"], "properties": {"seen": id}});
        pack.agents.get_mut(agent).unwrap().report_fields = ArgSchema::new(fields).ok();
        let house = House::facing(pack, Arc::new(model.clone())).await;
        let session = house.session("staging").await;
        Self { house, model, session }
    }

    /// The session once it is there.
    pub(crate) async fn until(&self, status: &str) -> Session {
        self.house.until(self.session, status).await
    }

    /// The last thing the agent was told, once it was asked so often.
    pub(crate) async fn told(&self, rounds: usize) -> String {
        let asked = self.model.asked_times(rounds).await;
        serde_json::to_string(&asked.last().unwrap().messages).unwrap()
    }

    /// Why these reports are sent back: the first gets this answer, the second ends the session with a typed failure.
    pub(crate) async fn refuses(agent: &str, report: Value, because: &str) {
        let play = Self::of(agent).await;
        play.model.report(&report);
        let told = play.told(2).await;
        assert!(told.contains(because), "{told}");
        play.model.report(&report);
        let session = play.until("error").await;
        assert!(session.status_reason().contains("report does not hold"), "{}", session.status_reason());
        assert!(session.status_reason().contains(because), "{}", session.status_reason());
    }

    /// Whether the agent's report was taken as it is.
    pub(crate) async fn takes(agent: &str, report: Value) {
        let play = Self::of(agent).await;
        play.model.report(&report);
        let session = play.until("needs_review").await;
        let stored = session.reports().get(agent).and_then(|report| report.report.clone());
        assert_eq!(stored.as_deref(), Some(&report));
    }
}

#[tokio::test]
async fn a_turn_that_gives_no_report_is_sent_back_once_and_then_fails() {
    let play = Play::of("first").await;
    play.model.finish("default", 0.9);
    let told = play.told(2).await;
    assert!(told.contains("`report` is missing"), "{told}");
    play.model.finish("default", 0.9);
    let session = play.until("error").await;
    assert_eq!(session.status_reason(), "the turn's report does not hold: the argument `report` is missing");
}

#[tokio::test]
async fn where_no_report_is_demanded_one_that_is_given_is_checked_all_the_same() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.report(&serde_json::json!({"real": "perhaps"}));
    let asked = house.model.asked_times(2).await;
    let told = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(told.contains("Your report does not hold"), "{told}");
    house.model.finish("default", 0.9);
    house.model.finish("default", 0.9);
    house.model.finish("default", 0.9);
    house.until(session, "needs_review").await;
}
