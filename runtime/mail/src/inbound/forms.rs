//! The forms of deliveries, for whoever reads a pack.

use provost_domain::pack::{CaseSchedule, Pack, ScheduledTime};
use provost_domain::port::DeliveryForms;
use provost_domain::time::Timestamp;
use provost_expr::Scope;

use super::formats::{DeliveryFormat, firing};
use super::notice::checked;

/// The forms of deliveries that are read.
#[derive(Debug, Clone, Copy)]
pub struct StandardForms;

impl DeliveryForms for StandardForms {
    fn names(&self) -> Vec<&'static str> {
        vec!["alertmanager", "pagerduty", "pagerduty_v3", "github", "cloudevents", "webhook.NAME"]
    }

    fn scope(&self, form: &str) -> Option<Scope> {
        DeliveryFormat::named(form).map(DeliveryFormat::scope)
    }

    fn group_scope(&self, form: &str) -> Option<Scope> {
        DeliveryFormat::named(form).map(DeliveryFormat::group_scope)
    }

    fn opens_scheduled(&self, pack: &Pack, schedule: &CaseSchedule) -> Result<(), String> {
        let time = ScheduledTime { at: Timestamp::default(), missed: 0, late: false };
        let format = DeliveryFormat::schedule(pack.name.as_str()).ok_or("the name of the pack is too long")?;
        let delivery = firing(schedule, time).map_err(|error| error.to_string())?;
        opens_case(pack, format, &delivery)
    }

    fn opens_case(&self, pack: &Pack, form: &str, delivery: &str) -> Result<(), String> {
        let format = DeliveryFormat::named(form).ok_or_else(|| format!("no deliveries have the form `{form}`"))?;
        opens_case(pack, format, delivery.as_bytes())
    }
}

fn opens_case(pack: &Pack, format: DeliveryFormat, delivery: &[u8]) -> Result<(), String> {
    let reading = format.read(delivery, String::new).map_err(|bad| bad.to_string())?;
    let (notice, refused) = checked(&[pack], format, reading).map_err(|bad| bad.to_string())?;
    if let Some(reason) = refused.into_values().next() {
        return Err(reason);
    }
    if notice.openings.is_empty() {
        return Err("none of it fires, or the pack passes it over".to_owned());
    }
    Ok(())
}
