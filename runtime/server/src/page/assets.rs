//! Style, script and icon, embedded. Their names hold their content's hash, so they are cached for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use provost_domain::ids::Digest;
use provost_face::Code;

use crate::problem::Problem;

/// One year, the longest that caches honour.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// An embedded file.
#[derive(Debug)]
struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, kind: &'static str, text: &'static str) -> Self {
        let hash: String = Digest::of(text.as_bytes()).hex().chars().take(12).collect();
        Self { name: format!("{stem}-{hash}.{extension}"), kind, text }
    }

    fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    let script = "text/javascript; charset=utf-8";
    [
        Asset::new("page", "css", "text/css; charset=utf-8", include_str!("../../assets/page.css")),
        Asset::new("page", "js", script, include_str!("../../assets/page.js")),
        Asset::new("htmx", "js", script, include_str!("../../assets/htmx-2.0.11.min.js")),
        Asset::new("icon", "svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
    ]
});

/// Where the embedded files are.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) css: String,
    pub(crate) js: String,
    pub(crate) htmx: String,
    pub(crate) icon: String,
}

impl Paths {
    pub(crate) fn new() -> Self {
        let [css, js, htmx, icon] = ASSETS.each_ref().map(Asset::path);
        Self { css, js, htmx, icon }
    }
}

/// An embedded file. Open to everyone: the login page needs them, and they hold nothing secret.
pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::new(Code::NotFound, "this version has no such file; reload the page");
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or_else(missing)?;
    Ok(([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, FOR_GOOD)], asset.text).into_response())
}
