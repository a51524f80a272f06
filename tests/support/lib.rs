//! Test support.

pub mod binary;
pub mod eventually;
