//! Verifying the audit of a migration.

use super::MAX_PAGE;
use super::inner::Inner;
use crate::store::{AuditFault, AuditHead, AuditProblem, AuditVerifier, StoreError};

/// The audit could not be read, or is not what was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The store failed: nothing is known about the audit.
    #[error("the audit could not be read")]
    Store(#[from] StoreError),
    /// An entry is not what was written. This names the first.
    #[error(transparent)]
    Fault(#[from] AuditFault),
}

impl Inner {
    /// Follows the audit from its first entry to its last, which has to be that of the stored record. The ends that are
    /// known from elsewhere have to lie on the way.
    pub(super) async fn verify(&self, known: &[AuditHead]) -> Result<AuditHead, VerifyError> {
        let mut marks = known.to_vec();
        marks.push(self.end().await?);
        let mut verifier = self.audit_key.clone().map_or_else(AuditVerifier::new, AuditVerifier::with_key);
        while self.follow_page(&mut verifier, &marks).await? {}
        // Others may have changed something meanwhile, but each entry is written together with its record.
        let end = self.end().await?;
        if end.epoch < verifier.head().epoch {
            return Err(AuditFault::new(end.epoch.saturating_add(1), AuditProblem::Unrecorded).into());
        }
        marks.push(end);
        agrees(verifier.head(), &marks)?;
        let last = marks.iter().map(|mark| mark.epoch).max().unwrap_or_default();
        while verifier.head().epoch < last {
            if !self.follow_page(&mut verifier, &marks).await? {
                return Err(AuditFault::new(verifier.head().epoch.saturating_add(1), AuditProblem::Missing).into());
            }
        }
        Ok(verifier.head())
    }

    /// Where the audit ends by the stored record.
    async fn end(&self) -> Result<AuditHead, StoreError> {
        Ok(self.port.load().await?.as_ref().map(AuditHead::of).unwrap_or_default())
    }

    /// Follows the next entries, and says whether there were any.
    async fn follow_page(&self, verifier: &mut AuditVerifier, marks: &[AuditHead]) -> Result<bool, VerifyError> {
        let page = self.port.history(verifier.head().epoch, MAX_PAGE).await?;
        for entry in &page {
            verifier.follow(entry)?;
            agrees(verifier.head(), marks)?;
        }
        Ok(!page.is_empty())
    }
}

fn agrees(head: AuditHead, marks: &[AuditHead]) -> Result<(), AuditFault> {
    let replaced = marks.iter().any(|mark| mark.epoch == head.epoch && mark.hash != head.hash);
    if replaced { Err(AuditFault::new(head.epoch, AuditProblem::Replaced)) } else { Ok(()) }
}
