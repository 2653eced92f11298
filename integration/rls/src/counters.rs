//! Counters in Redis, as Limitador 0.14 keeps them: first all are read, and only when each has room are all raised. The
//! two steps are not one, so that requests at the same time may together go over a limit. A counter begins with
//! its first hit and is gone after the limit's seconds; a refused request counts nowhere.
//!
//! Limitador's own storage is not used because its crate compiles with Redis only if RocksDB is built too.

use limitador::counter::Counter;
use redis::aio::ConnectionManager;
use redis::{RedisResult, Script};

pub struct Counters {
    redis: ConnectionManager,
    raise: Script,
}

impl Counters {
    pub async fn connect(url: &str) -> RedisResult<Self> {
        // A counter that expires between two commands would be made again without an end: a script is one step.
        let raise = Script::new(
            "if redis.call('INCRBY', KEYS[1], ARGV[1]) == tonumber(ARGV[1]) then
                 redis.call('EXPIRE', KEYS[1], ARGV[2])
             end",
        );
        Ok(Self { redis: ConnectionManager::new(redis::Client::open(url)?).await?, raise })
    }

    /// Whether all of `counters` have room for `hits`; if so they are taken.
    pub async fn take(&self, counters: &[Counter], hits: u64) -> RedisResult<bool> {
        let mut redis = self.redis.clone();
        let keys: Vec<String> = counters.iter().map(key).collect();
        let values: Vec<Option<u64>> = redis::cmd("MGET").arg(&keys).query_async(&mut redis).await?;
        let room =
            |(counter, value): (&Counter, Option<u64>)| value.unwrap_or(0).saturating_add(hits) <= counter.max_value();
        if !counters.iter().zip(values).all(room) {
            return Ok(false);
        }
        for (key, counter) in keys.iter().zip(counters) {
            let mut raise = self.raise.key(key);
            raise.arg(hits).arg(counter.window().as_secs()).invoke_async::<()>(&mut redis).await?;
        }
        Ok(true)
    }
}

/// What a counter is told apart by: not its size, so that a limit can be changed while it is counted.
fn key(counter: &Counter) -> String {
    let limit = counter.limit();
    let mut conditions: Vec<String> = limit.conditions().into_iter().collect();
    conditions.sort();
    let (namespace, seconds) = (counter.namespace().as_ref(), limit.seconds());
    format!("{{{namespace}}} {seconds} {conditions:?} {:?}", counter.set_variables())
}
