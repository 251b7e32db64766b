//! [`MigrationRegistry`]: the migrations of one process, and one switch for several of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, Weak};

use futures_util::future::join_all;

use super::{ChangeError, Changed, MigrationController, MigrationStatus, Persisted};
use crate::excerpt::excerpt;
use crate::lock::lock;
use crate::mode::SystemMode;
use crate::store::{Author, GroupName, MigrationId, TextError};

/// Knows the controllers of one process by their ids, and the groups that they are in.
///
/// Clones are handles on the same registry. Reading takes a lock for the moment in which one pointer is copied, and
/// nothing else is done under it. The registry holds a handle of every controller until it is
/// [removed](Self::remove). A group exists as long as a migration is in it.
///
/// ```
/// use cutover::{MemoryStore, MigrationController, MigrationRegistry, Side, SystemMode};
///
/// # futures::executor::block_on(async {
/// let registry = MigrationRegistry::new();
/// let store = MemoryStore::new();
/// for id in ["cart", "payment"] {
///     registry.register(MigrationController::open(id, store.clone()).await?, &["checkout"])?;
/// }
/// registry.register(MigrationController::open("search", store).await?, &[])?;
///
/// let checkout = registry.group("checkout")?;
/// for (id, changed) in checkout.transition(SystemMode::Parallel, "ana", "first look").await {
///     println!("{id}: {:?}", changed?.after.mode);
/// }
/// let stored = checkout.emergency_rollback("ben", "wrong totals");
/// assert_eq!(registry.get("cart").map(|cart| cart.route("user-17").serve), Some(Side::Legacy));
/// for (_, stored) in stored {
///     stored.await;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct MigrationRegistry {
    members: Arc<Mutex<Arc<Members>>>,
}

/// By their ids, which makes every order stable.
type Members = BTreeMap<MigrationId, Member>;

#[derive(Clone)]
struct Member {
    controller: MigrationController,
    groups: BTreeSet<GroupName>,
}

impl MigrationRegistry {
    /// A registry without migrations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a migration and puts it into `groups`; `&[]` is none. Group names are like migration ids.
    ///
    /// # Errors
    /// [`RegisterError`] when a migration of this id is there already, or when a name is none for a group. Nothing has
    /// changed then.
    pub fn register(&self, controller: MigrationController, groups: &[&str]) -> Result<(), RegisterError> {
        let groups = groups.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        let id = controller.id().clone();
        let member = Member { controller, groups };
        // A member that is refused is dropped outside of the lock, because a store's destructor is foreign.
        self.update(|members| {
            if members.contains_key(&id) {
                return Err(RegisterError::Taken { id: id.clone() });
            }
            let mut after = members.clone();
            after.insert(id.clone(), member.clone());
            Ok((after, ()))
        })
    }

    /// Takes the migration `id` out and gives back its controller; `None` if there is none.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn remove(&self, id: &str) -> Option<MigrationController> {
        let removed = self.update(|members| {
            let mut after = members.clone();
            let removed = after.remove(&id.parse().map_err(drop)?).ok_or(())?;
            Ok::<_, ()>((after, removed))
        });
        removed.ok().map(|member| member.controller)
    }

    /// The controller of the migration `id`; `None` if there is none.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<MigrationController> {
        self.members().get(&id.parse().ok()?).map(|member| member.controller.clone())
    }

    /// The ids of all migrations, sorted.
    #[must_use]
    pub fn ids(&self) -> Vec<MigrationId> {
        self.members().keys().cloned().collect()
    }

    /// The status of every migration, sorted by id.
    #[must_use]
    pub fn statuses(&self) -> Vec<MigrationStatus> {
        statuses(&self.controllers())
    }

    /// The names of all groups, sorted.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupName> {
        let members = self.members();
        let names: BTreeSet<_> = members.values().flat_map(|member| &member.groups).collect();
        names.into_iter().cloned().collect()
    }

    /// The group `name`.
    ///
    /// # Errors
    /// [`UnknownGroup`] when no migration is in it.
    pub fn group(&self, name: &str) -> Result<Group, UnknownGroup> {
        let groups = self.groups();
        match groups.iter().find(|group| group.as_str() == name) {
            Some(group) => Ok(Group { registry: self.clone(), name: group.clone() }),
            None => Err(UnknownGroup { excerpt: excerpt(name), known: groups }),
        }
    }

    /// Routes everything of every migration to legacy, as [`Group::emergency_rollback`].
    #[expect(clippy::must_use_candidate, reason = "the emergencies hold without their handles")]
    pub fn emergency_rollback_all(&self, actor: &str, reason: &str) -> Vec<(MigrationId, Persisted)> {
        emergency_rollback(&self.controllers(), actor, reason)
    }

    /// A handle that does not keep the registry alive, nor what is in it.
    #[must_use]
    pub fn downgrade(&self) -> WeakRegistry {
        WeakRegistry(Arc::downgrade(&self.members))
    }

    fn members(&self) -> Arc<Members> {
        Arc::clone(&lock(&self.members))
    }

    fn controllers(&self) -> Vec<MigrationController> {
        self.members().values().map(|member| member.controller.clone()).collect()
    }

    fn controllers_in(&self, name: &GroupName) -> Vec<MigrationController> {
        let members = self.members();
        let inside = members.values().filter(|member| member.groups.contains(name));
        inside.map(|member| member.controller.clone()).collect()
    }

    /// Replaces all members at once. What they displace is dropped outside of the lock.
    fn update<T, E>(&self, change: impl FnOnce(&Members) -> Result<(Members, T), E>) -> Result<T, E> {
        let mut members = lock(&self.members);
        let (after, result) = change(&members)?;
        let before = std::mem::replace(&mut *members, Arc::new(after));
        drop(members);
        drop(before);
        Ok(result)
    }
}

