//! `ShouldRateLimit` as Limitador's server answers it.

use crate::counters::Counters;
use crate::messages::{Code, RateLimitRequest, RateLimitResponse};
use limitador::counter::Counter;
use limitador::errors::LimitadorError;
use limitador::limit::{Context, Limit};
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
pub struct RateLimits(Arc<Shared>);

struct Shared {
    limits: Vec<Arc<Limit>>,
    counters: Counters,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl RateLimits {
    pub fn new(limits: Vec<Limit>, counters: Counters) -> Self {
        Self(Arc::new(Shared { limits: limits.into_iter().map(Arc::new).collect(), counters }))
    }
}

impl Shared {
    async fn should_rate_limit(&self, request: RateLimitRequest) -> Result<Code, Status> {
        if request.domain.is_empty() {
            return Ok(Code::Unknown);
        }
        // Nothing is one, as the protocol has it. A descriptor's own `limit` and `hits_addend` are not looked at.
        let hits = u64::from(request.hits_addend.max(1));
        let counters = self.counters_of(&request).map_err(|error| unavailable(&error))?;
        if counters.is_empty() {
            return Ok(Code::Ok);
        }
        let taken = self.counters.take(&counters, hits).await.map_err(|error| unavailable(&error))?;
        Ok(if taken { Code::Ok } else { Code::OverLimit })
    }

    /// The counters of every limit that applies, in any order.
    fn counters_of(&self, request: &RateLimitRequest) -> Result<Vec<Counter>, LimitadorError> {
        let descriptors = request.descriptors.iter().map(|descriptor| {
            let entries = descriptor.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
            entries.collect::<HashMap<_, _>>()
        });
        let mut context = Context::default();
        context.list_binding("descriptors".to_owned(), descriptors.collect());
        let here = |limit: &&Arc<Limit>| limit.namespace().as_ref() == request.domain && limit.applies(&context);
        let counters = self.limits.iter().filter(here).map(|limit| Counter::new(Arc::clone(limit), &context));
        counters.filter_map(Result::transpose).collect()
    }
}

fn unavailable(error: &dyn std::error::Error) -> Status {
    eprintln!("{error}");
    Status::unavailable("Service unavailable")
}

impl UnaryService<RateLimitRequest> for RateLimits {
    type Response = RateLimitResponse;
    type Future = Boxed<Result<Response<RateLimitResponse>, Status>>;

    fn call(&mut self, request: Request<RateLimitRequest>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let code = shared.should_rate_limit(request.into_inner()).await?;
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
