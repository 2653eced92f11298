use super::context::{id as id_of, proven};
use super::{ENDED_S, Guard, KEPT_S, Mode, Note, Party, Refusal, Route, SLOTS, Seed, Slot, Standing, Table};
use crate::a2a::answer::{Expected, Fault, Judge, Purpose, Seen, Shown, State, Verdict, What};
use crate::a2a::{Arrival, Binding, Dialect, Error, Head, Operation, SkillKeys, Version};
use crate::headers::Headers;
use crate::json::{Document, Limits};
use crate::json_rpc::Id;
use crate::owned::{ENTRIES, Kept, Key, MOST, NotNoted};
use crate::owner::OwnerId;
use crate::signing_keys::SigningKeys;
use crate::subject::Subject;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(not(target_arch = "wasm32"))]
mod world;

fn new(keys: &SigningKeys, owner: &OwnerId, random: [u8; 16]) -> String {
    id_of(keys, owner, Seed(random))
}

fn proves(keys: &SigningKeys, owner: &OwnerId, id: &str) -> bool {
    proven(keys, owner, id).is_some()
}

const MODES: [Mode; 2] = [Mode::Mac, Mode::Table];
const DIALECT: Dialect = Dialect { binding: Binding::JsonRpc, version: Version::V1_0 };
const NOON_S: u64 = 1_000_000;

/// The notes of one Envoy.
#[derive(Clone)]
struct Memory {
    slots: Vec<Slot>,
    now_s: u64,
}

impl Memory {
    fn new() -> Self {
        Self { slots: vec![Slot::default(); usize::from(SLOTS)], now_s: NOON_S }
    }

    /// Nothing more can be noted.
    fn fill(&mut self) {
        let by = Party::of(Mode::Mac, "other", None, &subject(json!({})));
        for slot in &mut self.slots {
            for at in 0..ENTRIES {
                let owner = party(Mode::Mac, &format!("other{}", at / MOST)).anywhere;
                let note = Note { owner, ..by.note(Seed([0; 16])) };
                let _ = slot.note(Key::of(&[b"other"], &at.to_string()), note, Kept::For(u64::MAX), self.now_s);
            }
        }
    }

    fn count(&self) -> usize {
        self.slots.iter().map(|slot| slot.write().len() / 56).sum()
    }
}

impl Table for Memory {
    fn find(&self, key: Key) -> Option<Note> {
        self.slots[usize::from(key.slot(SLOTS))].find(key, self.now_s)
    }

    fn note(&mut self, key: Key, note: Note, kept: Kept) -> Result<(), NotNoted> {
        self.slots[usize::from(key.slot(SLOTS))].note(key, note, kept, self.now_s)
    }
}

fn subject(fields: Value) -> Subject {
    tollgate_config::read(&fields.to_string()).unwrap()
}

fn keys() -> SigningKeys {
    SigningKeys::random(&[1; 32])
}

fn party(mode: Mode, user: &str) -> Party {
    Party::of(mode, "planner", None, &subject(json!({"user": user})))
}

fn admit(
    party: Party,
    operation: Operation,
    params: &Value,
    table: &Memory,
    random: [u8; 16],
) -> Result<Guard, Refusal> {
    let version = Version::V1_0;
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": operation.method(version), "params": params}).to_string();
    let headers = Headers(&[("a2a-version", b"1.0"), ("content-type", b"application/json")]);
    let Ok(Arrival::Request(request)) = Arrival::of(Head { method: "POST", path: "/", headers }) else {
        panic!("no request")
    };
    let document = Document::read(body.as_bytes(), Limits { bytes: 1 << 16, nodes: 1000 }).unwrap();
    let call = request.read(Some(&document), &SkillKeys::default()).unwrap();
    party.admit(&call, &keys(), table, random)
}

fn message(more: &Value) -> Value {
    let mut message = json!({"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hi"}]});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"message": message})
}

