//! A subscriber that keeps what it hears.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// A span or an event, with its fields as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The span's name, or the event's message.
    pub(crate) name: String,
    pub(crate) level: Level,
    pub(crate) is_span: bool,
    /// The name of the span in which it happened.
    pub(crate) inside: Option<String>,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

/// All spans and events of `run`, in the order in which they began.
pub(crate) fn heard<R>(run: impl FnOnce() -> R) -> (R, Vec<Heard>) {
    let heard = Heards::default();
    let subscriber = Registry::default().with(heard.clone());
    let result = tracing::subscriber::with_default(subscriber, run);
    let heard = heard.0.lock().unwrap().iter().map(|(_, heard)| heard.clone()).collect();
    (result, heard)
}

#[derive(Clone, Default)]
struct Heards(Arc<Mutex<Vec<(Option<Id>, Heard)>>>);

impl Heards {
    fn push(&self, id: Option<Id>, mut heard: Heard) {
        if let Some(message) = heard.fields.remove("message") {
            heard.name = message;
        }
        self.0.lock().unwrap().push((id, heard));
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Heards {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (meta, mut fields) = (attributes.metadata(), Fields::default());
        attributes.record(&mut fields);
        let inside = context.lookup_current().map(|span| span.name().to_owned());
        let heard = Heard { name: meta.name().into(), level: *meta.level(), is_span: true, inside, fields: fields.0 };
        self.push(Some(id.clone()), heard);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut all = self.0.lock().unwrap();
        let of_span = all.iter_mut().rev().find(|(other, _)| other.as_ref() == Some(id));
        of_span.unwrap().1.fields.append(&mut fields.0);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let (meta, mut fields) = (event.metadata(), Fields::default());
        event.record(&mut fields);
        let inside = context.lookup_current().map(|span| span.name().to_owned());
        let heard = Heard { name: String::new(), level: *meta.level(), is_span: false, inside, fields: fields.0 };
        self.push(None, heard);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), fmt::format(format_args!("{value:?}")));
    }
}
