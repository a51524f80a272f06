//! Programs of this machine that tools start: with no shell, an empty environment, a group of processes of their own, bounded
//! output, and a sandbox that is named or whose absence has a reason.
//!
//! A child never outlives its use: its whole group is killed when the call ends in any way. What left its group, and what a
//! killed process of ours left behind, is known by a mark in its environment.

mod answer;
mod group;
mod launch;
mod marks;
mod sandbox;
mod section;

pub(crate) use answer::{ProgramAnswer, ProgramEnd};
pub(crate) use group::ChildGroup;
pub(crate) use launch::Launcher;
pub(crate) use sandbox::Sandbox;
pub(crate) use section::{ProcessSection, is_variable};
