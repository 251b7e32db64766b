//! The text of [`FlagReferences`].

use std::fmt;

use super::references::{FlagPlace, FlagReferences};

impl fmt::Display for FlagReferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (referenced, unknown) = (self.referenced.len(), self.unknown.len());
        let all = referenced + self.unreferenced.len();
        write!(f, "{referenced} of {all} flags are referenced; unknown keys: {unknown}")?;
        for (key, places) in &self.unknown {
            write!(f, "\nunknown key `{key}`, in no configuration: {}", listed(places))?;
        }
        for flag in &self.unreferenced {
            let doubt = if self.is_uncertain() { ", unless by what was not seen" } else { "" };
            write!(f, "\nunreferenced flag `{flag}`: remove it from the configuration{doubt}")?;
        }
        for settled in &self.settled {
            let places = listed(&settled.places);
            write!(f, "\nflag `{}` is at {}: remove its branches: {places}", settled.flag, settled.rollout)?;
        }
        for place in &self.dynamic {
            write!(f, "\nnot seen: the key at {place} is known only when the code runs")?;
        }
        self.unseen.iter().try_for_each(|skipped| write!(f, "\nnot seen: {}: {}", skipped.path, skipped.reason))
    }
}

fn listed(places: &[FlagPlace]) -> String {
    let places: Vec<_> = places.iter().map(ToString::to_string).collect();
    places.join(", ")
}
