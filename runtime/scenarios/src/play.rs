//! One scenario from its case to its end: the real engine over a store in memory, in virtual time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use provost_domain::event::Event;
use provost_domain::ids::{CmdId, Seq, SessionId};
use provost_domain::pack::Pack;
use provost_domain::port::{Clock, Reads as _, Roles, StoreError, ToolBackend};
use provost_domain::principal::Principal;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::tool::{Catalog, ToolSpec};
use provost_engine::{
    Case, Engine, EngineError, EngineSettings, ModelGateway, ModelLimits, Ports, ReadError, Resources, StartError,
    SystemRandom, Tail, ToolGateway,
};
use provost_face::{CallNames, Level, VisibleText, narrate};
use provost_form::FormError;
use provost_store::MemoryStore;
use tokio::sync::broadcast::error::RecvError;

use crate::coverage::Coverage;
use crate::people::{OpenAsk, PeopleQueue};
use crate::scenario::Scenario;
use crate::stage::{ModelDouble, Stage, ToolDouble, VirtualClock};
use crate::verdict;

/// Longest play, in virtual time: longer than any approval or question is left open.
const LASTS_MAX: Duration = Duration::from_hours(24 * 8);
/// How often the engine looks for sessions whose time has come, in virtual time.
const SWEEP: Duration = Duration::from_secs(5);
/// Longest line of a story, in characters.
const LINE_MAX: usize = 160;

/// What came of one scenario.
#[derive(Debug)]
pub struct Playback {
    /// The scenario's name.
    pub name: String,
    /// Where it is written.
    pub file: PathBuf,
    /// The first difference to what was expected; `None` where there is none.
    pub difference: Option<FormError>,
    /// What happened, a line each.
    pub story: Vec<String>,
    /// What the session reached.
    pub coverage: Coverage,
    /// How long it lasted, in virtual time.
    pub lasted: Duration,
}

/// What every scenario of a pack is played with.
#[derive(Debug, Clone)]
pub(crate) struct PlayParts {
    pub(crate) pack: Arc<Pack>,
    pub(crate) catalog: Catalog,
    pub(crate) roles: Arc<dyn Roles>,
}

/// Why a scenario cannot be played at all.
#[derive(Debug)]
enum PlayFailure {
    Runtime(std::io::Error),
    Start(StartError),
    Engine(EngineError),
    Store(StoreError),
    Log(ReadError),
    /// The log has no session.
    Nothing,
}

impl std::fmt::Display for PlayFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "{error}"),
            Self::Start(error) => write!(f, "{error}"),
            Self::Engine(error) => write!(f, "{error}"),
            Self::Store(error) => write!(f, "{error}"),
            Self::Log(error) => write!(f, "{error}"),
            Self::Nothing => f.write_str("the session has no events"),
        }
    }
}

/// The log of a play, and what broke it off.
struct PlayLog {
    events: Vec<Event>,
    broke: Option<FormError>,
    /// The first person who was never asked.
    left: Option<FormError>,
}

/// Plays a scenario. Blocks; must not be called on a thread of an async runtime.
pub(crate) fn play(given: &PlayParts, scenario: &Scenario) -> Playback {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let played = runtime.map_err(PlayFailure::Runtime).and_then(|runtime| {
        let log = runtime.block_on(Box::pin(within(given, scenario)))?;
        let session = Session::fold(&log.events).ok().flatten().ok_or(PlayFailure::Nothing)?;
        Ok((log, session))
    });
    let (name, file) = (scenario.name.clone(), scenario.file.clone());
    match played {
        Ok((log, session)) => {
            let PlayLog { events, broke, left } = log;
            let difference = broke.or_else(|| verdict::difference(scenario, &session, &events)).or(left);
            let lasted = session.updated_at().since(session.created_at());
            let coverage = Coverage::of(&given.pack, &given.catalog, &events);
            Playback { name, file, difference, story: story(&events), coverage, lasted }
        }
        Err(failure) => {
            let message = format!("the scenario cannot be played: {failure}");
            let hint = "this is a fault of the runtime or of the case; see the message";
            let difference = Some(FormError::at(&file, scenario.start, message, hint));
            Playback {
                name,
                file,
                difference,
                story: Vec::new(),
                coverage: Coverage::default(),
                lasted: Duration::ZERO,
            }
        }
    }
}

