//! [`CutoverProviderBuilder`].

use std::collections::HashMap;
use std::fmt;

use cutover::{FlagSet, MigrationController, MigrationRegistry};

use crate::KeyForm;
use crate::error::AmbiguousName;
use crate::provider::{CutoverProvider, Sources};

/// Puts a [`CutoverProvider`] together. Without flags and migrations it knows no name.
#[derive(Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct CutoverProviderBuilder {
    migrations: Vec<MigrationController>,
    sources: Sources,
}

impl CutoverProviderBuilder {
    /// Answers for the flags of `flags`, and follows their changes (default none). Later ones take the place of earlier ones.
    pub fn flags(mut self, flags: FlagSet) -> Self {
        self.sources.flags = Some(flags);
        self
    }

    /// Answers for the migration of `controller` under its id, and holds a handle of it; may be called several times.
    pub fn migration(mut self, controller: MigrationController) -> Self {
        self.migrations.push(controller);
        self
    }

    /// Answers for the migrations of `registry` under their ids, and follows who is registered and removed (default none). A
    /// later one takes the place of an earlier one.
    pub fn registry(mut self, registry: MigrationRegistry) -> Self {
        self.sources.registry = Some(registry);
        self
    }

    /// What the text of a targeting key stands for (default [`KeyForm::Text`]).
    pub const fn key_form(mut self, form: KeyForm) -> Self {
        self.sources.key_form = form;
        self
    }

    /// Leaves out the [flag metadata](crate#flag-metadata), which costs most of an evaluation. Reasons and variants stay.
    pub const fn without_metadata(mut self) -> Self {
        self.sources.with_metadata = false;
        self
    }

    /// The provider.
    ///
    /// # Errors
    /// [`AmbiguousName`] when two migrations, or a migration and a flag, have the same name now. Of those that come to have it
    /// later, a migration given by itself answers before a registered one, and that before a flag.
    pub fn build(mut self) -> Result<CutoverProvider, AmbiguousName> {
        let mut migrations = HashMap::new();
        for controller in self.migrations {
            let name = controller.id().to_string();
            let taken = self.sources.find(&name).is_some() || migrations.contains_key(&name);
            if taken {
                return Err(AmbiguousName { name });
            }
            migrations.insert(name, controller);
        }
        for id in self.sources.registry.iter().flat_map(MigrationRegistry::ids) {
            if self.sources.flags.as_ref().is_some_and(|flags| flags.get(id.as_str()).is_some()) {
                return Err(AmbiguousName { name: id.to_string() });
            }
        }
        self.sources.migrations = migrations;
        Ok(CutoverProvider::new(self.sources))
    }
}

impl fmt::Debug for CutoverProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.migrations.iter().map(MigrationController::id).collect();
        f.debug_struct("CutoverProviderBuilder").field("migrations", &ids).field("sources", &self.sources).finish()
    }
}
