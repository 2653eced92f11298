//! The module's exports that this host calls. `proxy-wasm` defines them around the filter under test.

use proxy_wasm as _;

unsafe extern "C" {
    pub(crate) safe fn proxy_on_memory_allocate(size: usize) -> *mut u8;
    pub(crate) safe fn proxy_on_context_create(context_id: u32, root_context_id: u32);
    pub(crate) safe fn proxy_on_vm_start(context_id: u32, vm_configuration_size: usize) -> bool;
    pub(crate) safe fn proxy_on_configure(context_id: u32, plugin_configuration_size: usize) -> bool;
    pub(crate) safe fn proxy_on_tick(context_id: u32);
    pub(crate) safe fn proxy_on_request_headers(context_id: u32, count: usize, end_of_stream: bool) -> u32;
    pub(crate) safe fn proxy_on_request_body(context_id: u32, size: usize, end_of_stream: bool) -> u32;
    pub(crate) safe fn proxy_on_request_trailers(context_id: u32, count: usize) -> u32;
    pub(crate) safe fn proxy_on_response_headers(context_id: u32, count: usize, end_of_stream: bool) -> u32;
    pub(crate) safe fn proxy_on_response_body(context_id: u32, size: usize, end_of_stream: bool) -> u32;
    pub(crate) safe fn proxy_on_response_trailers(context_id: u32, count: usize) -> u32;
    pub(crate) safe fn proxy_on_grpc_receive(context_id: u32, token: u32, size: usize);
    pub(crate) safe fn proxy_on_grpc_close(context_id: u32, token: u32, status: u32);
    pub(crate) safe fn proxy_on_log(context_id: u32);
    pub(crate) safe fn proxy_on_done(context_id: u32) -> bool;
    pub(crate) safe fn proxy_on_delete(context_id: u32);
}
