//! What the tests of the layer share: bodies with a script, services that say what they saw, and a runtime whose time is virtual.
#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll};

use bytes::Bytes;
use cutover::dual::Counts;
use cutover::record::MemoryRecorder;
use cutover::testing::VirtualRuntime;
use cutover::{Discrepancy, Route, Side, SystemMode};
use cutover_tower::{MigrationBody, MigrationLayer, MigrationLayerBuilder, MigrationService};
use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

pub(crate) const LEGACY_ONLY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
pub(crate) const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
pub(crate) const NEW_ONLY: Route = Route::new(SystemMode::NewOnly, Side::New);
pub(crate) const LIVE: Route = Route::new(SystemMode::NewOnly, Side::New).with_shadow();

/// The error of a scripted body or service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken: {0}")]
pub(crate) struct Broken(pub(crate) u32);

/// One step of a body.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Pending once, and woken at once.
    Wait,
    Fail(Broken),
    /// Pending for ever.
    Never,
    /// The same bytes again and again.
    Endless(Bytes),
    Panic,
}

impl Step {
    pub(crate) fn data(data: impl Into<Bytes>) -> Self {
        Self::Data(data.into())
    }
}

/// A body that does what its script says. With `says_size` it knows its size beforehand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) says_size: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), says_size: false }
    }

    /// One piece of known size.
    pub(crate) fn full(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let steps = if data.is_empty() { VecDeque::new() } else { [Step::Data(data)].into() };
        Self { steps, says_size: true }
    }

    fn left(&self) -> u64 {
        let sizes = self.steps.iter().map(|step| if let Step::Data(data) = step { data.len() as u64 } else { 0 });
        sizes.sum()
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Fail(error)) => Poll::Ready(Some(Err(error))),
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Never) => {
                self.steps.push_front(Step::Never);
                Poll::Pending
            }
            Some(Step::Endless(data)) => {
                self.steps.push_front(Step::Endless(data.clone()));
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Step::Panic) => planned_panic(),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.says_size && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.says_size { SizeHint::with_exact(self.left()) } else { SizeHint::default() }
    }
}

/// What came out of a body.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Read {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) error: Option<Broken>,
}

impl Read {
    pub(crate) fn data(&self) -> Vec<u8> {
        self.frames.concat()
    }
}

/// Reads a body frame by frame to its end.
pub(crate) async fn read<B: Body<Data = Bytes, Error = Broken>>(body: B) -> Read {
    let mut body = std::pin::pin!(body);
    let mut read = Read::default();
    loop {
        match std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            None => return read,
            Some(Err(error)) => {
                read.error = Some(error);
                return read;
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => read.frames.push(data),
                Err(frame) => read.trailers = frame.into_trailers().ok(),
            },
        }
    }
}

pub(crate) type Asked = Request<MigrationBody<Script>>;
pub(crate) type Answered = Result<Response<Script>, Broken>;
pub(crate) type TestSide = BoxCloneSyncService<Asked, Response<Script>, Broken>;
pub(crate) type TestService = MigrationService<TestSide, TestSide>;

/// What a side has seen, in order: heads and what it read of the bodies.
pub(crate) type Seen = Arc<Mutex<Vec<(Parts, Read)>>>;

/// A side that runs `answer`.
pub(crate) fn side<F>(answer: impl Fn(Asked) -> F + Clone + Send + Sync + 'static) -> TestSide
where
    F: Future<Output = Answered> + Send + 'static,
{
    BoxCloneSyncService::new(service_fn(answer))
}

/// A side that reads the request to its end, notes it, and answers with this body.
pub(crate) fn reader(body: Script) -> (TestSide, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let answer = move |request: Asked| {
        let (noted, body) = (Arc::clone(&noted), body.clone());
        async move {
            let (head, asked) = request.into_parts();
            let asked = read(asked).await;
            noted.lock().expect("nobody panics").push((head, asked));
            Ok(Response::new(body))
        }
    };
    (side(answer), seen)
}

/// A side that answers with this response and reads nothing.
pub(crate) fn answers(make: impl Fn() -> Response<Script> + Clone + Send + Sync + 'static) -> TestSide {
    side(move |_| {
        let response = make();
        async move { Ok(response) }
    })
}

/// A JSON response.
pub(crate) fn json(body: &str) -> Response<Script> {
    let mut response = Response::new(Script::full(body.to_owned()));
    response.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
    response
}

/// A layer whose shadows run in virtual time, with its recorder.
pub(crate) struct Bench {
    pub(crate) runtime: VirtualRuntime,
    pub(crate) recorder: Arc<MemoryRecorder>,
    pub(crate) layer: MigrationLayer<TestSide>,
    pub(crate) service: TestService,
}

impl Bench {
    pub(crate) fn new(route: Route, legacy: TestSide, new: TestSide) -> Self {
        Self::with(route, legacy, new, |builder| builder)
    }

    pub(crate) fn with(
        router: impl cutover::Router + 'static,
        legacy: TestSide,
        new: TestSide,
        configure: impl FnOnce(MigrationLayerBuilder<TestSide>) -> MigrationLayerBuilder<TestSide>,
    ) -> Self {
        let (runtime, recorder) = (VirtualRuntime::new(), Arc::new(MemoryRecorder::new()));
        let (virtually, records) = (runtime.clone(), Arc::clone(&recorder));
        let builder = MigrationLayer::builder("orders", router, new)
            .runner(move |runner| runner.clock(virtually.clock()).runtime(virtually).record_to(records));
        let layer = configure(builder).build();
        let service = layer.layer(legacy);
        Self { runtime, recorder, layer, service }
    }

    /// Sends a request; the shadow's task has not run yet.
    pub(crate) fn send(&self, request: Request<Script>) -> Result<Response<MigrationBody<Script>>, Broken> {
        self.runtime.run(self.service.clone().oneshot(request))
    }

    /// Sends a request, reads the response to its end, and lets the shadow end.
    pub(crate) fn exchange(&self, request: Request<Script>) -> (http::response::Parts, Read) {
        let (head, body) = self.send(request).expect("the side that serves answers").into_parts();
        let body = self.runtime.run(read(body));
        self.settle();
        (head, body)
    }

    /// Lets all shadows end.
    pub(crate) fn settle(&self) {
        assert!(self.runtime.settle(std::time::Duration::from_secs(60)), "shadows end: {:?}", self.runtime);
    }

    pub(crate) fn counts(&self) -> Counts {
        self.layer.runner().counts()
    }

    pub(crate) fn found(&self) -> Vec<Discrepancy> {
        self.recorder.discrepancies()
    }

    /// The paths of the differences that were recorded.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.found().into_iter().flat_map(|found| found.differences).map(|difference| difference.path).collect()
    }
}

pub(crate) fn get(uri: &str) -> Request<Script> {
    Request::get(uri).body(Script::full("")).expect("a request")
}

pub(crate) fn post(body: Script) -> Request<Script> {
    Request::post("/").body(body).expect("a request")
}

/// The payload of a panic that a test planned.
struct Planned;

/// Panics, and keeps it off the terminal.
pub(crate) fn planned_panic() -> ! {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Planned>() {
                shown(info);
            }
        }));
    });
    panic_any(Planned)
}

/// A future that panics when it is polled.
pub(crate) fn panicking() -> BoxFuture<'static, Answered> {
    Box::pin(async { planned_panic() })
}

pub(crate) fn no_error<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
