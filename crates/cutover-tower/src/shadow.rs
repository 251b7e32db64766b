//! A shadow's run: its request, its response, and the bodies of both sides for the comparison.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use cutover::dual::DetachedShadow;
use cutover::record::Capture;
use futures_channel::oneshot;
use futures_util::future::join;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::copy::{BodyCopy, Recording, Replay, Whole, collect};
use crate::head::Conditions;
use crate::picked::Picked;
use crate::service::SideRequest;
use crate::shared::Shared;
use crate::{HttpAnswer, HttpFailure, MigrationBody};

/// All that a shadow needs.
pub(crate) struct ShadowRun<L, N> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) side: Picked<L, N>,
    pub(crate) head: Parts,
    pub(crate) request: Whole,
    pub(crate) conditions: Conditions,
    pub(crate) has_body: bool,
}

/// Where a shadow leaves its body for the comparison.
type Left<R> = oneshot::Sender<(HttpAnswer, R)>;

impl<L, N> ShadowRun<L, N> {
    /// Hands the shadow to the runner, which runs, times and compares it. `served` is the answer to compare with, and
    /// `recording` its body.
    pub(crate) fn start<B, R, E, C>(
        self,
        shadow: DetachedShadow<HttpAnswer, HttpFailure, C>,
        served: Option<HttpAnswer>,
        recording: Recording,
    ) where
        L: Service<SideRequest<B>, Response = Response<R>, Error = E> + Send + 'static,
        N: Service<SideRequest<B>, Response = Response<R>, Error = E> + Send + 'static,
        L::Future: Send,
        N::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        R: Body<Data = Bytes> + Send + 'static,
        E: Send + 'static,
        C: FnOnce(&mut Capture) -> fmt::Result + Send + 'static,
    {
        let (limit, has_body) = (self.shared.limit, self.has_body);
        let (left, body) = oneshot::channel::<(HttpAnswer, R)>();
        let gather = async move {
            let of_served = async {
                let copy = recording.end().await;
                if let Some(served) = served {
                    served.set_body(copy);
                }
            };
            let of_shadow = async {
                if let Ok((answer, body)) = body.await {
                    let nothing = BodyCopy::Whole(Whole::default());
                    answer.set_body(if has_body { collect(body, limit).await } else { nothing });
                }
            };
            join(of_served, of_shadow).await;
        };
        shadow.start_and_gather(self.run(left), gather);
    }

    async fn run<B, R, E>(self, left: Left<R>) -> Result<HttpAnswer, HttpFailure>
    where
        L: Service<SideRequest<B>, Response = Response<R>, Error = E>,
        N: Service<SideRequest<B>, Response = Response<R>, Error = E>,
        B: Body<Data = Bytes>,
    {
        let Self { shared, side, mut head, request, conditions, .. } = self;
        shared.make_shadow(&mut head);
        let request = Request::from_parts(head, MigrationBody::replayed(Replay::new(request)));
        let response = side.ask(request).await.map_err(|_| HttpFailure::service())?;
        let (head, body) = response.into_parts();
        if shared.is_failure(head.status, &head.headers) {
            return Err(HttpFailure::response(head.status));
        }
        let answer = HttpAnswer::shadow(head.status, head.headers, conditions);
        left.send((answer.clone(), body)).ok();
        Ok(answer)
    }
}
