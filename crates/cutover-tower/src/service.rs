//! [`MigrationService`]: two services as one.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use cutover::dual::PlannedCall;
use cutover::record::Capture;
use cutover::{DualRunner, Side};
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::copy::{BodyCopy, Recording, Whole};
use crate::counts::Reason;
use crate::head::Conditions;
use crate::picked::Picked;
use crate::shadow::ShadowRun;
use crate::shared::{Shared, Sheltered};
use crate::{HttpAnswer, HttpFailure, MigrationBody, RequestCounts};

/// Two services as one, made by a [`MigrationLayer`](crate::MigrationLayer).
///
/// It is always ready. Each request takes a clone of the side that serves, waits until that clone is ready, and calls it;
/// the other side is neither asked nor waited for. What limits or sheds load belongs inside the sides, or around this
/// service if it counts requests under way.
pub struct MigrationService<L, N> {
    legacy: L,
    new: N,
    shared: Arc<Shared>,
}

impl<L, N> MigrationService<L, N> {
    pub(crate) const fn new(legacy: L, new: N, shared: Arc<Shared>) -> Self {
        Self { legacy, new, shared }
    }

    /// The runner, for its counts and for flushing its recorder.
    #[must_use]
    pub fn runner(&self) -> &DualRunner<HttpAnswer, HttpFailure> {
        &self.shared.runner
    }

    /// Why requests had no shadow.
    #[must_use]
    pub fn request_counts(&self) -> RequestCounts {
        self.shared.counters.sum()
    }
}

impl<L: Clone, N: Clone> MigrationService<L, N> {
    fn pick(&self, side: Side) -> Picked<L, N> {
        match side {
            Side::Legacy => Picked::Legacy(self.legacy.clone()),
            Side::New => Picked::New(self.new.clone()),
        }
    }
}

/// The type of a side's request.
pub(crate) type SideRequest<B> = Request<MigrationBody<B>>;

impl<L, N, B, R, E> Service<Request<B>> for MigrationService<L, N>
where
    L: Service<SideRequest<B>, Response = Response<R>, Error = E> + Clone + Send + 'static,
    N: Service<SideRequest<B>, Response = Response<R>, Error = E> + Clone + Send + 'static,
    L::Future: Send,
    N::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    E: Send + 'static,
{
    type Response = Response<MigrationBody<R>>;
    type Error = E;
    type Future = BoxFuture<'static, Result<Self::Response, E>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let mut planned = self.shared.plan(&head, &body);
        let served = self.pick(planned.route().serve);
        let waits = if body.is_end_stream() { None } else { planned.waits() };
        if !planned.has_shadow() {
            let request = Request::from_parts(head, MigrationBody::plain(body).timed(waits));
            return Box::pin(serve_alone(Arc::clone(&self.shared), planned, served, request));
        }
        let other = planned.route().serve.other();
        let shadow = self.shared.contain(|| Sheltered::new((self.pick(other), head.clone())));
        let tells = self.shared.describe.is_some();
        let told = if tells { self.shared.contain(|| Sheltered::new(head.clone())) } else { None };
        let (body, copy) = MigrationBody::tapped(body, self.shared.limit);
        let call = TwoSided {
            shared: Arc::clone(&self.shared),
            conditions: Conditions::of(&head.headers),
            has_body: head.method != Method::HEAD,
            served,
            request: Request::from_parts(head, body.timed(waits)),
            shadow,
            copy,
        };
        let Some(head) = told else { return Box::pin(call.run(planned)) };
        let shared = Arc::clone(&self.shared);
        let describe = move || Some((shared.describe.as_ref()?)(&head.take()?));
        Box::pin(call.run(planned.context(describe)))
    }
}

/// The side that serves, with nothing beside it: bodies pass through.
async fn serve_alone<L, N, B, R, E>(
    shared: Arc<Shared>,
    planned: PlannedCall<HttpAnswer, HttpFailure>,
    served: Picked<L, N>,
    request: SideRequest<B>,
) -> Result<Response<MigrationBody<R>>, E>
where
    L: Service<SideRequest<B>, Response = Response<R>, Error = E>,
    N: Service<SideRequest<B>, Response = Response<R>, Error = E>,
    R: Body<Data = Bytes>,
{
    let mut result = None;
    {
        let answer = pin!(async {
            match result.insert(served.ask(request).await) {
                Err(_) => Err(HttpFailure::service()),
                Ok(response) if shared.is_failure(response.status(), response.headers()) => {
                    Err(HttpFailure::response(response.status()))
                }
                Ok(response) => Ok(HttpAnswer::alone(response.status())),
            }
        });
        drop(planned.serve(answer).await);
    }
    let Some(result) = result else { unreachable!("a side that was served has answered") };
    result.map(|response| response.map(MigrationBody::plain))
}

