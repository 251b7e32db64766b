//! Verifying the audit of a migration.

use super::inner::Inner;
use crate::store::{AuditEntry, AuditFault, AuditHead, AuditProblem, AuditVerifier, StoreError};

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

/// How many entries are read at once.
const PAGE: usize = 200;

impl Inner {
    /// Follows the audit from its first entry to that of the stored record. The ends that are known from elsewhere have to
    /// lie on the way.
    pub(super) async fn verify(&self, known: &[AuditHead]) -> Result<AuditHead, VerifyError> {
        let record = self.port.load().await?;
        let end = record.as_ref().map(AuditHead::of).unwrap_or_default();
        let mut marks = known.to_vec();
        marks.push(end);
        let mut verifier = self.audit_key.clone().map_or_else(AuditVerifier::new, AuditVerifier::with_key);
        let last = marks.iter().map(|mark| mark.epoch).max().unwrap_or_default();
        while verifier.head().epoch < last {
            let page = self.port.history(verifier.head().epoch, PAGE).await?;
            if page.is_empty() {
                return Err(AuditFault::new(verifier.head().epoch.saturating_add(1), AuditProblem::Missing).into());
            }
            follow(&mut verifier, &page, &marks)?;
        }
        Ok(verifier.head())
    }
}

fn follow(verifier: &mut AuditVerifier, page: &[AuditEntry], marks: &[AuditHead]) -> Result<(), AuditFault> {
    for entry in page {
        verifier.follow(entry)?;
        let head = verifier.head();
        if marks.iter().any(|mark| mark.epoch == head.epoch && mark.hash != head.hash) {
            return Err(AuditFault::new(head.epoch, AuditProblem::Replaced));
        }
    }
    Ok(())
}
