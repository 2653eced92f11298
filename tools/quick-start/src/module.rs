//! A module's sections, and the few of them that change.

use crate::budget::{FILLERS, SMALL, spend};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

// Ids of sections.
const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const CODE: u8 = 10;

const NO_ARGUMENTS_NO_RESULTS: [u8; 3] = [0x60, 0, 0];
const NO_LOCALS: u8 = 0;
const NOP: u8 = 0x01;
const CALL: u8 = 0x10;
const END: u8 = 0x0b;

/// The module with each function's budget spent. The functions that do nothing come last, so every index stays what it
/// was. `None` when it is not a module, or has other imports than functions.
pub fn with_budgets_spent(module: &[u8]) -> Option<Vec<u8>> {
    let sections = sections(module.strip_prefix(HEADER)?)?;
    let section = |id| sections.iter().find(|section| section.0 == id).map(|section| section.1);
    let imported = imported_functions(section(IMPORTS).unwrap_or(&[0]))?;
    let (types, _) = number(section(TYPES)?)?;
    let bodies = bodies(section(CODE)?)?;
    let first_filler = imported.checked_add(bodies.len())?;

    let mut out = HEADER.to_vec();
    for (id, content) in sections {
        let changed = match id {
            TYPES => appended(content, 1, &NO_ARGUMENTS_NO_RESULTS)?,
            FUNCTIONS => appended(content, FILLERS.len(), &written(types).repeat(FILLERS.len()))?,
            CODE => code(&bodies, first_filler)?,
            _ => content.to_vec(),
        };
        out.push(id);
        out.extend(with_len(&changed));
    }
    Some(out)
}

fn code(bodies: &[&[u8]], first_filler: usize) -> Option<Vec<u8>> {
    let mut code = written(bodies.len() + FILLERS.len());
    for body in bodies {
        code.extend(with_len(&spent(body, first_filler)?));
    }
    for len in FILLERS {
        let mut filler = vec![NOP; len];
        filler[0] = NO_LOCALS;
        filler[len - 1] = END;
        code.extend(with_len(&filler));
    }
    Some(code)
}

/// A function's body with its budget spent first. The calls make it longer and its budget larger, until they do no more.
fn spent(body: &[u8], first_filler: usize) -> Option<Vec<u8>> {
    let (locals, instructions) = body.split_at(body.len() - after_locals(body)?.len());
    let mut calls = Vec::new();
    loop {
        let len = SMALL.max(body.len() + calls.len());
        let next: Vec<u8> = spend(len).into_iter().flat_map(|filler| call(first_filler + filler)).collect();
        if next.len() <= calls.len() {
            let nops = vec![NOP; len - body.len() - calls.len()];
            return Some([locals, &calls, &nops, instructions].concat());
        }
        calls = next;
    }
}

fn call(function: usize) -> Vec<u8> {
    [vec![CALL], written(function)].concat()
}

// How a module is read.

fn sections(mut rest: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut sections = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        let (content, next) = sized(after)?;
        sections.push((id, content));
        rest = next;
    }
    Some(sections)
}

fn bodies(content: &[u8]) -> Option<Vec<&[u8]>> {
    let (count, mut rest) = number(content)?;
    let mut bodies = Vec::new();
    for _ in 0..count {
        let (body, next) = sized(rest)?;
        bodies.push(body);
        rest = next;
    }
    Some(bodies)
}

fn imported_functions(content: &[u8]) -> Option<usize> {
    let (count, mut rest) = number(content)?;
    for _ in 0..count {
        let (_module, after_module) = sized(rest)?;
        let (_name, after_name) = sized(after_module)?;
        let (_type, next) = number(after_name.strip_prefix(&[0])?)?;
        rest = next;
    }
    Some(count)
}

fn after_locals(body: &[u8]) -> Option<&[u8]> {
    let (groups, mut rest) = number(body)?;
    for _ in 0..groups {
        let (_count, of_type) = number(rest)?;
        rest = of_type.get(1..)?;
    }
    Some(rest)
}

