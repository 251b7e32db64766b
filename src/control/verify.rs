//! Verifying the audit of a migration.

use super::inner::Inner;
use super::{MAX_PAGE, MigrationController};
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

impl MigrationController {
    /// Reads the whole audit and checks that it is what was written: every entry follows from the one before it, the
    /// last one is that of the stored record, and that of the record that this process knows is among them. The answer is
    /// where it ends.
    ///
    /// Without an [audit key](super::ControllerBuilder::audit_key) this finds accidents and careless edits. Whoever can write to the
    /// store can also rebuild the whole chain, or cut off its end together with the record: against that, use a key, keep an
    /// [`AuditHead`] elsewhere, and [verify against it](Self::verify_against).
    ///
    /// ```
    /// # use cutover::{MemoryStore, MigrationController, SystemMode};
    /// # futures::executor::block_on(async {
    /// let controller = MigrationController::open("search", MemoryStore::new()).await?;
    /// controller.transition(SystemMode::Parallel, "ana", "first look").await?;
    /// let head = controller.verify().await?;
    /// assert_eq!(head.epoch, 1);
    /// controller.verify_against(&head).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`VerifyError::Fault`] names the first entry that is not as it was written; [`VerifyError::Store`] when the audit
    /// cannot be read.
    pub async fn verify(&self) -> Result<AuditHead, VerifyError> {
        self.inner.verify(&self.known_head()).await
    }

    /// As [`verify`](Self::verify), and the audit must still contain `head`, which was read earlier and kept elsewhere.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_against(&self, head: &AuditHead) -> Result<AuditHead, VerifyError> {
        let mut known = self.known_head();
        known.push(*head);
        self.inner.verify(&known).await
    }

    fn known_head(&self) -> Vec<AuditHead> {
        self.inner.known().record.iter().map(AuditHead::of).collect()
    }
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
