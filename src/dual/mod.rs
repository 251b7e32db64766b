//! [`DualRunner`]: runs both sides, answers with one, reports on the pair.
//!
//! # What the caller can rely on
//! The answer is that of the side that serves: its value, its error, or its panic. The other side, the comparator, the
//! capture functions, the recorder, the observer and the runtime may fail, panic (in destructors and in panic payloads
//! too) or hang; each is contained and counted. What they may cost the caller in time:
//!
//! | part | [`run`](DualRunner::run) | [`run_detached`](DualRunner::run_detached) | [`run_sync`](DualRunner::run_sync) |
//! |---|---|---|---|
//! | the router | its own time | its own time | its own time |
//! | a shadow that is slow or never ends | the patience (100 ms) | nothing | its own time |
//! | a shadow that blocks its thread | the time it blocks | nothing, on a runtime of its own | its own time |
//! | comparator, captures, context | their own time | nothing, on a runtime of its own | their own time |
//! | a recorder or observer that blocks | nothing | nothing | nothing |
//! | `T::clone`, capture and projection of a served error | | their own time | |
//! | a runtime whose `spawn` blocks | | its own time | |
//! | a runtime whose `sleep` never ends | a shadow's own time | nothing | |
//!
//! A [`PlannedCall`] is `run_detached` in steps, and costs the same.
//!
//! Where the served side of `run_detached` panics, or legacy answers for new, nothing is left to run: comparator, captures
//! and context then run on the caller's path, as in `run`. A recorder or an observer that says that it never blocks, and
//! does, costs its own time.
//!
//! `run` and `run_sync` borrow: both sides, the comparator and the context run on the caller's thread, and no library
//! can take a thread away from code that does not give it back. Where such code is not trusted to end, call
//! `run_detached`.
//!
//! # Spans and events
//! With `tracing` enabled, each call is a span `cutover.call` (level `DEBUG`) with the fields `runner`, `mode`, `serves`,
//! `epoch` and, where both sides run, `shadow` and at its end `verdict`. Each discrepancy is an event (`WARN`) with
//! `runner`, `mode`, `epoch`, `serves`, `kind`, `legacy`, `new` (outcomes), `differences` (how many) and `fingerprint`;
//! each skipped shadow one (`DEBUG`) with `runner`, `mode`, `epoch` and `reason`; each contained fault one (`WARN`)
//! with `runner` and `part`. Values, keys and panic texts are never among them.
//!
//! # What does not compile
//! This does:
//! ```
//! # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
//! # use std::future::ready;
//! # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
//! let runner = DualRunner::<usize, String>::builder("order", parallel).comparator(Equality).build();
//! let (mut order, mut copy) = (vec![1], vec![1]);
//! runner.run_sync("order-17", || { order.push(2); Ok(order.len()) }, || { copy.push(2); Ok(copy.len()) });
//! let length = order.len();
//! let answer = runner.run_detached("order-17", ready(Ok(length)), async move { Ok(length) });
//! ```
//! A runner without a comparator does not, because nothing is equal by default:
//! ```compile_fail,E0599
//! # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
//! # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
//! let runner = DualRunner::<usize, String>::builder("order", parallel).build();
//! ```
//! Nor do two sides that change one argument, and would agree because it is one:
//! ```compile_fail,E0499
//! # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
//! # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
//! # let runner = DualRunner::<usize, String>::builder("order", parallel).comparator(Equality).build();
//! let mut order = vec![1];
//! runner.run_sync("order-17", || { order.push(2); Ok(order.len()) }, || { order.push(2); Ok(order.len()) });
//! ```
//! ```compile_fail,E0499
//! # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
//! # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
//! # let runner = DualRunner::<usize, String>::builder("order", parallel).comparator(Equality).build();
//! let mut order = vec![1];
//! let answer = runner.run("order-17", async { order.push(2); Ok(1) }, async { order.push(2); Ok(1) });
//! ```
//! Nor does a detached shadow that borrows what the caller may drop before it ends:
//! ```compile_fail,E0597
//! # use cutover::{DualRunner, Equality, Route, Side, SystemMode};
//! # use std::future::ready;
//! # let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
//! # let runner = DualRunner::<usize, String>::builder("order", parallel).comparator(Equality).build();
//! let order = vec![1];
//! let order = &order;
//! let answer = runner.run_detached("order-17", ready(Ok(1)), async move { Ok(order.len()) });
//! ```

mod books;
mod breaker;
mod builder;
mod call;
mod capture;
mod counts;
mod depth;
mod detached;
mod end;
mod errors;
mod judge;
mod planned;
mod policy;
mod recorder;
mod report;
mod run;
mod runner;
mod shared;
mod sides;
mod slot;
mod sync;
mod timer;
mod trace;
mod waits;

pub use builder::{DualRunnerBuilder, NeedsComparator, PanicAborts};
pub use call::Call;
pub use counts::{Counts, Faults, Skipped};
pub use planned::{DetachedShadow, PlannedCall};
pub use policy::{Fallback, Order, ShadowPolicy};
pub use runner::DualRunner;
pub use waits::Waits;
