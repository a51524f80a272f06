//! `/v1/approvals`: the queue of calls that wait for a person.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use provost_domain::command::Answer;
use provost_domain::ids::ApprovalId;
use provost_domain::port::ApprovalFilter;
use provost_face::{AcceptedView, ApprovalView, Code, Page, page_size};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{Asked, Body, By, Search, Tail};
use crate::problem::{Problem, Problems};
use crate::sessions::send;
use crate::state::Server;

/// Which approvals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only this session's, by id.
    session: Option<String>,
    /// Decided ones too.
    #[serde(default)]
    all: bool,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    page_size: Option<u32>,
}

/// Approvals, newest first.
#[utoipa::path(get, path = "/v1/approvals", params(ListQuery), tag = "approvals",
    responses((status = 200, body = Page<ApprovalView>), Problems))]
pub(crate) async fn list(
    State(server): State<Server>,
    By(caller): By,
    Search(query): Search<ListQuery>,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let bad = |error: provost_domain::ids::BadId| Problem::new(Code::InvalidRequest, error.to_string());
    let session = query.session.map(|text| text.parse().map_err(bad)).transpose()?;
    let filter = ApprovalFilter {
        session,
        pending_only: !query.all,
        limit: page_size(query.page_size)?,
        ..ApprovalFilter::default()
    };
    Ok(Json(server.lookups().approvals(&caller, &filter).await?))
}

/// An answer. What does not belong to it is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AnswerBody {
    /// Run it as asked.
    Approve {
        /// Why, for the log and for people.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Run it with these arguments instead: all of them but those the session supplies.
    Edit {
        /// The arguments.
        #[schema(value_type = Object)]
        args: Map<String, Value>,
        /// Why, for the log and for people.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Do not run it.
    Reject {
        /// Why; the model is told.
        reason: String,
    },
    /// Do not run it; give the model this text as its result.
    Respond {
        /// The text.
        text: String,
        /// Why, for the log and for people.
        #[serde(default)]
        reason: Option<String>,
    },
}

/// Answers an approval. Of two answers exactly one is taken; the other gets `approval_already_decided`.
#[utoipa::path(post, path = "/v1/approvals/{approval}/decide", params(("approval" = String, Path)), tag = "approvals",
    request_body = AnswerBody, responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn decide(
    State(server): State<Server>,
    Tail(approval): Tail,
    asked: Asked,
    Body(body): Body<AnswerBody>,
) -> Result<Response, Problem> {
    let (answer, reason) = match body {
        AnswerBody::Approve { reason } => (Answer::Approve, reason),
        AnswerBody::Edit { args, reason } => (Answer::Edit { args }, reason),
        AnswerBody::Reject { reason } => (Answer::Reject { reason }, None),
        AnswerBody::Respond { text, reason } => (Answer::Respond { text }, reason),
    };
    let approval = ApprovalId::new(approval);
    let (session, ask) = server.operations().answering(&asked.caller, approval, (answer, reason)).await?;
    send(&server, asked, session, ask).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_belong_to_an_answer_is_refused() {
        for body in [
            json!({"answer": "approve"}),
            json!({"answer": "approve", "reason": "seen"}),
            json!({"answer": "edit", "args": {}, "reason": "less"}),
            json!({"answer": "reject", "reason": "no"}),
            json!({"answer": "respond", "text": "t", "reason": "r"}),
        ] {
            assert!(serde_json::from_value::<AnswerBody>(body.clone()).is_ok(), "{body}");
        }
        for body in [
            json!({"answer": "approve", "args": {"n": 2}}),
            json!({"answer": "approve", "text": "t"}),
            json!({"answer": "edit", "args": {}, "text": "t"}),
            json!({"answer": "reject", "reason": "no", "args": {}}),
            json!({"answer": "reject"}),
            json!({"answer": "respond", "text": "t", "args": {}}),
            json!({"answer": "approved"}),
        ] {
            assert!(serde_json::from_value::<AnswerBody>(body.clone()).is_err(), "{body}");
        }
    }
}
