//! What decides is in the log: the request before it leaves, byte for byte; the tools and roles a session goes on with. What
//! only a server can read of its replies goes back to it as it came, and to no other.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use provost_domain::command::{Ask, Command, Report};
use provost_domain::decide;
use provost_domain::event::{Event, EventBody, ModelRequested, SessionCreated};
use provost_domain::ids::{Digest, Fence, Handle, Seq, SessionId};
use provost_domain::model::{Message, ModelOrigin, ModelReply, ModelRequest, OpaqueItem, OpaquePlace};
use provost_domain::origin::CaseOrigin;
use provost_domain::port::ModelProvider;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_tests::facts::DecisionDesk;
use provost_tests::house::{House, Tools, person};
use provost_tests::model::{Answer, PATIENCE, reply};
use provost_tests::pack;
use serde_json::json;
use tokio::sync::watch;

/// A model on a server that can be moved. Its first reply holds what only it can read; then it says nothing more.
#[derive(Debug)]
struct Reasoner {
    server: Mutex<&'static str>,
    asked: watch::Sender<Vec<(ModelRequest, Vec<u8>)>>,
}

impl Reasoner {
    fn new() -> Arc<Self> {
        Arc::new(Self { server: Mutex::new("https://one.example/v1"), asked: watch::channel(Vec::new()).0 })
    }

    /// The questions so far, once there are this many.
    async fn asked(&self, count: usize) -> Vec<(ModelRequest, Vec<u8>)> {
        let mut asked = self.asked.subscribe();
        let enough = tokio::time::timeout(PATIENCE, asked.wait_for(|asked| asked.len() >= count)).await;
        enough.unwrap().unwrap().clone()
    }
}

/// Short and long, in an order that is not the alphabet's, one with spaces that a parser would lose.
fn sealed() -> Vec<OpaqueItem> {
    let key = |key: &str| OpaquePlace::Message { key: key.to_owned() };
    vec![
        OpaqueItem::new(key("z"), "{\"b\" : 1.50,  \"a\":2}"),
        OpaqueItem::new(key("a"), format!("\"{}\"", "s".repeat(9_000))),
        OpaqueItem::new(OpaquePlace::Call { call: 0, key: "signature".to_owned() }, "\"sig==\""),
        OpaqueItem::new(OpaquePlace::Item { index: 0 }, "{\"type\":\"reasoning\"}"),
    ]
}

#[async_trait]
impl ModelProvider for Reasoner {
    fn origin(&self, name: &str) -> ModelOrigin {
        ModelOrigin { server: (*self.server.lock().unwrap()).to_owned(), model: name.to_owned() }
    }

    async fn ask(&self, request: &ModelRequest, body: &[u8]) -> Answer {
        self.asked.send_modify(|asked| asked.push((request.clone(), body.to_vec())));
        if request.round > 1 {
            return std::future::pending().await;
        }
        Ok(ModelReply { opaque: sealed(), ..reply("", &[("read__gauge", json!({"window": "5m"}))]) })
    }
}

/// Text by text, where it stood, of what goes back with the first reply of a question.
fn sent_back(request: &ModelRequest) -> Option<Vec<(OpaquePlace, String)>> {
    request.messages.iter().find_map(|message| match message {
        Message::Assistant { opaque, .. } => {
            let items = opaque.as_ref()?.items.iter();
            Some(items.map(|item| (item.place.clone(), item.text().unwrap().to_owned())).collect())
        }
        Message::User { .. } | Message::Tool { .. } => None,
    })
}

fn whole() -> Vec<(OpaquePlace, String)> {
    sealed().iter().map(|item| (item.place.clone(), item.text().unwrap().to_owned())).collect()
}

async fn requests(house: &House, session: SessionId) -> Vec<ModelRequested> {
    let log = house.log(session).await;
    let requests = log.into_iter().filter_map(|event| match event.body {
        EventBody::ModelRequested(asked) => Some(asked),
        _ => None,
    });
    requests.collect()
}

#[tokio::test]
async fn a_request_stands_in_the_log_with_its_exact_bytes_before_it_leaves() {
    let model = Reasoner::new();
    let house = House::facing(pack::pack(), Arc::<Reasoner>::clone(&model)).await;
    let session = house.session("staging").await;
    let asked = model.asked(2).await;
    // The second question was asked and is not answered.
    let recorded = requests(&house, session).await;
    assert_eq!(recorded.len(), 2);
    for (recorded, (request, body)) in recorded.iter().zip(&asked) {
        assert_eq!(recorded.round, request.round);
        assert_eq!(recorded.server.as_deref(), Some("https://one.example/v1"));
        assert_eq!(recorded.model.as_deref(), Some("stub"));
        assert_eq!(recorded.body_sha256, Some(Digest::of(body)));
    }
    house.engine.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test]
