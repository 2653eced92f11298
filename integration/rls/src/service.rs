//! `ShouldRateLimit` as Limitador's server answers it.

use crate::messages::{Code, RateLimitRequest, RateLimitResponse};
use limitador::AsyncRateLimiter;
use limitador::limit::Context;
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const METHOD: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

#[derive(Clone)]
pub struct RateLimits(Arc<AsyncRateLimiter>);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl RateLimits {
    pub fn new(limiter: AsyncRateLimiter) -> Self {
        Self(Arc::new(limiter))
    }

    async fn should_rate_limit(&self, request: RateLimitRequest) -> Result<Code, Status> {
        if request.domain.is_empty() {
            return Ok(Code::Unknown);
        }
        // Nothing is one, as the protocol has it. A descriptor's own `limit` and `hits_addend` are not looked at.
        let hits = u64::from(request.hits_addend.max(1));
        let descriptors = request.descriptors.into_iter().map(|descriptor| {
            let entries = descriptor.entries.into_iter().map(|entry| (entry.key, entry.value));
            entries.collect::<HashMap<_, _>>()
        });
        let mut context = Context::default();
        context.list_binding("descriptors".to_owned(), descriptors.collect());
        let checked = self.0.check_rate_limited_and_update(&request.domain.into(), &context, hits).await;
        let checked = checked.map_err(|error| {
            eprintln!("{error}");
            Status::unavailable("Service unavailable")
        })?;
        Ok(if checked.limited { Code::OverLimit } else { Code::Ok })
    }
}

impl UnaryService<RateLimitRequest> for RateLimits {
    type Response = RateLimitResponse;
    type Future = Boxed<Result<Response<RateLimitResponse>, Status>>;

    fn call(&mut self, request: Request<RateLimitRequest>) -> Self::Future {
        let limits = self.clone();
        Box::pin(async move {
            let code = limits.should_rate_limit(request.into_inner()).await?;
            Ok(Response::new(RateLimitResponse { overall_code: code.into() }))
        })
    }
}

impl NamedService for RateLimits {
    const NAME: &'static str = "envoy.service.ratelimit.v3.RateLimitService";
}

impl tonic::codegen::Service<http::Request<Body>> for RateLimits {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            if request.uri().path() != METHOD {
                return Ok(Status::unimplemented("only ShouldRateLimit").into_http());
            }
            Ok(Grpc::new(ProstCodec::default()).unary(service, request).await)
        })
    }
}