impl fmt::Debug for MigrationRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationRegistry").field("ids", &self.ids()).field("groups", &self.groups()).finish()
    }
}

/// A registry that may be gone, made by [`MigrationRegistry::downgrade`]; see [`WeakController`](super::WeakController).
#[derive(Debug, Clone)]
pub struct WeakRegistry(Weak<Mutex<Arc<Members>>>);

impl WeakRegistry {
    /// The registry; `None` once its last handle was dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<MigrationRegistry> {
        self.0.upgrade().map(|members| MigrationRegistry { members })
    }

    /// Whether the last handle was dropped.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// One switch for several migrations. Who is in it is looked up anew with every call, so that a migration that was
/// registered later is switched too.
#[derive(Debug, Clone)]
pub struct Group {
    registry: MigrationRegistry,
    name: GroupName,
}

impl Group {
    /// The name.
    #[must_use]
    pub const fn name(&self) -> &GroupName {
        &self.name
    }

    /// The ids of the migrations in this group, sorted.
    #[must_use]
    pub fn ids(&self) -> Vec<MigrationId> {
        self.controllers().iter().map(|controller| controller.id().clone()).collect()
    }

    /// The status of every migration in this group, sorted by id.
    #[must_use]
    pub fn statuses(&self) -> Vec<MigrationStatus> {
        statuses(&self.controllers())
    }

    /// Routes everything of every migration in this group to legacy. It holds for all of them in this process before the
    /// first store is touched, and when this returns.
    ///
    /// Then each is stored on its own, as [`MigrationController::emergency_rollback`] says: a store that fails holds up
    /// no other one. The handles, sorted by id, resolve when the emergencies are stored; they need not be awaited.
    #[expect(clippy::must_use_candidate, reason = "the emergencies hold without their handles")]
    pub fn emergency_rollback(&self, actor: &str, reason: &str) -> Vec<(MigrationId, Persisted)> {
        emergency_rollback(&self.controllers(), actor, reason)
    }

    /// Changes the mode of every migration in this group, each on its own and all at the same time: the refusal of one
    /// does not stop the others. What became of each is sorted by id.
    ///
    /// This is no transaction: look at the answers. One to `EmergencyRollback` is an
    /// [`emergency_rollback`](Self::emergency_rollback), whose storing is waited for as long as one call of each store may
    /// take.
    pub async fn transition(
        &self,
        to: SystemMode,
        actor: &str,
        reason: &str,
    ) -> Vec<(MigrationId, Result<Changed, ChangeError>)> {
        let controllers = self.controllers();
        if to == SystemMode::EmergencyRollback {
            let before: Vec<_> = controllers.iter().map(|controller| controller.inner.known().effective()).collect();
            let stored = emergency_rollback(&controllers, actor, reason);
            let confirmed = controllers.iter().zip(before).zip(stored);
            return each(
                &controllers,
                confirmed.map(|((controller, before), (_, stored))| controller.inner.confirmed(before, stored)),
            )
            .await;
        }
        each(&controllers, controllers.iter().map(|controller| controller.transition(to, actor, reason))).await
    }

    fn controllers(&self) -> Vec<MigrationController> {
        self.registry.controllers_in(&self.name)
    }
}

/// A migration was not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is a migration of this id.
    #[error("the migration {id} is registered already")]
    Taken {
        /// The id.
        id: MigrationId,
    },
    /// The name is none for a group.
    #[error(transparent)]
    Group(#[from] TextError),
}

/// No migration is in a group of this name. The message names the groups that there are, at most 20 of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no migration is in a group `{excerpt}`; there {}", listed(known))]
pub struct UnknownGroup {
    excerpt: String,
    known: Vec<GroupName>,
}

impl UnknownGroup {
    /// The names of all groups, sorted.
    #[must_use]
    pub fn known(&self) -> &[GroupName] {
        &self.known
    }
}

fn listed(known: &[GroupName]) -> String {
    let names: Vec<&str> = known.iter().take(SHOWN).map(GroupName::as_str).collect();
    match known.len() {
        0 => "are no groups".to_owned(),
        all if all > SHOWN => format!("are {} and {} more", names.join(", "), all - SHOWN),
        1 => format!("is {}", names.join("")),
        _ => format!("are {}", names.join(", ")),
    }
}

/// How many groups a message names.
const SHOWN: usize = 20;

fn statuses(controllers: &[MigrationController]) -> Vec<MigrationStatus> {
    controllers.iter().map(MigrationController::status).collect()
}

/// Pulls all brakes before the first store is touched.
fn emergency_rollback(controllers: &[MigrationController], actor: &str, reason: &str) -> Vec<(MigrationId, Persisted)> {
    let author = Author::for_emergency(actor, reason);
    let pull = |controller: &MigrationController| controller.inner.pull(author.clone(), None);
    let pulled: Vec<_> = controllers.iter().map(pull).collect();
    controllers.iter().zip(pulled).map(|(controller, store)| (controller.id().clone(), store())).collect()
}

/// Drives all futures at the same time; the answers stand beside the ids.
async fn each<F: Future>(
    controllers: &[MigrationController],
    futures: impl IntoIterator<Item = F>,
) -> Vec<(MigrationId, F::Output)> {
    let answers = join_all(futures).await;
    controllers.iter().map(|controller| controller.id().clone()).zip(answers).collect()
}
