//! The migrator of `launchdarkly-server-sdk`.

use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use launchdarkly_server_sdk::{
    Client, Context, ContextBuilder, ExecutionOrder, Flag, FlagBuilder, FlagValue, MigratorBuilder, Stage,
};

use super::faults::{Books, Fault, Faulty, is_send};
use super::sides::side;
use crate::flags::launchdarkly_client;
use crate::traffic::awaited;
use crate::{Subject, Worker};

fn flag(stage: &str) -> Flag {
    FlagBuilder::new("price").variations([FlagValue::Str(stage.to_owned())]).fallthrough_variation_index(0).build()
}

fn user() -> Context {
    ContextBuilder::new("0123456789abcdef").build().unwrap()
}

/// A macro, since neither the type of a migrator nor that of its result can be written down.
macro_rules! migrator {
    ($client:expr, $old:expr, $new:expr, $compare:expr $(,)?) => {
        MigratorBuilder::new($client)
            .read_execution_order(ExecutionOrder::Concurrent)
            .read(move |_: &()| $old.boxed(), move |_: &()| $new.boxed(), Some($compare))
            .write(move |_: &()| $old.boxed(), move |_: &()| $new.boxed())
            .build()
            .unwrap()
    };
}

pub(super) struct Reads {
    client: Arc<Client>,
    context: Context,
}

impl Reads {
    /// A migrator whose flag says `stage`.
    pub(super) fn new(stage: &str) -> Self {
        Self { client: launchdarkly_client([flag(stage)]), context: user() }
    }
}

impl Subject for Reads {
    fn worker(&self) -> Worker<'_> {
        let mut migrator =
            migrator!(Arc::clone(&self.client), side(black_box(7)), side(black_box(7)), |old, new| old == new);
        awaited(async move || migrator.read(&self.context, "price".to_owned(), Stage::Off, ()).await.result)
    }
}

pub(super) struct Migrators {
    /// Made before a call is awaited, since it has a runtime of its own, which cannot be dropped inside of another.
    client: Arc<Client>,
}

impl Migrators {
    pub(super) fn new() -> Self {
        Self { client: launchdarkly_client([flag("shadow")]) }
    }
}

#[async_trait(?Send)]
impl Faulty for Migrators {
    fn name(&self) -> &'static str {
        "launchdarkly-server-sdk"
    }

    async fn call(&self, fault: Fault) -> Option<Result<u64, String>> {
        let compare: fn(&u64, &u64) -> bool = match fault {
            Fault::PanickingRecorder => return None,
            Fault::PanickingComparator => |old, new| Fault::PanickingComparator.compare(old, new),
            Fault::HungShadow | Fault::SlowShadow | Fault::PanickingShadow => PartialEq::eq,
        };
        let mut migrator = migrator!(Arc::clone(&self.client), async { Ok(1) }, fault.shadow(), compare);
        Some(migrator.read(&user(), "price".to_owned(), Stage::Off, ()).await.result)
    }

    async fn drop_a_call(&self) -> Books {
        Books::NotSeen
    }

    fn is_send(&self) -> bool {
        let mut migrator = migrator!(Arc::clone(&self.client), async { Ok(1) }, async { Ok(1) }, PartialEq::eq);
        let context = user();
        is_send!(&migrator.read(&context, "price".to_owned(), Stage::Off, ()))
    }
}
