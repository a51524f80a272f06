//! The kill -9 campaign at any length: `cargo xtask kills --instants N --seed N`.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use provost_tests::kills::{Lengths, kill_at, shares};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let instants = arguments.next().context("how many instants?")?.parse()?;
    let seed = arguments.next().context("which seed?")?.parse()?;
    let lengths = Lengths::measure().await;
    println!("an undisturbed incident takes {lengths:?}");
    let (mut doubted, mut ends) = (0_u32, BTreeMap::<String, u32>::new());
    for (share, number) in shares(seed, instants, 0.0, 1.0).into_iter().zip(1_u32..) {
        let ending = kill_at(lengths, share).await;
        println!("{number:>4} {ending:?}");
        doubted += u32::from(ending.doubted);
        *ends.entry(ending.status.unwrap_or_else(|| "not yet a session".to_owned())).or_default() += 1;
    }
    println!("{instants} kills, {doubted} left a call in doubt; ends: {ends:?}");
    println!("never more than one rollback; every audit clean");
    Ok(())
}
