//! `provost run`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_domain::ids::PackName;
use provost_domain::pack::Pack;
use provost_face::CaseRequest;
use provost_mail::{DeliveryFormat, first_case};

use super::local::{caller, operations};
use crate::alert;
use crate::args::RunArgs;
use crate::conclusion::follow;
use crate::output::Output;
use crate::remote::{Reached, reach, session};
use crate::wiring::{self, House};

/// Opens a session from an alert and follows it to its next rest.
pub(super) async fn run(args: RunArgs, output: Output) -> Result<ExitCode> {
    let bytes = alert::read(&args.input)?;
    let opening = |pack: Option<&Pack>| {
        first_case(pack, DeliveryFormat::Alertmanager, &bytes)
            .with_context(|| format!("{} is not an alert", args.input.display()))
    };
    // What has no form is refused before anything is opened.
    let preset = opening(None)?;
    let house = match reach(&args.config.reach, wiring::parts, House::over).await? {
        Reached::Here(house) => house,
        // The pack is with the other process, so its mapping is not known here.
        Reached::There(remote) => return session::open(&remote, &args.pack, preset, output).await,
    };
    let name = PackName::new(&args.pack);
    let pack = house.engine.pack(&name).ok();
    let intake = opening(pack.as_deref())?;
    let says_title = pack.is_some_and(|pack| pack.title.is_some());
    let case = CaseRequest {
        id: CaseRequest::fresh_id(),
        repeatable: false,
        pack: name,
        fields: intake.fields,
        title: (!says_title).then_some(intake.title),
        origin: intake.origin,
        start: true,
    };
    house
        .during(async |house| {
            let opened = operations(house).open(&caller(&args.config.author), case).await?;
            follow(house, opened.session.parse()?, output).await
        })
        .await
}
