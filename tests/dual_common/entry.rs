//! The three ways to run a call.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Run,
    Detached,
    Sync,
}

impl Entry {
    pub(crate) const ALL: [Self; 3] = [Self::Run, Self::Detached, Self::Sync];
}
