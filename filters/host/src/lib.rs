//! The only crate that talks to Envoy.
//!
//! - [`abi`]: every host call as a `Result`, bytes first. The SDK's own wrappers panic on a wrong phase or a non-UTF-8
//!   header, and one panic ends every stream of that worker.
//! - [`stream`]: the loop that holds a stream until its filter has decided, and the trait a filter's role implements.
//! - [`grpc`]: asking a service, for requests that are held meanwhile.
//! - [`shared_data`]: what all workers know together.
//! - [`headers`], [`request`], [`ending`], [`state`], [`metrics`], [`environment`]: what a role may read, write and count.

pub mod abi;
mod deadline;
pub mod ending;
pub mod environment;
pub mod grpc;
pub mod headers;
pub mod metrics;
pub mod plugin;
pub mod protobuf_struct;
pub mod request;
mod root;
pub mod shared_data;
pub mod state;
pub mod stream;
