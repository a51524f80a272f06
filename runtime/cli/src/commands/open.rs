//! `provost run`.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::ids::PackName;
use provost_face::CaseRequest;

use super::local::{caller, operations};
use crate::alert;
use crate::args::RunArgs;
use crate::conclusion::follow;
use crate::output::Output;
use crate::remote::{Reached, reach, session};
use crate::wiring::{self, House};

/// Opens a session from an alert and follows it to its next rest.
pub(super) async fn run(args: RunArgs, output: Output) -> Result<ExitCode> {
    let intake = alert::read(&args.input)?;
    let house = match reach(&args.config.reach, wiring::parts, House::over).await? {
        Reached::Here(house) => house,
        Reached::There(remote) => return session::open(&remote, &args.pack, intake, output).await,
    };
    let case = CaseRequest {
        id: CaseRequest::fresh_id(),
        repeatable: false,
        pack: PackName::new(args.pack),
        fields: intake.fields,
        title: Some(intake.title),
        start: true,
    };
    house
        .during(async |house| {
            let opened = operations(house).open(&caller(&args.config.author), case).await?;
            follow(house, opened.session.parse()?, output).await
        })
        .await
}
