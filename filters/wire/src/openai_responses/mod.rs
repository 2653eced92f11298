//! OpenAI Responses, `POST /v1/responses`.
#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::needless_pass_by_ref_mut,
    clippy::unused_self,
    clippy::missing_const_for_fn,
    reason = "to be written"
)]

use crate::conversation::{Request, Response};
use crate::error::{ApiError, ErrorKind, Invalid, Malformed};
use crate::stream::Delta;

pub fn read_request(_body: &[u8]) -> Result<Request, Invalid> {
    Err(Invalid::new("", "to be written"))
}
pub fn write_request(_request: &mut Request) -> Result<Vec<u8>, Invalid> {
    Err(Invalid::new("", "to be written"))
}
pub fn read_response(_body: &[u8]) -> Result<Response, Malformed> {
    Err(Malformed::Unreadable(String::new()))
}
pub fn write_response(_response: &Response, _created: u64) -> Vec<u8> {
    Vec::new()
}
pub fn read_error(status: u16, _body: &[u8]) -> ApiError {
    ApiError { status, ..ApiError::new(ErrorKind::of_status(status), "") }
}
pub fn write_error(_error: &ApiError) -> Vec<u8> {
    Vec::new()
}
#[derive(Debug, Default)]
pub struct StreamReader;
impl StreamReader {
    pub fn read(&mut self, _event: &[u8], _data: &[u8], _out: &mut Vec<Delta>) -> Result<(), Malformed> {
        Ok(())
    }
}

#[derive(Debug, Default)]
pub struct StreamWriter;
impl StreamWriter {
    pub fn write(&mut self, _delta: &Delta, _out: &mut Vec<u8>) {}
}
impl StreamWriter {
    pub fn new(_created: u64) -> Self {
        Self
    }
}