/// A request of which both sides run.
struct TwoSided<L, N, B> {
    shared: Arc<Shared>,
    conditions: Conditions,
    /// Whether a response has a body to compare.
    has_body: bool,
    served: Picked<L, N>,
    request: SideRequest<B>,
    /// The other side and its request's head; `None` when they could not be cloned.
    shadow: Option<Sheltered<(Picked<L, N>, Parts)>>,
    copy: Recording,
}

impl<L, N, B> TwoSided<L, N, B> {
    async fn run<R, E, C>(
        self,
        planned: PlannedCall<HttpAnswer, HttpFailure, C>,
    ) -> Result<Response<MigrationBody<R>>, E>
    where
        L: Service<SideRequest<B>, Response = Response<R>, Error = E> + Send + 'static,
        N: Service<SideRequest<B>, Response = Response<R>, Error = E> + Send + 'static,
        L::Future: Send,
        N::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        R: Body<Data = Bytes> + Send + 'static,
        E: Send + 'static,
        C: FnOnce(&mut Capture) -> fmt::Result + Send + 'static,
    {
        let Self { shared, conditions, has_body, served, request, shadow: other, copy } = self;
        let mut result = None;
        let (answer, shadow) = {
            let answer = pin!(async {
                let answered = served.ask(request).await;
                let (answer, kept) = keep(&shared, answered, conditions, has_body);
                result = Some(kept);
                answer
            });
            planned.serve(answer).await
        };
        let Some((result, recording)) = result else { unreachable!("a side that was served has answered") };
        let whole = shadow.is_some().then(|| whole_request(&shared, copy)).flatten();
        let other = other.filter(|_| whole.is_some()).and_then(Sheltered::take);
        if let (Some(shadow), Some(request), Some((side, head))) = (shadow, whole, other) {
            let run = ShadowRun { shared, side, head, request, conditions, has_body };
            run.start(shadow, answer.ok(), recording);
        }
        result
    }
}

/// A side's response, and the copy of its body to come.
type Kept<R, E> = (Result<Response<MigrationBody<R>>, E>, Recording);

/// Sees what a side answered, and taps the body if it is to be compared.
fn keep<R: Body<Data = Bytes>, E>(
    shared: &Shared,
    answered: Result<Response<R>, E>,
    conditions: Conditions,
    has_body: bool,
) -> (Result<HttpAnswer, HttpFailure>, Kept<R, E>) {
    let response = match answered {
        Err(error) => return (Err(HttpFailure::service()), (Err(error), Recording::Known(BodyCopy::Unread))),
        Ok(response) => response,
    };
    let (head, body) = response.into_parts();
    let fails = shared.is_failure(head.status, &head.headers);
    let answer = if fails {
        Err(HttpFailure::response(head.status))
    } else {
        Ok(HttpAnswer::served(head.status, head.headers.clone(), conditions))
    };
    let (body, recording) = match (fails, has_body) {
        (false, true) => MigrationBody::tapped(body, shared.limit),
        _ => (MigrationBody::plain(body), Recording::Known(BodyCopy::Whole(Whole::default()))),
    };
    (answer, (Ok(Response::from_parts(head, body)), recording))
}

/// The request's body, if the side that served has read all of it.
fn whole_request(shared: &Shared, copy: Recording) -> Option<Whole> {
    match copy.now() {
        BodyCopy::Whole(whole) => Some(whole),
        BodyCopy::TooLarge => {
            shared.counters.count(Reason::TooLarge);
            None
        }
        BodyCopy::Failed | BodyCopy::Unread | BodyCopy::Late => {
            shared.counters.count(Reason::NotRead);
            None
        }
    }
}

impl<L: Clone, N: Clone> Clone for MigrationService<L, N> {
    fn clone(&self) -> Self {
        Self { legacy: self.legacy.clone(), new: self.new.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<L, N> fmt::Debug for MigrationService<L, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationService").field("runner", &self.shared.runner).finish_non_exhaustive()
    }
}
