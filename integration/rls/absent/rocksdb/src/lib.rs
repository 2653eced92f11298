//! Limitador's storage in Redis compiles only together with the one on disk, and that only with RocksDB, which takes
//! minutes to build. Of RocksDB this has the names that the storage on disk uses, of types that have no
//! value: it compiles, and cannot be opened.

use std::error;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

#[derive(Debug)]
enum Never {}

#[derive(Debug)]
pub struct Error(Never);

#[derive(Debug, PartialEq, Eq)]
pub enum ErrorKind {
    TimedOut,
    TryAgain,
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        match self.0 {}
    }
}

impl fmt::Display for Error {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl error::Error for Error {}

pub struct MultiThreaded;

pub struct DBWithThreadMode<T>(Never, PhantomData<T>);

pub type DB = DBWithThreadMode<MultiThreaded>;

type Bytes = Box<[u8]>;

pub struct Entries(Never);

impl Iterator for Entries {
    type Item = Result<(Bytes, Bytes), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0 {}
    }
}

pub enum IteratorMode {
    Start,
}

impl<T> DBWithThreadMode<T> {
    /// # Panics
    /// Always: there is no RocksDB here.
    pub fn open(_: &Options, _: impl AsRef<Path>) -> Result<Self, Error> {
        panic!("built without RocksDB")
    }

    pub fn get(&self, _: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        match self.0 {}
    }

    pub fn merge(&self, _: impl AsRef<[u8]>, _: impl AsRef<[u8]>) -> Result<(), Error> {
        match self.0 {}
    }

    pub fn delete(&self, _: impl AsRef<[u8]>) -> Result<(), Error> {
        match self.0 {}
    }

    pub fn iterator(&self, _: IteratorMode) -> Entries {
        match self.0 {}
    }

    pub fn prefix_iterator(&self, _: impl AsRef<[u8]>) -> Entries {
        match self.0 {}
    }
}

pub enum DBCompressionType {
    None,
    Bz2,
}

pub enum CompactionDecision {
    Keep,
    Remove,
}

#[derive(Default)]
pub struct Options;

impl Options {
    pub fn create_if_missing(&mut self, _: bool) {}

    pub fn set_compression_type(&mut self, _: DBCompressionType) {}

    pub fn set_compaction_filter(
        &mut self,
        _: &str,
        _: impl FnMut(u32, &[u8], &[u8]) -> CompactionDecision + Send + 'static,
    ) {
    }

    pub fn set_merge_operator_associative(
        &mut self,
        _: &str,
        _: impl Fn(&[u8], Option<&[u8]>, &Operands) -> Option<Vec<u8>> + Clone + Send + Sync + 'static,
    ) {
    }
}

pub struct Operands(Never);

impl<'a> IntoIterator for &'a Operands {
    type Item = &'a [u8];
    type IntoIter = std::iter::Empty<&'a [u8]>;

    fn into_iter(self) -> Self::IntoIter {
        match self.0 {}
    }
}