async fn within(given: &PlayParts, scenario: &Scenario) -> Result<PlayLog, PlayFailure> {
    let (store, stage) = (Arc::new(MemoryStore::new()), Arc::new(Stage::default()));
    let engine = engine(given, scenario, &store, &stage).await.map_err(PlayFailure::Start)?;
    let session = SessionId::new(uuid::Uuid::now_v7());
    let opening = scenario.case.clone();
    let opened = engine.open(Case {
        id: session,
        pack: given.pack.name.clone(),
        fields: opening.fields,
        title: opening.title,
        by: opening.form.map_or_else(|| Principal::user("opener"), Principal::Intake),
        parent: None,
        origin: opening.origin,
        start: true,
    });
    opened.await.map_err(PlayFailure::Engine)?;
    let mut driver = SessionDriver {
        engine: &engine,
        store: &store,
        stage: &stage,
        session,
        people: PeopleQueue::new(&scenario.people),
    };
    let broke = match tokio::time::timeout(LASTS_MAX, driver.drive(scenario)).await {
        Ok(broke) => broke?,
        Err(_elapsed) => {
            let message = format!("the session still waits after {} days", LASTS_MAX.as_secs() / 86_400);
            let hint = "let somebody under `people` answer, or expect the status it rests in";
            Some(FormError::at(&scenario.file, scenario.start, message, hint))
        }
    };
    let left = driver.people.first_left().map(|person| {
        let message = format!("`{}` was never asked about `{}`", person.name, person.asked.value);
        FormError::at(&scenario.file, person.asked.place, message, "take the entry out, or let the session come to it")
    });
    let events = events(&store, session).await?;
    engine.shutdown(Duration::ZERO).await;
    Ok(PlayLog { events, broke, left })
}

async fn engine(
    given: &PlayParts,
    scenario: &Scenario,
    store: &Arc<MemoryStore>,
    stage: &Arc<Stage>,
) -> Result<Engine, StartError> {
    let ports = Ports {
        store: Arc::clone(store) as _,
        commands: Arc::clone(store) as _,
        reads: Arc::clone(store) as _,
        roles: Arc::clone(&given.roles),
        clock: Arc::new(VirtualClock::new()) as Arc<dyn Clock>,
        random: Arc::new(SystemRandom),
        metrics: Registry::new(),
    };
    let double = |spec: &ToolSpec| {
        let place = (scenario.file.clone(), scenario.start);
        Arc::new(ToolDouble::new(spec, scenario.tools.get(&spec.name), place, stage)) as Arc<dyn ToolBackend>
    };
    let tools: Vec<_> = given.catalog.values().map(|spec| double(spec)).collect();
    let model = Arc::new(ModelDouble {
        script: Arc::clone(&scenario.model),
        file: scenario.file.clone(),
        place: scenario.model_place,
        stage: Arc::clone(stage),
    });
    let models = given.pack.agents.values().map(|agent| agent.model.clone());
    let models = models.collect::<BTreeSet<_>>().into_iter();
    let models = models.fold(ModelGateway::default(), |gateway, name| {
        gateway.with(name, Arc::clone(&model) as _, ModelLimits::default())
    });
    // A failure that a scenario scripts is one that stays: nothing is waited for.
    let resources = Resources::new(vec![Arc::clone(&given.pack)], models, ToolGateway::new(tools));
    let resources = resources.with_outage_budget(Duration::ZERO);
    let settings = EngineSettings { sweep_every: SWEEP, ..EngineSettings::default() };
    Engine::start(ports, resources, settings).await
}

/// Follows a session and lets people answer.
struct SessionDriver<'a> {
    engine: &'a Engine,
    store: &'a MemoryStore,
    stage: &'a Stage,
    session: SessionId,
    people: PeopleQueue<'a>,
}

