//! The mappings of packs that have none of their own: data in the same form, in `presets.yaml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use provost_domain::pack::{IntakeMapping, Pack};
use provost_form::{ErrorLog, parse};

use super::formats::DeliveryFormat;

static PRESETS: LazyLock<BTreeMap<String, IntakeMapping>> = LazyLock::new(|| {
    read().unwrap_or_else(|error| {
        tracing::error!(error, "the built-in mappings cannot be read; report this as a bug");
        BTreeMap::new()
    })
});

/// Reads the file. A test keeps it readable.
fn read() -> Result<BTreeMap<String, IntakeMapping>, String> {
    let mut log = ErrorLog::new(PathBuf::from("presets.yaml"));
    let tree = parse(include_str!("presets.yaml"), &mut log);
    if let Some(error) = log.errors.first() {
        return Err(error.to_string());
    }
    let tree = tree.map(|tree| tree.value()).unwrap_or_default();
    serde_json::from_value(tree).map_err(|error| error.to_string())
}

/// Stands in for a preset that is not there, and gives no field.
static NOTHING: LazyLock<IntakeMapping> = LazyLock::new(IntakeMapping::default);

/// Whether a pack that has no mapping for a form can take its deliveries all the same.
pub(super) fn is_preset(format: DeliveryFormat) -> bool {
    PRESETS.contains_key(format.as_str())
}

/// The mapping that a pack has for a form, or else the preset one.
pub(super) fn mapping_of(pack: Option<&Pack>, format: DeliveryFormat) -> &IntakeMapping {
    let own = pack.and_then(|pack| pack.intake.get(format.mapping_key()));
    own.or_else(|| PRESETS.get(format.as_str())).unwrap_or(&NOTHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_read_and_reads_only_names_of_its_form() {
        let presets = read().unwrap();
        for format in [DeliveryFormat::Alertmanager, DeliveryFormat::Pagerduty, DeliveryFormat::PagerdutyV3] {
            let mapping = &presets[format.as_str()];
            let scope = format.scope();
            for expression in mapping.fields.values().flat_map(|field| &field.from).chain(&mapping.when) {
                expression.check(&scope).unwrap();
            }
            assert_eq!(mapping_of(None, format).fields, mapping.fields);
        }
        assert_eq!(presets.len(), 3);
        assert!(is_preset(DeliveryFormat::Pagerduty) && !is_preset(DeliveryFormat::Github));
    }
}