/// What its length stands before, and what comes after it.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = number(bytes)?;
    rest.split_at_checked(len)
}

/// An unsigned LEB128 number of at most 32 bits, and what comes after it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let len = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(len);
    let value = digits
        .iter()
        .rev()
        .try_fold(0_u32, |value, digit| value.checked_mul(128).map(|value| value | u32::from(digit & 0x7f)))?;
    Some((usize::try_from(value).ok()?, rest))
}

// How it is written.

fn written(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let digit = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(digit);
            return bytes;
        }
        bytes.push(digit | 0x80);
    }
}

fn with_len(content: &[u8]) -> Vec<u8> {
    [&written(content.len()), content].concat()
}

/// A list with `more` entries at its end.
fn appended(list: &[u8], more: usize, entries: &[u8]) -> Option<Vec<u8>> {
    let (count, old) = number(list)?;
    Some([&written(count + more), old, entries].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One import, `e.f`, and two functions of one type: the first has two groups of locals, the second is 200 bytes long.
    fn module() -> Vec<u8> {
        let short = [2, 1, 0x7f, 1, 0x7e, CALL, 0, END];
        let mut long = vec![NOP; 200];
        (long[0], long[199]) = (NO_LOCALS, END);
        let code = [written(2), with_len(&short), with_len(&long)].concat();
        let sections: [(u8, &[u8]); 5] = [
            (TYPES, &[1, 0x60, 0, 0]),
            (IMPORTS, &[1, 1, b'e', 1, b'f', 0, 0]),
            (FUNCTIONS, &[2, 0, 0]),
            (CODE, &code),
            (0, b"\x04name"),
        ];
        let sections = sections.map(|(id, content)| [vec![id], with_len(content)].concat());
        [HEADER.to_vec(), sections.concat()].concat()
    }

    #[test]
    fn functions_keep_index_locals_and_code_and_get_calls_that_spend_their_budget() {
        let quick = with_budgets_spent(&module()).expect("a module");
        let sections = sections(&quick[HEADER.len()..]).expect("sections");
        assert_eq!(sections.iter().map(|section| section.0).collect::<Vec<_>>(), [TYPES, IMPORTS, FUNCTIONS, CODE, 0]);
        assert_eq!(sections[0].1, [2, 0x60, 0, 0, 0x60, 0, 0]);
        assert_eq!(sections[2].1, [[12, 0, 0].as_slice(), &[1; 10]].concat());
        assert_eq!(sections[4].1, b"\x04name");

        let bodies = bodies(sections[3].1).expect("bodies");
        assert_eq!(bodies.iter().skip(2).map(|body| body.len()).collect::<Vec<_>>(), FILLERS);
        // One import, two functions: fillers begin at 3. A budget of 100 takes 64, then 32.
        let padded = [[2, 1, 0x7f, 1, 0x7e, CALL, 5, CALL, 4].as_slice(), &[NOP; 38], &[CALL, 0, END]].concat();
        assert_eq!(bodies[0], padded);
        assert_eq!(bodies[0].len(), SMALL);
        // 206 bytes with the calls: 412 takes 256, 128.
        assert_eq!(bodies[1][..6], [NO_LOCALS, CALL, 7, CALL, 6, NOP]);
    }

    #[test]
    fn what_is_not_such_a_module_is_refused() {
        let module = module();
        assert_eq!(with_budgets_spent(b""), None);
        assert_eq!(with_budgets_spent(&module[..module.len() - 1]), None);
        let memory_import = [HEADER, &[TYPES, 1, 0, IMPORTS, 7, 1, 1, b'e', 1, b'm', 2, 0]].concat();
        assert_eq!(with_budgets_spent(&memory_import), None);
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, 127, 128, 16_384, 1 << 28, u32::MAX as usize] {
            assert_eq!(number(&[written(value), vec![7]].concat()), Some((value, [7].as_slice())));
        }
        assert_eq!(number(&[0x80; 6]), None);
        assert_eq!(number(&[]), None);
    }
}
