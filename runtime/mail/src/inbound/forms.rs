//! The forms of deliveries, for whoever reads a pack.

use provost_domain::pack::Pack;
use provost_domain::port::DeliveryForms;
use provost_expr::Scope;

use super::formats::DeliveryFormat;
use super::notice::checked;
use super::opening::PackFields;

/// The forms of deliveries that are read.
#[derive(Debug, Clone, Copy)]
pub struct StandardForms;

impl DeliveryForms for StandardForms {
    fn names(&self) -> Vec<&'static str> {
        DeliveryFormat::ALL.map(DeliveryFormat::as_str).to_vec()
    }

    fn scope(&self, form: &str) -> Option<Scope> {
        DeliveryFormat::named(form).map(DeliveryFormat::scope)
    }

    fn opens_case(&self, pack: &Pack, form: &str, delivery: &str) -> Result<(), String> {
        let format = DeliveryFormat::named(form).ok_or_else(|| format!("no deliveries have the form `{form}`"))?;
        let reading = format.read(delivery.as_bytes(), String::new).map_err(|bad| bad.to_string())?;
        let (notice, refused) = checked(pack, PackFields::of(pack, format), reading).map_err(|bad| bad.to_string())?;
        if let Some(reason) = refused.into_values().next() {
            return Err(reason);
        }
        if notice.openings.is_empty() {
            return Err("none of it fires, or the pack passes it over".to_owned());
        }
        Ok(())
    }
}