async fn what_only_a_server_can_read_goes_back_to_it_as_it_came_also_after_a_crash() {
    let model = Reasoner::new();
    let house = House::facing(pack::pack(), Arc::<Reasoner>::clone(&model)).await;
    let session = house.session("staging").await;
    let before = model.asked(2).await.pop().unwrap();
    assert_eq!(sent_back(&before.0), Some(whole()));
    let house = house.crash().await;
    let after = model.asked(3).await.pop().unwrap();
    assert_eq!((sent_back(&after.0), &after.1), (Some(whole()), &before.1));
    assert_eq!(requests(&house, session).await.len(), 2, "the same request is recorded once");
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.engine.shutdown(std::time::Duration::ZERO).await;
}

#[tokio::test]
async fn another_server_is_sent_nothing_of_it_and_its_request_is_recorded_before_it_leaves() {
    let model = Reasoner::new();
    let house = House::facing(pack::pack(), Arc::<Reasoner>::clone(&model)).await;
    let session = house.session("staging").await;
    let before = model.asked(2).await.pop().unwrap();
    *model.server.lock().unwrap() = "https://two.example/v1";
    let house = house.crash().await;
    let (request, body) = model.asked(3).await.pop().unwrap();
    assert_eq!(sent_back(&request), None);
    assert_ne!(body, before.1);
    let recorded = requests(&house, session).await;
    let last = recorded.last().unwrap();
    assert_eq!((recorded.len(), last.round, last.server.as_deref()), (3, 2, Some("https://two.example/v1")));
    assert_eq!(last.body_sha256, Some(Digest::of(&body)));
    house.engine.shutdown(std::time::Duration::ZERO).await;
}

/// What a session's log says after it was taken over with these tools.
fn taken_over(session: &Session, desk: &DecisionDesk) -> (Vec<&'static str>, Session) {
    let verdict = decide::report(session.clone(), Report::TakenOver, &desk.facts(session.updated_at(), Fence(2)));
    (verdict.events.iter().map(EventBody::kind).collect(), verdict.after)
}

#[tokio::test]
async fn a_session_that_goes_on_with_other_tools_says_so_once() {
    let tools = || provost_engine::ToolGateway::new(Tools::new().all()).catalog();
    let desk = DecisionDesk::new(pack::pack(), tools());
    let mut less = tools();
    drop(less.pop_last());
    let other = DecisionDesk::new(pack::pack(), less);
    let now = Timestamp::from_micros(1_000_000);
    let inputs = desk.facts(now, Fence(1)).inputs;
    let created = SessionCreated {
        session: SessionId::new(uuid::Uuid::from_u128(7)),
        handle: Handle::new("CASE-1"),
        pack: desk.pack.name.clone(),
        pack_version: desk.pack.version,
        pack_digest: desk.pack.digest,
        fields: House::fields("staging").into(),
        parent: None,
        by: person("opener"),
        catalogue_digest: Some(inputs.catalogue),
        roles_digest: Some(inputs.roles),
        origin: CaseOrigin::default(),
    };
    let body = decide::create(created.clone());
    let session = Session::create(&Event { seq: Seq(1), at: now, fence: Fence(1), body }).unwrap();
    let start = Command { by: person("opener"), if_version: None, ask: Ask::Start };
    let session = decide::command(&session, &start, &desk.facts(now, Fence(1))).unwrap().after;
    assert_eq!(taken_over(&session, &desk).0, Vec::<&str>::new());
    // The question is another one too: it offers other tools.
    let (kinds, session) = taken_over(&session, &other);
    assert_eq!(kinds.first(), Some(&"catalogue_changed"), "{kinds:?}");
    assert_eq!(session.catalogue_digest(), Some(other.facts(now, Fence(1)).inputs.catalogue));
    assert_eq!(taken_over(&session, &other).0, Vec::<&str>::new());
    // Of an older log nobody knows what it went on with.
    let unknown = SessionCreated { catalogue_digest: None, roles_digest: None, ..created };
    let body = decide::create(unknown);
    let session = Session::create(&Event { seq: Seq(1), at: now, fence: Fence(1), body }).unwrap();
    assert_eq!(taken_over(&session, &desk).0, ["catalogue_changed"]);
}
