//! `/v1/sessions/{session}/VERB`: a route for every body that steers a session.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use provost_face::{AcceptedView, Steer, SteerVisitor, steers};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ContentBuilder, PathItem, Ref, Required, ResponseBuilder, ResponsesBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::extract::{Asked, Body, Named};
use crate::problem::{Problem, Problems};
use crate::sessions::send;
use crate::state::Server;

/// The routes, with their part of the document.
pub(crate) fn routes() -> OpenApiRouter<Server> {
    let mut all = SteerRoutes(Vec::new());
    steers(&mut all);
    all.0.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::routes)
}

struct SteerRoutes(Vec<UtoipaMethodRouter<Server>>);

impl SteerVisitor for SteerRoutes {
    fn visit<S: Steer>(&mut self) {
        let mut schemas = vec![(S::name().into_owned(), S::schema())];
        S::schemas(&mut schemas);
        let path = format!("/v1/sessions/{{session}}/{}", S::VERB);
        let paths = PathsBuilder::new().path(path, PathItem::new(HttpMethod::Post, operation::<S>())).build();
        self.0.push((schemas, paths, post(steer::<S>)));
    }
}

fn operation<S: Steer>() -> Operation {
    let json = |name: &str| ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
    let body = RequestBodyBuilder::new().content("application/json", json(&S::name())).required(Some(Required::True));
    let accepted = ResponseBuilder::new().content("application/json", json(&AcceptedView::name()));
    let session = ParameterBuilder::new()
        .name("session")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(String::schema()));
    OperationBuilder::new()
        .tag("sessions")
        .summary(Some(S::ABOUT))
        .operation_id(Some(S::VERB))
        .parameter(session)
        .request_body(Some(body.build()))
        .responses(
            ResponsesBuilder::new().response("200", accepted).responses_from_into_responses::<Problems>().build(),
        )
        .build()
}

async fn steer<S: Steer>(
    State(server): State<Server>,
    Named(id): Named,
    asked: Asked,
    Body(body): Body<S>,
) -> Result<Response, Problem> {
    send(&server, asked, id, body.ask()).await
}
