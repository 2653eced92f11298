use super::super::counter::Lapse;
use super::super::tests::limit;
use super::super::{Attribute, Limit};
use super::{BUCKETS, Bucket, COUNTERS_PER_BUCKET, Crowded, Fingerprint, OF_FEW};
use crate::subject::{Field, SubjectField};
use serde_json::json;
use std::collections::BTreeSet;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOON_MS: u64 = 1_795_348_800_000;
const LAPSE: Lapse = Lapse(3600);

fn per_user() -> Limit {
    limit(json!({"name": "rate", "per": ["user", "team"], "requests": 10, "every": "minute"}))
}

fn of(limit: &Limit, user: Option<&str>, team: Option<&str>) -> Fingerprint {
    Fingerprint::of(limit, |attribute| match attribute {
        Attribute::Subject(SubjectField::Other(Field::User)) => user,
        Attribute::Subject(SubjectField::Other(Field::Team)) => team,
        _ => None,
    })
}

#[test]
fn what_differs_in_anything_that_is_counted_apart_has_a_counter_of_its_own() {
    let mut other = per_user();
    other.owner = "support".to_owned().try_into().ok();
    let all = [
        of(&per_user(), Some("ada"), Some("x")),
        of(&per_user(), Some("adax"), Some("")),
        of(&per_user(), Some("ada"), None),
        of(&per_user(), None, Some("ada")),
        of(&per_user(), Some(""), Some("ada")),
        of(&other, Some("ada"), Some("x")),
        of(
            &limit(json!({"name": "rat", "per": ["user", "team"], "requests": 10, "every": "minute"})),
            Some("ada"),
            Some("x"),
        ),
        of(
            &limit(json!({"name": "rate", "per": ["user", "team"], "tokens": 10, "every": "minute"})),
            Some("ada"),
            Some("x"),
        ),
        of(
            &limit(json!({"name": "rate", "per": ["user", "team"], "requests": 10, "every": "hour"})),
            Some("ada"),
            Some("x"),
        ),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(one), "{index}");
    }
    // What may be changed without losing what was used.
    let more =
        limit(json!({"name": "rate", "per": ["user", "team"], "requests": 99, "every": "minute", "mode": "shadow"}));
    assert_eq!(of(&more, Some("ada"), Some("x")), all[0]);
}

#[test]
fn what_callers_can_invent_has_buckets_of_its_own() {
    for (attribute, many) in [
        ("user", true),
        ("agent", true),
        ("tool", true),
        ("session", true),
        ("server", false),
        ("key", false),
        ("team", false),
        ("model", false),
    ] {
        let limit = limit(json!({"name": "rate", "per": ["feature", attribute], "calls": 10, "every": "minute"}));
        assert_eq!(Fingerprint::of(&limit, |_| Some("x")).bucket() >= OF_FEW, many, "{attribute}");
    }
}

#[test]
fn counters_spread_over_all_buckets_and_those_of_users_are_in_the_way_of_no_others() {
    let per_team = limit(json!({"name": "rate", "per": ["team"], "requests": 10, "every": "minute"}));
    let buckets = |limit: &Limit| -> BTreeSet<u16> {
        (0..20_000)
            .map(|number: u32| of(limit, Some(&number.to_string()), Some(&number.to_string())).bucket())
            .collect()
    };
    let (of_users, of_teams) = (buckets(&per_user()), buckets(&per_team));
    assert!(of_users.is_disjoint(&of_teams));
    assert_eq!(of_teams, (0..OF_FEW).collect());
    assert!(of_users.len() > 3000 && of_users.iter().all(|bucket| (OF_FEW..BUCKETS).contains(bucket)));
}

#[test]
fn what_is_written_is_read_again_and_nothing_else_is() {
    let mut bucket = Bucket::default();
    assert_eq!(Bucket::read(b""), Some(Bucket::default()));
    for user in ["ada", "bob"] {
        let counter = bucket.counter(&of(&per_user(), Some(user), None), NOON_MS).unwrap();
        let held = counter.reserve(&per_user(), 3, NOON_MS, LAPSE).unwrap();
        counter.settle(&per_user(), &held, 2, NOON_MS);
        counter.reserve(&per_user(), 5, NOON_MS, LAPSE).unwrap();
    }
    let bytes = bucket.write();
    assert_eq!(Bucket::read(&bytes), Some(bucket));
    let whole = [1 + 49 + 12];
    for end in 2..bytes.len() {
        assert_eq!(Bucket::read(&bytes[..end]).is_some(), whole.contains(&end), "cut at {end}");
    }
    assert_eq!(Bucket::read(&[&[9], &bytes[1..]].concat()), None, "another version");
}

#[test]
fn a_full_bucket_makes_place_only_where_nothing_counts_any_more() {
    let (limit, mut bucket) = (per_user(), Bucket::default());
    let user = |number: usize| of(&per_user(), Some(&number.to_string()), None);
    for number in 0..COUNTERS_PER_BUCKET {
        let counter = bucket.counter(&user(number), NOON_MS).unwrap();
        let held = counter.reserve_anyway(&limit, 1, NOON_MS, LAPSE);
        if number == 0 {
            counter.settle(&limit, &held, 1, NOON_MS);
        }
    }
    assert_eq!(bucket.counter(&user(99), NOON_MS + 59_000).err(), Some(Crowded));
    assert!(bucket.counter(&user(0), NOON_MS).is_ok(), "one that is there is found");
    // The minute is over; what is reserved is not.
    assert!(bucket.counter(&user(99), NOON_MS + 60_000).is_ok());
    assert_eq!(Bucket::read(&bucket.write()), Some(bucket));
}

#[test]
fn whoever_used_nothing_takes_no_place_from_others() {
    let (limit, mut bucket) = (per_user(), Bucket::default());
    let user = |number: usize| of(&per_user(), Some(&number.to_string()), None);
    for number in 0..10 * COUNTERS_PER_BUCKET {
        let counter = bucket.counter(&user(number), NOON_MS).unwrap();
        counter.reserve(&limit, 1000, NOON_MS, LAPSE).unwrap_err();
        let held = counter.reserve(&limit, 1, NOON_MS, LAPSE).unwrap();
        counter.settle(&limit, &held, 0, NOON_MS);
    }
}
