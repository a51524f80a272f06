//! The running shop: its state behind a lock, its log and its witness file. What the HTTP handlers and the load loop share.

use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use tokio::time::Instant;

use crate::log::ShopLog;
use crate::shop::{Checkout, Shop};
use crate::witness::WitnessFile;

/// One per process, shared by reference count.
#[derive(Debug)]
pub(crate) struct ShopService {
    shop: Mutex<Shop>,
    log: ShopLog,
    witness: Option<WitnessFile>,
}

impl ShopService {
    /// Starts the service; the witness file, when asked for, exists once this returns.
    pub(crate) async fn start(shop: Shop, log: ShopLog, witness: Option<WitnessFile>) -> anyhow::Result<Self> {
        let service = Self { shop: Mutex::new(shop), log, witness };
        service.keep_witness().await?;
        Ok(service)
    }

    /// Runs `act` on the shop alone. The lock is never held across an await, and a panic of another holder cannot leave
    /// counts half changed in a way that matters to a shop that is broken by design.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Shop) -> T) -> T {
        act(&mut self.shop.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does the shop's work once and says how it went.
    pub(crate) async fn check_out(&self) -> anyhow::Result<Checkout> {
        let began = Instant::now();
        let checkout = self.with(Shop::begin);
        tokio::time::sleep(checkout.takes).await;
        let ended = Instant::now();
        self.with(|shop| shop.finish(&checkout, ended - began, ended));
        if checkout.fails {
            let logged = self.log.failure(&checkout).await;
            logged.context("failed to write the log")?;
        }
        Ok(checkout)
    }

    pub(crate) fn log(&self) -> &ShopLog {
        &self.log
    }

    /// Writes what the shop saw into the witness file, if there is one.
    pub(crate) async fn keep_witness(&self) -> anyhow::Result<()> {
        let Some(file) = &self.witness else {
            return Ok(());
        };
        file.write(|| self.with(|shop| shop.witness().clone())).await
    }
}