fn seen<'s>(task: &'s str, context: &'s str, state: State) -> Seen<'s> {
    let some = |id: &'s str| Some(id.into()).filter(|_| !id.is_empty());
    Seen { what: What::Task(0), task: some(task), context: some(context), state: Some(state) }
}

fn judged(guard: &mut Guard, seen: &Seen<'_>, table: &mut Memory) -> Result<(), Refusal> {
    match guard.judge(&keys(), table).seen(seen) {
        Verdict::Pass => Ok(()),
        Verdict::Refuse(body) => {
            assert!(serde_json::from_slice::<Value>(&body).unwrap().get("error").is_some());
            Err(guard.refusal().unwrap())
        }
    }
}

/// `party` begins the task `task`; the context that it has.
fn begun(party: Party, task: &str, number: u8, table: &mut Memory) -> String {
    let mut guard = admit(party, Operation::SendMessage, &message(&json!({})), table, [number; 16]).unwrap();
    let context = guard.supplied().map_or(format!("agent-{task}"), str::to_owned);
    judged(&mut guard, &seen(task, &context, State::Working), table).unwrap();
    context
}

/// Everything that names something of a conversation and is decided before the agent is asked.
fn naming(task: &str, context: &str) -> Vec<(Operation, Value)> {
    let push = json!({"taskId": task, "id": "p"});
    vec![
        (Operation::SendMessage, message(&json!({"contextId": context}))),
        (Operation::SendMessage, message(&json!({"taskId": task}))),
        (Operation::SendStreamingMessage, message(&json!({"taskId": task, "contextId": context}))),
        (Operation::SendMessage, message(&json!({"referenceTaskIds": [task]}))),
        (Operation::ListTasks, json!({"contextId": context})),
        (Operation::CancelTask, json!({"id": task})),
        (Operation::SubscribeToTask, json!({"id": task})),
        (Operation::CreatePushConfig, json!({"taskId": task, "url": "https://example.org"})),
        (Operation::GetPushConfig, push.clone()),
        (Operation::ListPushConfigs, json!({"taskId": task})),
        (Operation::DeletePushConfig, push),
    ]
}

