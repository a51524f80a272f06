//! Deliveries: what came in, and what is done with what could not be worked on.

use std::sync::Arc;

use provost_domain::access::Permission;
use provost_domain::ids::DeliveryId;
use provost_domain::port::{Deliveries, DeliveryFilter, DeliveryReads, DismissAnswer, StoreError};
use provost_mail::{DeliveryError, Intake};

use crate::caller::Caller;
use crate::error::OperationError;
use crate::view::{DeliveryDetail, DeliveryView, Page, TakenView};

/// Deliveries for callers. Needs only the read side of a store.
#[derive(Debug, Clone)]
pub struct DeliveryLookups {
    reads: Arc<dyn DeliveryReads>,
}

impl DeliveryLookups {
    /// Over the read side of a store.
    pub fn new(reads: Arc<dyn DeliveryReads>) -> Self {
        Self { reads }
    }

    /// Deliveries, newest first. The next page is of those before this one's last.
    ///
    /// # Errors
    /// The caller may not look, or the store fails.
    pub async fn list(&self, caller: &Caller, filter: &DeliveryFilter) -> Result<Page<DeliveryView>, OperationError> {
        caller.require(Permission::Look)?;
        let rows = self.reads.deliveries(filter).await?;
        let last = rows.last().map(|row| row.seq.to_string()).unwrap_or_default();
        Ok(Page::up_to(filter.limit, rows.iter().map(DeliveryView::from).collect(), |_| last))
    }

    /// One delivery with what came.
    ///
    /// # Errors
    /// No delivery has that id; or see [`Self::list`].
    pub async fn delivery(&self, caller: &Caller, id: &DeliveryId) -> Result<DeliveryDetail, OperationError> {
        caller.require(Permission::Look)?;
        let delivery = self.reads.delivery(id).await?;
        let here =
            DeliveryFilter { before: Some(delivery.seq.saturating_add(1)), limit: 1, ..DeliveryFilter::default() };
        let rows = self.reads.deliveries(&here).await?;
        // Retention may have taken it between the two looks.
        let gone = || StoreError::missing("delivery", id);
        let row = rows.first().filter(|row| row.id == *id).ok_or_else(gone)?;
        let body = String::from_utf8_lossy(&delivery.body).into_owned();
        Ok(DeliveryDetail { delivery: DeliveryView::from(row), body })
    }
}

/// What callers have done with deliveries.
#[derive(Debug, Clone)]
pub struct DeliveryOperations {
    deliveries: Arc<dyn Deliveries>,
    lookups: DeliveryLookups,
}

impl DeliveryOperations {
    /// Over a store.
    pub fn new(deliveries: Arc<dyn Deliveries>, reads: Arc<dyn DeliveryReads>) -> Self {
        Self { deliveries, lookups: DeliveryLookups::new(reads) }
    }

    /// What callers look up.
    pub fn lookups(&self) -> &DeliveryLookups {
        &self.lookups
    }

    /// Gives a bad delivery up: nobody works on it, and its body goes.
    ///
    /// # Errors
    /// The caller may not operate, no delivery has that id, or it is not bad.
    pub async fn dismiss(
        &self,
        caller: &Caller,
        id: &DeliveryId,
        reason: &str,
    ) -> Result<DeliveryDetail, OperationError> {
        caller.require(Permission::Operate)?;
        let note = format!("dismissed by {}: {reason}", caller.principal);
        match self.deliveries.dismiss(id, &note).await? {
            DismissAnswer::Dismissed => self.lookups.delivery(caller, id).await,
            DismissAnswer::NotBad => {
                let state = self.lookups.reads.delivery(id).await?.state;
                Err(DeliveryError::NotBad { id: id.clone(), state, verb: "dismissed" }.into())
            }
        }
    }

    /// Delivers a bad delivery again, for when what made it bad has changed.
    ///
    /// # Errors
    /// The caller may not operate, no delivery has that id, or it is not bad or is bad still.
    pub async fn replay(&self, caller: &Caller, intake: &Intake, id: &DeliveryId) -> Result<TakenView, OperationError> {
        caller.require(Permission::Operate)?;
        Ok(TakenView { delivery: intake.replay(id).await?.id.to_string() })
    }
}
