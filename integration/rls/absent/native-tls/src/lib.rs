//! Limitador builds its client of Redis with TLS, and so needs OpenSSL's headers. The tests' Redis is a socket on this
//! machine. Of the crate that wraps OpenSSL this has the names that the client uses, of types that have no value: no
//! connection with TLS can be made.

use std::error;
use std::fmt;
use std::io;
use std::marker::PhantomData;

/// Why no connection with TLS is made.
#[derive(Debug)]
pub struct Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("built without TLS")
    }
}

impl error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

#[derive(Debug)]
enum Never {}

#[derive(Debug)]
pub struct TlsConnector(Never);

pub struct Builder;

impl Builder {
    pub fn danger_accept_invalid_certs(&mut self, _: bool) -> &mut Self {
        self
    }

    pub fn danger_accept_invalid_hostnames(&mut self, _: bool) -> &mut Self {
        self
    }

    pub fn use_sni(&mut self, _: bool) -> &mut Self {
        self
    }

    pub fn build(&self) -> Result<TlsConnector, Error> {
        Err(Error)
    }
}

impl TlsConnector {
    pub fn builder() -> Builder {
        Builder
    }

    pub fn new() -> Result<Self, Error> {
        Err(Error)
    }

    pub fn connect<S>(&self, _: &str, _: S) -> Result<TlsStream<S>, Error> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub struct TlsStream<S>(Never, PhantomData<S>);

impl<S> TlsStream<S> {
    pub fn get_ref(&self) -> &S {
        match self.0 {}
    }

    pub fn shutdown(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

impl<S> io::Read for TlsStream<S> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl<S> io::Write for TlsStream<S> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}
