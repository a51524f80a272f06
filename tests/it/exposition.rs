//! Pages of metrics are read as Debian's Prometheus reads them: each page of the corpus is given to both, and every series
//! that Prometheus stored is asked for by its name and labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::port::{Clock as _, ToolBackend};
use provost_domain::tool::{ToolCall, ToolOutcome};
use provost_engine::SystemClock;
use provost_form::{ErrorLog, FromYaml as _, parse};
use provost_tests::desk::PATIENCE;
use provost_tests::eventually::eventually;
use provost_tests::monitoring::{Running, prometheus_of_pages};
use provost_tools::ToolsConfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A page as it is served.
#[derive(Debug, Clone)]
struct Page {
    text: String,
    kind: &'static str,
}

/// Every page of the corpus by its name; samples with times are of now.
fn corpus() -> BTreeMap<String, Page> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/exposition");
    let now = SystemClock.now().micros() / 1000;
    let (seconds, millis) = ((now / 1000).to_string(), now.to_string());
    let mut pages = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("{{now_ms}}", &millis).replace("{{now_s}}", &seconds);
        let kind = match path.extension().unwrap().to_str().unwrap() {
            "txt" => "text/plain; version=0.0.4",
            "om" => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            other => panic!("a page of the kind {other}"),
        };
        pages.insert(path.file_name().unwrap().to_str().unwrap().replace('.', "_"), Page { text, kind });
    }
    pages
}

async fn serve(pages: BTreeMap<String, Page>) -> (String, JoinSet<()>) {
    let pages = Arc::new(pages);
    let answer = move |Path(name): Path<String>| async move {
        let Some(Page { text, kind }) = pages.get(&name).cloned() else { return StatusCode::NOT_FOUND.into_response() };
        let page: Response = ([(header::CONTENT_TYPE, kind)], text).into_response();
        page
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut task = JoinSet::new();
    let routes = Router::new().route("/{page}", get(answer));
    task.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, task)
}

fn scrape(page: &str) -> Arc<dyn ToolBackend> {
    let mut log = ErrorLog::new("provost.yaml".into());
    let node = parse(&json!({"metrics": {"endpoint": page}}).to_string(), &mut log).unwrap();
    let tools = ToolsConfig::read(&node, &mut log).unwrap().open_without_secrets().unwrap();
    let clock: Arc<dyn provost_domain::port::Clock> = Arc::new(SystemClock);
    tools.build(&clock).unwrap().remove(0)
}

/// What our reader says of one series of a page.
async fn read(tool: &dyn ToolBackend, name: &str, labels: &BTreeMap<String, String>) -> Result<Value, ToolOutcome> {
    let wanted = if labels.is_empty() { format!("{name}{{}}") } else { name.to_owned() };
    let call = ToolCall {
        session: SessionId::new(uuid::Uuid::nil()),
        call: CallId::new("1.1.0"),
        tool: ToolName::new("metrics:scrape"),
        args: Arc::new(json!({"series": [wanted], "match": labels})),
        key: "k".to_owned(),
    };
    match tool.call(&call).await {
        ToolOutcome::Ok { content } => Ok(content[&wanted].clone()),
        // The only value may be none.
        ToolOutcome::Empty { .. } => Ok(Value::Null),
        other => Err(other),
    }
}

/// A series that Prometheus stored: its name, its own labels, its value as text.
type Stored = (String, BTreeMap<String, String>, String);

/// What Prometheus stored of a page, once it has scraped it; `None` where it refused the page.
async fn stored(prometheus: &Running, page: &str, host: &str) -> Option<Vec<Stored>> {
    let client = provost_http::client(None).unwrap().build().unwrap();
    let query = async |query: String| -> Vec<Value> {
        let url = format!("{}/api/v1/query", prometheus.url);
        let url = reqwest::Url::parse_with_params(&url, [("query", query)]).unwrap();
        let reply: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        reply["data"]["result"].as_array().unwrap().clone()
    };
    let up = eventually("the page to be scraped", PATIENCE, || async {
        let up = query(format!("up{{job=\"{page}\"}}")).await;
        up.first().map(|up| up["value"][1] == "1")
    });
    if !up.await.unwrap() {
        return None;
    }
    let own = |(name, value): (&String, &Value)| {
        let value = value.as_str().unwrap();
        let added = [("job", page), ("instance", host), ("provost_page", page)].contains(&(name.as_str(), value));
        (!added && name != "__name__").then(|| (name.clone(), value.to_owned()))
    };
    let series = |found: &Value| {
        let labels = found["metric"].as_object().unwrap();
        let name = labels["__name__"].as_str().unwrap().to_owned();
        (name, labels.iter().filter_map(own).collect(), found["value"][1].as_str().unwrap().to_owned())
    };
    let found = query(format!("{{provost_page=\"{page}\"}}")).await;
    let of_its_own = |(name, ..): &Stored| name == "up" || name.starts_with("scrape_");
    Some(found.iter().map(series).filter(|series| !of_its_own(series)).collect())
}

#[tokio::test]
async fn every_page_is_read_as_prometheus_reads_it() {
    let pages = corpus();
    assert!(pages.len() >= 60, "{}", pages.len());
    let (url, _server) = serve(pages.clone()).await;
    let names: Vec<String> = pages.keys().cloned().collect();
    let prometheus = prometheus_of_pages(&url, &names).await;
    let (mut differ, mut series, mut refused) = (Vec::new(), 0, BTreeSet::new());
    for page in &names {
        let Some(stored) = stored(&prometheus, page, url.trim_start_matches("http://")).await else {
            refused.insert(page.as_str());
            continue;
        };
        assert!(!stored.is_empty(), "{page}");
        let tool = scrape(&format!("{url}/{page}"));
        for (name, labels, value) in stored {
            series += 1;
            let found = read(&*tool, &name, &labels).await;
            let expect: f64 = value.parse().unwrap();
            let same = match &found {
                Ok(found) => found["now"].as_f64() == Some(expect) || (!expect.is_finite() && found["now"].is_null()),
                Err(_) => false,
            };
            if !same {
                differ.push(format!("{page}: {name}{labels:?} is {value}, and was read as {found:?}"));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!(refused, BTreeSet::new(), "pages that Prometheus refuses say nothing");
    assert!(series > 500, "{series}");
}
