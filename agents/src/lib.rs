//! Worker roles.
