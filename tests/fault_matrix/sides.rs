//! The sides of a call, and what they answer.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cutover::Side;
use serde::{Serialize, Serializer};

use crate::dual_common::Planned;
use crate::with_bomb::WithBomb;
use crate::world::{Bomb, Fault, Given, Part, World};

/// What a side answers: like no other by its identity, equal to others by its content.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: u64,
    pub(crate) part: Part,
    pub(crate) side: Side,
    pub(crate) content: u8,
    pub(crate) bomb: Bomb,
    world: Arc<World>,
}

impl Clone for Answer {
    fn clone(&self) -> Self {
        let world = Arc::clone(&self.world);
        let bomb = world.bomb(Part::Clone);
        if !bomb.armed {
            drop(world.act(Part::Clone));
        }
        Self { id: self.id, part: self.part, side: self.side, content: self.content, bomb, world }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.content)
    }
}

/// An error, which cannot be cloned.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Answer);

pub(crate) type Answered = Result<Answer, Failure>;

/// How a side behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) part: Part,
    pub(crate) side: Side,
    /// How often it is polled in vain before it starts to wait.
    pub(crate) yields: u32,
    pub(crate) delay: Duration,
    pub(crate) content: u8,
    /// Whether it fails although it is not broken.
    pub(crate) fails: bool,
}

impl Behaviour {
    pub(crate) fn future(self, world: &Arc<World>) -> impl Future<Output = Answered> + Send + 'static {
        let bomb = world.bomb(self.part);
        let world = Arc::clone(world);
        let run = async move {
            for _ in 0..self.yields {
                yield_once().await;
            }
            if world.has(self.part, Fault::Block) {
                world.block(self.part);
            }
            world.clock.sleep(self.delay).await;
            if world.has(self.part, Fault::Hang) {
                pending::<()>().await;
            }
            let bomb = Bomb { armed: self.part != Part::Served && world.has(self.part, Fault::PanicInDrop) };
            self.end(&world, bomb)
        };
        WithBomb::new(Box::pin(run), bomb)
    }

    pub(crate) fn closure(self, world: &Arc<World>) -> impl FnOnce() -> Answered + use<> {
        let bomb = world.bomb(self.part);
        let world = Arc::clone(world);
        move || {
            if world.has(self.part, Fault::Block) {
                world.block(self.part);
            }
            world.clock.advance(self.delay);
            let answer = self.end(&world, Bomb { armed: false });
            if bomb.armed {
                world.give(self.side, Given::Panic(0));
            }
            drop(bomb);
            answer
        }
    }

    fn end(self, world: &Arc<World>, bomb: Bomb) -> Answered {
        let id = world.id();
        let fault = world.fault(self.part);
        let given = match fault {
            Some(Fault::Panic | Fault::HostilePayload) => Given::Panic(id),
            Some(Fault::Error) => Given::Error(id),
            _ if self.fails => Given::Error(id),
            _ => Given::Value(id),
        };
        if self.part != Part::Twin {
            world.give(self.side, given);
        }
        let Self { part, side, content, .. } = self;
        let answer = || Answer { id, part, side, content, bomb, world: Arc::clone(world) };
        match given {
            Given::Value(_) => Ok(answer()),
            Given::Error(_) => Err(Failure(answer())),
            Given::Panic(_) => Planned::throw(id, fault == Some(Fault::HostilePayload)),
        }
    }
}

pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
