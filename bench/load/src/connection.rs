//! One connection: a request, its whole answer, the next request.

use crate::plan::Plan;
use crate::report::Tally;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An answer that takes longer is an error: a gateway that hangs must not hang the bench.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Sends requests until the plan's are sent or the time is over; connects again when the connection breaks.
pub async fn run(plan: Rc<Plan>, tally: Rc<RefCell<Tally>>, until: Instant) {
    let mut connection = None;
    while Instant::now() < until && tally.borrow_mut().may_send(plan.requests) {
        let exchange = async {
            let sender = match &mut connection {
                Some(sender) => sender,
                none => none.insert(connect(&plan).await?),
            };
            exchange(sender, &plan).await
        };
        let outcome = tokio::time::timeout(ANSWER_TIME, exchange).await;
        match outcome.map_err(Into::into).flatten() {
            Ok((latency, bytes)) => tally.borrow_mut().answered(latency, bytes),
            Err(error) => {
                connection = None;
                tally.borrow_mut().fail(&*error);
            }
        }
    }
}

async fn connect(plan: &Plan) -> Result<SendRequest<Full<Bytes>>, Box<dyn Error>> {
    let stream = TcpStream::connect(plan.address).await?;
    stream.set_nodelay(true)?;
    match &plan.tls {
        Some(tls) => speak(TlsConnector::from(Arc::clone(tls)).connect(plan.address.ip().into(), stream).await?).await,
        None => speak(stream).await,
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
) -> Result<SendRequest<Full<Bytes>>, Box<dyn Error>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its errors also reach whoever waits for an answer.
    tokio::task::spawn_local(async { drop(connection.await) });
    Ok(sender)
}

/// One request and its answer, read to the end: how long that took, and how many bytes the body had.
async fn exchange(connection: &mut SendRequest<Full<Bytes>>, plan: &Plan) -> Result<(Duration, usize), Box<dyn Error>> {
    let mut request = Request::new(Full::new(plan.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = plan.path.clone();
    *request.headers_mut() = plan.headers.clone();
    connection.ready().await?;
    let began = Instant::now();
    let response: Response<_> = connection.send_request(request).await?;
    let status = response.status();
    let mut body = response.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, Bytes::len);
    }
    if status == StatusCode::OK { Ok((began.elapsed(), bytes)) } else { Err(format!("answered {status}").into()) }
}