impl SessionDriver<'_> {
    /// Goes on until the session has ended, or rests where the scenario expects it to; or something breaks it off.
    async fn drive(&mut self, scenario: &Scenario) -> Result<Option<FormError>, PlayFailure> {
        loop {
            self.until(|status, _| *status != Status::New && *status != Status::InProgress).await?;
            if let Some(gap) = self.stage.gap() {
                return Ok(Some(gap));
            }
            let session = self.folded().await?;
            if session.status().is_end() {
                return Ok(None);
            }
            let open = OpenAsk::of(&session);
            let Some((person, ask)) = self.people.next(&open) else {
                return Ok(unanswered(scenario, &session, &open));
            };
            if person.is_silent() {
                let head = session.head();
                self.until(|_, now| now != head).await?;
                continue;
            }
            let wrong = |message: String| Some(FormError::at(&scenario.file, person.asked.place, message, ANSWERS));
            let Some(command) = person.command(&ask) else {
                return Ok(wrong(format!("`{}` was asked {}, which this does not answer", person.name, ask.words())));
            };
            let id = CmdId::new(uuid::Uuid::now_v7().to_string());
            if let Err(refused) = self.engine.command(self.session, &id, command).await {
                return Ok(wrong(format!("the answer of `{}` was refused: {refused}", person.name)));
            }
        }
    }

    /// Waits until the session's row is so, or something had no answer.
    async fn until(&self, so: impl Fn(&Status, Seq) -> bool) -> Result<(), PlayFailure> {
        let mut hints = self.engine.hints();
        loop {
            let row = self.store.session(self.session).await.map_err(PlayFailure::Store)?;
            if so(&row.status, row.head_seq) || self.stage.gap().is_some() {
                return Ok(());
            }
            tokio::select! {
                () = self.stage.until_gap() => {}
                hint = hints.recv() => match hint {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    async fn folded(&self) -> Result<Session, PlayFailure> {
        let events = events(self.store, self.session).await?;
        Session::fold(&events).ok().flatten().ok_or(PlayFailure::Nothing)
    }
}

/// The session's events so far.
async fn events(store: &MemoryStore, session: SessionId) -> Result<Vec<Event>, PlayFailure> {
    let (mut log, mut events) = (Tail::new(session, Seq(0)), Vec::new());
    loop {
        let more = log.next(store).await.map_err(PlayFailure::Log)?;
        if more.is_empty() {
            return Ok(events);
        }
        events.extend(more);
    }
}

/// What an answer can be, for messages.
const ANSWERS: &str = "a call takes approve, reject, edit or respond; an agent's question continue; a call in doubt happened or \
                       did_not_happen; any of them stop or nothing";

/// The difference of a session that waits for somebody whom the scenario does not have.
fn unanswered(scenario: &Scenario, session: &Session, open: &[OpenAsk]) -> Option<FormError> {
    if scenario.outcome.value == session.status().as_str() {
        return None;
    }
    let asked: Vec<String> = open.iter().map(OpenAsk::words).collect();
    let message = format!("nobody under `people` answers: the session asks {}", asked.join(", and "));
    let name = open.first().map_or("…", OpenAsk::name);
    let hint = format!("add `{{asked: \"{name}\", as: NAME, answer: …}}` to `people`; {ANSWERS}");
    Some(FormError::at(&scenario.file, scenario.start, message, hint))
}

/// What happened, in words; events of mere bookkeeping are left out.
fn story(events: &[Event]) -> Vec<String> {
    let mut names = CallNames::default();
    let began = events.first().map(|event| event.at).unwrap_or_default();
    let mut lines = Vec::new();
    for event in events {
        names.learn(&event.body);
        let narration = narrate(&event.body, &names);
        if narration.level != Level::Minor {
            let seconds = event.at.since(began).as_secs();
            let sentence = VisibleText::new(narration.sentence()).line(LINE_MAX);
            lines.push(format!("{seconds:>6}s {} {sentence}", narration.glyph));
        }
    }
    lines
}
