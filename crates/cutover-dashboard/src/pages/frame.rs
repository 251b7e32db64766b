//! What is around every page.

use cutover::store::MigrationId;
use cutover::{MigrationStatus, SystemMode};

use super::assets;
use super::handlers;
use super::words;
use crate::state::State;
use crate::view::{GroupView, Problem};
use crate::{Role, look};

/// Where the dashboard is mounted: `""` at the root, else such as `/cutover`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Base(pub(crate) String);

/// What the layout shows around a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) base: String,
    pub(crate) title: String,
    pub(crate) actor: String,
    /// `None` where nobody is known.
    pub(crate) role: Option<Role>,
    pub(crate) here: Option<Here>,
    pub(crate) notice: Option<Banner>,
    /// What was typed as the reason of a refused change.
    pub(crate) reason: String,
    /// Where the server says that something changed; empty for pages that do not change.
    pub(crate) live: String,
    /// The path by which this page can be had again.
    pub(crate) page: String,
    /// When the page was made, in milliseconds since 1970.
    pub(crate) now: u64,
    /// Who made what holds.
    pub(crate) by: String,
    /// How many migrations an emergency for all would roll back.
    pub(crate) all: usize,
    /// Of which groups there are emergencies besides.
    pub(crate) groups: Vec<GroupWords>,
    pub(crate) style_version: &'static str,
    pub(crate) morph_version: &'static str,
    pub(crate) script_version: &'static str,
}

/// A group that can be rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupWords {
    pub(crate) name: String,
    /// Its migrations, with commas.
    pub(crate) members: String,
}

impl GroupWords {
    pub(crate) fn of(group: &GroupView) -> Self {
        let members: Vec<&str> = group.migrations.iter().map(MigrationId::as_str).collect();
        Self { name: group.name.to_string(), members: members.join(", ") }
    }
}

/// The migration of a page, as it was seen: what every command has to expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Here {
    pub(crate) id: String,
    pub(crate) epoch: u64,
    /// 32 hexadecimal digits, or nothing.
    pub(crate) etag: String,
    pub(crate) tabs: Vec<TabLink>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TabLink {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) is_here: bool,
}

/// Which page of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Migration,
    Discrepancies,
    Audit,
    Claims,
}

impl Tab {
    const fn path(self) -> &'static str {
        match self {
            Self::Migration => "",
            Self::Discrepancies => "/discrepancies",
            Self::Audit => "/audit",
            Self::Claims => "/claims",
        }
    }
}

/// Which pages a migration has besides those that all have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    pub(crate) discrepancies: bool,
    pub(crate) claims: bool,
}

/// What stands above a page.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// What came of what somebody did, in sentences.
    Done(Vec<String>),
    /// A change was stored, as the audit says.
    Stored(String),
    /// What somebody did was refused; `reason` is what they gave.
    Refused { problem: Problem, reason: String },
    /// Something cannot be shown.
    Missing(String),
}

impl Notice {
    /// The status of a page that says so; `None` where that is the one of the page itself.
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { problem, .. } => Some(problem.status),
            Self::Done(_) | Self::Stored(_) | Self::Missing(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Banner {
    pub(crate) class: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) role: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) lines: Vec<String>,
}

impl Frame {
    /// The frame of a page that is not of one migration.
    pub(crate) fn new(base: &Base, title: &str, actor: &str, role: Option<Role>, notice: Option<Notice>) -> Self {
        let reason = match &notice {
            Some(Notice::Refused { reason, .. }) => reason.clone(),
            _ => String::new(),
        };
        Self {
            base: base.0.clone(),
            title: format!("{title} · cutover"),
            actor: words::shown(actor),
            role,
            here: None,
            notice: notice.map(|notice| Banner::of(&notice)),
            reason,
            live: String::new(),
            page: String::new(),
            now: 0,
            by: String::new(),
            all: 0,
            groups: Vec::new(),
            style_version: assets::style().version,
            morph_version: assets::morph().version,
            script_version: assets::script().version,
        }
    }

