//! Alertmanager: the alerts that fire now.

mod alerts;
mod config;

pub(crate) use config::{AlertmanagerSection, AlertmanagerServer};