#[test]
fn a_context_proves_itself_to_its_owner_alone() {
    let ann = json!({"user": "ann", "team": "eng", "agent": "assistant", "tier": "gold"});
    let of =
        |callee: &str, tenant, fields: &Value| Party::of(Mode::Mac, callee, tenant, &subject(fields.clone())).owner;
    let owner = of("planner", None, &ann);
    let id = new(&keys(), &owner, [9; 16]);
    assert!(id.len() == 67 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{id}");
    assert!(proves(&keys(), &owner, &id));
    assert_ne!(id, new(&keys(), &owner, [8; 16]));
    assert!(!proves(&SigningKeys::random(&[2; 32]), &owner, &id), "another key");
    assert!(!proves(&keys(), &of("billing", None, &ann), &id), "another agent");
    assert!(!proves(&keys(), &of("planner", Some("t"), &ann), &id), "another tenant");
    for (field, value, is_theirs) in [
        ("tier", "bronze", true),
        ("user", "eve", false),
        ("team", "ops", false),
        ("agent", "researcher", false),
        ("feature", "chat", false),
        ("environment", "test", false),
    ] {
        let mut other = ann.clone();
        other[field] = value.into();
        assert_eq!(proves(&keys(), &of("planner", None, &other), &id), is_theirs, "{field}");
    }
    let (cut, bare) = (id.get(..66).unwrap(), id.get(3..).unwrap());
    for id in ["", "tg-", "tg", bare, cut, &format!("{id}A"), &format!("{id}="), &id.to_uppercase()] {
        assert!(!proves(&keys(), &owner, id), "{id}");
    }
}

#[test]
fn names_of_agents_and_tenants_do_not_run_into_each_other() {
    let nobody = subject(json!({}));
    let of = |callee, tenant| Party::of(Mode::Mac, callee, tenant, &nobody);
    assert_ne!(of("a", Some("b")), of("ab", None));
    assert_ne!(of("a", None).place, of("b", None).place);
    assert_ne!(
        Party::of(Mode::Mac, "a", Some("b"), &nobody).place,
        Party::of(Mode::Mac, "a", Some("c"), &nobody).place
    );
}

#[test]
fn what_is_anothers_is_what_is_not_there() {
    for mode in MODES {
        let (ann, eve) = (party(mode, "ann"), party(mode, "eve"));
        let mut table = Memory::new();
        let context = begun(ann, "t", 1, &mut table);
        let unknown = match mode {
            Mode::Mac => new(&SigningKeys::random(&[2; 32]), &eve.owner, [1; 16]),
            _ => "agent-x".to_owned(),
        };
        for (number, (operation, params)) in naming("t", &context).into_iter().enumerate() {
            let told = |who, params: &Value| admit(who, operation, params, &table, [2; 16]).map(drop);
            let is_list = operation == Operation::ListTasks;
            let expected = Err(if is_list { Refusal::NothingToList } else { Refusal::NotThere });
            assert_eq!(told(ann, &params), Ok(()), "{mode:?} {operation:?} {params}");
            assert_eq!(told(eve, &params), expected, "{mode:?} {operation:?} {params}");
            let (_, other) = naming("x", &unknown).swap_remove(number);
            assert_eq!(told(ann, &other), expected, "{mode:?} {operation:?} {other}");
        }
        let mixed = message(&json!({"contextId": context, "referenceTaskIds": ["t", "x"]}));
        let mixed = admit(ann, Operation::SendMessage, &mixed, &table, [2; 16]);
        assert_eq!(mixed.map(drop), Err(Refusal::NotThere));
    }
}

#[test]
fn reading_asks_the_agent_and_its_answer_decides() {
    for mode in MODES {
        let operation = Operation::GetTask;
        let (ann, eve) = (party(mode, "ann"), party(mode, "eve"));
        let mut table = Memory::new();
        let context = begun(ann, "t", 1, &mut table);
        let asks = |who, table: &Memory| admit(who, operation, &json!({"id": "t"}), table, [2; 16]).unwrap();
        let task = seen("t", &context, State::Working);

        let mut own = asks(ann, &table);
        assert!(own.judges() && !own.hides());
        assert_eq!(judged(&mut own, &task, &mut table), Ok(()));
        let mut foreign = asks(eve, &table);
        assert!(foreign.judges() && foreign.hides());
        assert_eq!(judged(&mut foreign, &task, &mut table), Err(Refusal::NotThere));
        assert_eq!(judged(&mut asks(eve, &table), &seen("t", "", State::Working), &mut table), Err(Refusal::NotThere));

        let mut restarted = Memory::new();
        assert_eq!(judged(&mut asks(eve, &restarted), &task, &mut restarted), Err(Refusal::NotThere));
        assert_eq!(restarted.count(), 0, "nobody takes what is not theirs");
        let mut again = asks(ann, &restarted);
        assert!(again.hides());
        let expected = if mode == Mode::Mac { Ok(()) } else { Err(Refusal::NotThere) };
        assert_eq!(judged(&mut again, &task, &mut restarted), expected, "{mode:?}");
        assert_eq!(again.hides(), expected.is_err(), "what comes later of its own task is told");
        let cancels = admit(ann, Operation::CancelTask, &json!({"id": "t"}), &restarted, [2; 16]);
        assert_eq!(cancels.map(drop), expected, "what is read is noted again");
    }
}

/// An agent that fails over a task would tell that it is there, and one whose answers cannot be read too.
#[test]
fn no_error_tells_that_a_task_of_anothers_is_there() {
    let mut table = Memory::new();
    let (ann, eve) = (party(Mode::Mac, "ann"), party(Mode::Mac, "eve"));
    begun(ann, "t", 1, &mut table);
    let id = Document::read(b"7", Limits { bytes: 10, nodes: 10 }).unwrap();
    let id = Id::of(id.root()).unwrap().into_owned();
    let not_there = Refusal::NotThere.answer(DIALECT, Some(&id)).body;
    let not_there = || not_there.clone();
    let operation = Operation::GetTask;
    for (who, code, hidden) in [
        (ann, Some(Error::TaskNotFound.code()), true),
        (ann, Some(Error::UnsupportedOperation.code()), false),
        (ann, None, false),
        (eve, Some(Error::TaskNotFound.code()), true),
        (eve, Some(Error::UnsupportedOperation.code()), true),
        (eve, Some(500), true),
        (eve, None, true),
    ] {
        let mut guard = admit(who, operation, &json!({"id": "t"}), &table, [2; 16]).unwrap();
        let expected = if hidden { Verdict::Refuse(not_there()) } else { Verdict::Pass };
        assert_eq!(guard.judge(&keys(), &mut table).error(code), expected, "{operation:?} {code:?}");
        assert_eq!(guard.refusal(), hidden.then_some(Refusal::NotThere));
    }
    for (who, hidden) in [(ann, false), (eve, true)] {
        let mut guard = admit(who, operation, &json!({"id": "t"}), &table, [2; 16]).unwrap();
        let (id, operation) = (Some(id.clone()), Some(operation));
        let expected = Expected { dialect: DIALECT, id, operation, is_error: false, purpose: Purpose::Inspect };
        let told = guard.judge(&keys(), &mut table).fault(Fault::TooLarge, &expected);
        assert_eq!(told == not_there(), hidden);
    }
    for (operation, params) in naming("t", &new(&keys(), &ann.owner, [1; 16])) {
        let mut guard = admit(ann, operation, &params, &table, [2; 16]).unwrap();
        let expected = if guard.judges() { Verdict::Refuse(not_there()) } else { Verdict::Pass };
        assert_eq!(guard.judge(&keys(), &mut table).error(Some(Error::TaskNotFound.code())), expected);
        assert_eq!(guard.judge(&keys(), &mut table).error(Some(Error::InvalidParams.code())), Verdict::Pass);
    }
}

#[test]
fn an_answer_stays_in_the_context_of_its_message() {
    let (ann, eve) = (party(Mode::Mac, "ann"), party(Mode::Mac, "eve"));
    let mut table = Memory::new();
    let (own, foreign) = (begun(ann, "t", 1, &mut table), begun(eve, "e", 2, &mut table));
    let other = begun(ann, "u", 3, &mut table);
    let in_context = message(&json!({"contextId": own}));
    let of_task = message(&json!({"taskId": "t"}));
    for (params, task, context, expected) in [
        (&in_context, "t", own.as_str(), Ok(())),
        (&in_context, "new", own.as_str(), Ok(())),
        (&in_context, "t", "", Ok(())),
        (&in_context, "t", "agents-own", Err(Refusal::ContextReplaced)),
        (&in_context, "t", other.as_str(), Err(Refusal::ContextReplaced)),
        (&in_context, "t", foreign.as_str(), Err(Refusal::ContextOfAnother)),
        (&in_context, "e", own.as_str(), Err(Refusal::NotNoted(NotNoted::Taken))),
        (&of_task, "t", own.as_str(), Ok(())),
        (&of_task, "t", "", Ok(())),
        (&of_task, "t", "agents-own", Err(Refusal::ContextReplaced)),
        (&of_task, "t", foreign.as_str(), Err(Refusal::ContextOfAnother)),
        (&message(&json!({})), "t", "agents-own", Err(Refusal::ContextReplaced)),
    ] {
        let mut guard = admit(ann, Operation::SendStreamingMessage, params, &table, [4; 16]).unwrap();
        let told = judged(&mut guard, &seen(task, context, State::Working), &mut table.clone());
        assert_eq!(told, expected, "{params} {task} {context}");
    }
    let mut guard = admit(ann, Operation::SendStreamingMessage, &of_task, &table, [4; 16]).unwrap();
    assert_eq!(judged(&mut guard, &seen("t", &own, State::Working), &mut table), Ok(()));
    for (task, context, expected) in
        [("t", &other, Refusal::ContextReplaced), ("e", &own, Refusal::NotNoted(NotNoted::Taken))]
    {
        let strays = judged(&mut guard, &seen(task, context, State::Working), &mut table);
        assert_eq!(strays, Err(expected), "nor does it change within one answer");
    }
}

/// Agents on the official SDK go on with it in a new context, if the message names none.
#[test]
fn a_message_to_a_task_is_sent_in_the_context_of_that() {
    for mode in MODES {
        let ann = party(mode, "ann");
        let mut table = Memory::new();
        let context = begun(ann, "t", 1, &mut table);
        let goes_on = admit(ann, Operation::SendMessage, &message(&json!({"taskId": "t"})), &table, [2; 16]).unwrap();
        assert_eq!(goes_on.supplied(), (mode == Mode::Mac).then_some(context.as_str()));
    }
}

#[test]
fn the_ids_of_an_agent_that_insists_on_its_own_are_whose_they_are_told_to_first() {
    let (ann, eve) = (party(Mode::Table, "ann"), party(Mode::Table, "eve"));
    let mut table = Memory::new();
    let begins =
        |who, table: &Memory| admit(who, Operation::SendMessage, &message(&json!({})), table, [5; 16]).unwrap();
    assert_eq!(begins(ann, &table).supplied(), None);
    let context = begun(ann, "t", 1, &mut table);
    assert_eq!(ann.context(&context, &keys(), &table), Standing::Own(Seed([1; 16])));
    for (task, context, expected) in [
        ("e", context.as_str(), Refusal::ContextOfAnother),
        ("t", "fresh", Refusal::NotNoted(NotNoted::Taken)),
        ("f", &new(&keys(), &ann.owner, [1; 16]), Refusal::ContextOfAnother),
    ] {
        let told = judged(&mut begins(eve, &table), &seen(task, context, State::Working), &mut table);
        assert_eq!(told, Err(expected), "{task} {context}");
    }
    let params = message(&json!({"contextId": context}));
    let mut goes_on = admit(ann, Operation::SendMessage, &params, &table, [6; 16]).unwrap();
    assert_eq!(goes_on.route(), Some(Route::of(&ann.place, Seed([1; 16]))), "where it began");
    assert_eq!(judged(&mut goes_on, &seen("t", "fresh2", State::Working), &mut table), Err(Refusal::ContextReplaced));
}

#[test]
fn a_conversation_goes_on_where_it_is() {
    for mode in MODES {
        let ann = party(mode, "ann");
        let mut table = Memory::new();
        let begins = admit(ann, Operation::SendMessage, &message(&json!({})), &table, [1; 16]).unwrap();
        let context = begun(ann, "t", 1, &mut table);
        let route = begins.route();
        assert!(route.is_some_and(|route| route.value().len() == 16 && !context.contains(&route.value())));
        for (operation, params) in naming("t", &context)
            .into_iter()
            .chain([(Operation::GetTask, json!({"id": "t"})), (Operation::SubscribeToTask, json!({"id": "t"}))])
        {
            let names_only_others = params.pointer("/message/referenceTaskIds").is_some();
            let goes = admit(ann, operation, &params, &table, [2; 16]).unwrap().route();
            assert_eq!(goes == route, !names_only_others, "{mode:?} {operation:?} {params}");
        }
        let rotated = SigningKeys::parse(&format!("{},{}", "n".repeat(32), "o".repeat(32))).unwrap();
        let id = new(&SigningKeys::parse(&"o".repeat(32)).unwrap(), &ann.owner, [3; 16]);
        assert_eq!(ann.context(&id, &rotated, &table), Standing::Own(Seed([3; 16])));
        let unknown = admit(ann, Operation::GetTask, &json!({"id": "x"}), &table, [2; 16]).unwrap();
        assert_eq!(unknown.route(), None);
    }
}

#[test]
fn a_list_shows_nothing_of_anothers() {
    for mode in MODES {
        let (ann, eve) = (party(mode, "ann"), party(mode, "eve"));
        let mut table = Memory::new();
        let (own, foreign) = (begun(ann, "t", 1, &mut table), begun(eve, "e", 2, &mut table));
        let mut guard = admit(ann, Operation::ListTasks, &json!({}), &table, [3; 16]).unwrap();
        for (task, context, expected) in [
            ("t", own.as_str(), Shown::Yes),
            ("e", foreign.as_str(), Shown::No),
            ("e", "", Shown::No),
            ("t", foreign.as_str(), Shown::No),
            ("e", own.as_str(), Shown::No),
            ("x", "", Shown::No),
            ("x", "nobodys", Shown::No),
            ("x", own.as_str(), Shown::Yes),
        ] {
            let told = guard.judge(&keys(), &mut table).listed(&seen(task, context, State::Completed));
            assert_eq!(told, expected, "{mode:?} {task} {context}");
        }
    }
}

/// After a restart of an agent that counts its tasks.
#[test]
fn an_id_that_an_agent_gives_twice_does_not_lead_to_anothers_task() {
    let (ann, eve) = (party(Mode::Mac, "ann"), party(Mode::Mac, "eve"));
    let mut table = Memory::new();
    begun(ann, "1", 1, &mut table);
    let eves = new(&keys(), &eve.owner, [2; 16]);
    let mut guard = admit(ann, Operation::GetTask, &json!({"id": "1"}), &table, [3; 16]).unwrap();
    for context in [&eves, "agents-own"] {
        assert_eq!(judged(&mut guard, &seen("1", context, State::Working), &mut table), Err(Refusal::NotThere));
    }
}

#[test]
fn a_task_is_known_for_a_day_and_one_that_has_ended_for_an_hour() {
    let ann = party(Mode::Mac, "ann");
    for (states, kept_s) in [
        (&[State::Working][..], KEPT_S),
        (&[State::InputRequired, State::AuthRequired], KEPT_S),
        (&[State::Submitted, State::Working, State::Completed], ENDED_S),
        (&[State::Completed, State::Working], ENDED_S),
        (&[State::Rejected], ENDED_S),
    ] {
        let mut table = Memory::new();
        let mut guard = admit(ann, Operation::SendStreamingMessage, &message(&json!({})), &table, [1; 16]).unwrap();
        let context = guard.supplied().unwrap().to_owned();
        for state in states {
            judged(&mut guard, &seen("t", &context, *state), &mut table).unwrap();
        }
        for (later_s, is_known) in [(kept_s - 1, true), (kept_s, false)] {
            table.now_s = NOON_S + later_s;
            let cancels = admit(ann, Operation::CancelTask, &json!({"id": "t"}), &table, [2; 16]);
            assert_eq!(cancels.is_ok(), is_known, "{states:?} {later_s}");
        }
    }
}

#[test]
fn a_task_that_cannot_be_noted_is_not_begun() {
    for (mode, state, operation, expected) in [
        (Mode::Mac, State::Working, Operation::SendMessage, Err(Refusal::NotNoted(NotNoted::Full))),
        (Mode::Mac, State::Completed, Operation::SendMessage, Ok(())),
        (Mode::Mac, State::Working, Operation::GetTask, Ok(())),
        (Mode::Table, State::Completed, Operation::SendMessage, Err(Refusal::NotNoted(NotNoted::Full))),
    ] {
        let ann = party(mode, "ann");
        let mut table = Memory::new();
        table.fill();
        let full = table.count();
        let params = if operation.sends() { message(&json!({})) } else { json!({"id": "t"}) };
        let mut guard = admit(ann, operation, &params, &table, [1; 16]).unwrap();
        let context = match mode {
            Mode::Mac => new(&keys(), &ann.owner, [1; 16]),
            _ => "agents-own".to_owned(),
        };
        assert_eq!(judged(&mut guard, &seen("t", &context, state), &mut table), expected, "{mode:?} {state:?}");
        assert_eq!(table.count(), full);
        let cancels = admit(ann, Operation::CancelTask, &json!({"id": "t"}), &table, [2; 16]);
        assert_eq!(cancels.map(drop), Err(Refusal::NotThere));
    }
}

/// Nothing but the table says whose it is.
#[test]
fn a_task_of_a_noted_context_that_cannot_be_noted_is_not_told_though_it_has_ended() {
    let ann = party(Mode::Table, "ann");
    let mut table = Memory::new();
    let params = message(&json!({"contextId": begun(ann, "t", 1, &mut table)}));
    table.fill();
    let mut guard = admit(ann, Operation::SendMessage, &params, &table, [1; 16]).unwrap();
    let told = judged(&mut guard, &seen("new", "agent-t", State::Completed), &mut table);
    assert_eq!(told, Err(Refusal::NotNoted(NotNoted::Full)));
}

#[test]
fn there_is_room_for_as_many_as_is_said() {
    let mut table = Memory::new();
    let parties: Vec<Party> = (0..20).map(|at| party(Mode::Mac, &format!("user{at}"))).collect();
    for at in 0..40_000 {
        let party = parties[at % 20];
        let key = super::table::task(&party.place, &at.to_string());
        assert_eq!(table.note(key, party.note(Seed([0; 16])), Kept::For(10)), Ok(()), "{at}");
    }
    let mut table = Memory::new();
    for at in 0..4500 {
        let key = super::table::task(&parties[0].place, &at.to_string());
        assert_eq!(table.note(key, parties[0].note(Seed([0; 16])), Kept::For(10)), Ok(()), "{at}");
    }
}

/// What tenants are called is the caller's to say.
#[test]
fn nobody_takes_all_the_room_however_many_agents_and_tenants_it_calls() {
    let mut table = Memory::new();
    let eve = subject(json!({"user": "eve"}));
    for at in 0..100_000 {
        let (callee, tenant) = (format!("agent{}", at % 7), format!("tenant{at}"));
        let party = Party::of(Mode::Table, &callee, Some(&tenant), &eve);
        let _ = table.note(super::table::task(&party.place, "t"), party.note(Seed([0; 16])), Kept::For(10));
    }
    assert_eq!(table.count(), MOST * usize::from(SLOTS));
    let ann = party(Mode::Table, "ann");
    assert_eq!(table.note(super::table::task(&ann.place, "t"), ann.note(Seed([0; 16])), Kept::For(10)), Ok(()));
}

#[test]
fn where_it_is_off_nothing_is_decided_and_a_named_context_still_goes_one_way() {
    let off = party(Mode::Off, "ann");
    let mut table = Memory::new();
    for (operation, params) in naming("t", "c") {
        let mut guard = admit(off, operation, &params, &table, [1; 16]).unwrap();
        let names_context = params.to_string().contains("contextId");
        assert!(!guard.judges() && !guard.hides() && guard.supplied().is_none());
        assert_eq!(guard.route().is_some(), names_context, "{params}");
        assert_eq!(judged(&mut guard, &seen("t", "other", State::Working), &mut table), Ok(()));
        let keys = keys();
        let mut judging = guard.judge(&keys, &mut table);
        assert_eq!(judging.error(Some(Error::TaskNotFound.code())), Verdict::Pass);
        assert_eq!(judging.listed(&seen("t", "other", State::Working)), Shown::Yes);
    }
    assert_eq!(table.count(), 0);
}

#[test]
fn modes_are_read_by_name() {
    for (text, mode) in
        [("mac", Some(Mode::Mac)), ("table", Some(Mode::Table)), ("off", Some(Mode::Off)), ("MAC", None)]
    {
        assert_eq!(tollgate_config::read::<Mode>(&json!(text).to_string()).ok(), mode);
    }
    assert_eq!(Mode::default(), Mode::Mac);
}