    /// The same frame around a page of the migration with `status`, as seen `now`.
    pub(crate) fn at(mut self, status: &MigrationStatus, parts: Parts, tab: Tab, now: u64) -> Self {
        self.now = now;
        let here = Here::of(status, parts, tab);
        self.live = format!("{}/m/{}/live", self.base, here.id);
        self.page = format!("{}/m/{}{}", self.base, here.id, tab.path());
        self.by = status.actor.as_ref().map(|actor| words::shown(actor.as_str())).unwrap_or_default();
        self.here = Some(here);
        self
    }

    /// The same frame around a page that could not be had at `path`: an emergency is for the migration that the path names, or
    /// for all.
    pub(super) fn beside(mut self, state: &State, path: &str) -> Self {
        self.all = state.migrations.len();
        self.groups = look::groups(state).iter().map(GroupWords::of).collect();
        let id = path.strip_prefix("/m/").and_then(|rest| rest.split('/').next());
        let watched = id.and_then(|id| state.find(id));
        self.here = watched.map(|watched| {
            let mut here = Here::of(&watched.migration.controller.status(), handlers::parts(watched), Tab::Migration);
            here.tabs.iter_mut().for_each(|tab| tab.is_here = false);
            here
        });
        self
    }

    pub(crate) fn home(&self) -> &str {
        if self.base.is_empty() { "/" } else { &self.base }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.here.as_ref().map_or(0, |here| here.epoch)
    }

    pub(crate) fn role_name(&self) -> &'static str {
        self.role.map_or("", Role::name)
    }

    pub(crate) fn may_operate(&self) -> bool {
        self.role >= Some(Role::Operate)
    }

    pub(crate) fn may_override(&self) -> bool {
        self.role >= Some(Role::Override)
    }

    pub(crate) fn all_words(&self) -> String {
        if self.all == 1 { "1 migration".to_owned() } else { format!("all {} migrations", self.all) }
    }
}

impl Here {
    pub(crate) fn of(status: &MigrationStatus, parts: Parts, tab: Tab) -> Self {
        let all = [
            (Tab::Migration, "Migration", true),
            (Tab::Discrepancies, "Discrepancies", parts.discrepancies),
            (Tab::Audit, "Audit", true),
            (Tab::Claims, "Claims", parts.claims),
        ];
        let there = all.into_iter().filter(|(.., is_there)| *is_there);
        let tabs = there.map(|(of, name, _)| TabLink { name, path: of.path(), is_here: of == tab }).collect();
        let etag = status.etag.map(|etag| format!("{etag:032x}")).unwrap_or_default();
        Self { id: status.id.to_string(), epoch: status.epoch, etag, tabs }
    }
}

impl Banner {
    fn of(notice: &Notice) -> Self {
        let lines = |lines: &[String]| lines.iter().map(|line| words::with_mode_names(line)).collect();
        let banner = |class, role, heading, lines| Self { class, icon: class, role, heading, lines };
        match notice {
            Notice::Done(said) => banner("notice", "status", "Done.", lines(said)),
            Notice::Stored(what) => banner("ok", "status", "Stored.", lines(std::slice::from_ref(what))),
            Notice::Refused { problem, .. } => {
                banner("alarm", "alert", "Refused.", lines(std::slice::from_ref(&problem.detail)))
            }
            Notice::Missing(what) => banner("warning", "status", "Not shown.", lines(std::slice::from_ref(what))),
        }
    }
}

/// The share of calls that new serves, in percent, whatever rollout is set.
pub(crate) fn served_by_new(status: &MigrationStatus) -> String {
    let percent = match status.mode {
        SystemMode::LegacyOnly | SystemMode::Parallel | SystemMode::EmergencyRollback => 0.0,
        SystemMode::GradualRollout => status.rollout.percent(),
        SystemMode::NewOnly => 100.0,
    };
    percent.to_string()
}
