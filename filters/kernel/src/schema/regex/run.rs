//! All ways through a program at once, one character after the other.

use super::super::budget::{Budget, TooMuch};
use super::{Condition, Direction, Instruction, Program, Regex};

pub(super) fn is_match(regex: &Regex, text: &str, budget: &mut Budget) -> Result<bool, TooMuch> {
    let mut around = Around { regex, length: 0, marks: Vec::new() };
    if !regex.looks.is_empty() {
        around.length = text.chars().count();
        for look in &regex.looks {
            budget.spend(around.length)?;
            let mut marks = vec![false; around.length.saturating_add(1)];
            let mut mark = |at: usize| {
                if let Some(mark) = marks.get_mut(at) {
                    *mark = true;
                }
                true
            };
            around.walk(&look.program, text, look.direction, budget, &mut mark)?;
            around.marks.push(marks);
        }
    }
    let mut found = false;
    let mut stop = |_| {
        found = true;
        false
    };
    around.walk(&regex.main, text, Direction::Forwards, budget, &mut stop)?;
    Ok(found)
}

struct Around<'a> {
    regex: &'a Regex,
    /// Of the text, in characters. Only known if somebody asks.
    length: usize,
    /// Where what looks around holds.
    marks: Vec<Vec<bool>>,
}

/// A place in the text, on the way through it.
struct Place {
    at: usize,
    before: Option<char>,
    after: Option<char>,
    direction: Direction,
}

/// Where one may be in a program.
struct Threads {
    now: Vec<usize>,
    /// In which round an instruction was reached last.
    reached: Vec<usize>,
    round: usize,
    pending: Vec<usize>,
}

impl Around<'_> {
    /// Tells `matched` every place where a match ends, until it says that this is enough.
    fn walk(
        &self,
        program: &Program,
        text: &str,
        direction: Direction,
        budget: &mut Budget,
        matched: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), TooMuch> {
        let size = program.instructions.len();
        let mut threads = Threads { now: Vec::new(), reached: vec![0; size], round: 0, pending: Vec::new() };
        let mut chars = text.chars();
        let (mut read, mut before, mut moved) = (0_usize, None, Vec::new());
        budget.spend(size)?;
        loop {
            let (after, at) = match direction {
                Direction::Forwards => (chars.next(), read),
                Direction::Backwards => (chars.next_back(), self.length.saturating_sub(read)),
            };
            let here = Place { at, before, after, direction };
            threads.round = threads.round.saturating_add(1);
            threads.now.clear();
            if read == 0 || !program.anchored {
                threads.pending.push(0);
            }
            threads.pending.append(&mut moved);
            if self.follow(program, &here, &mut threads, budget)? && !matched(here.at) {
                return Ok(());
            }
            let Some(char) = after else { return Ok(()) };
            if program.anchored && threads.now.is_empty() {
                return Ok(());
            }
            let steps = threads.now.iter().filter(|at| self.steps(program, **at, char));
            moved.extend(steps.map(|at| at.saturating_add(1)));
            before = Some(char);
            read = read.saturating_add(1);
        }
    }

    fn steps(&self, program: &Program, at: usize, char: char) -> bool {
        match program.instructions.get(at) {
            Some(Instruction::Char(own)) => *own == char,
            Some(Instruction::Any) => !matches!(char, '\n' | '\r' | '\u{2028}' | '\u{2029}'),
            Some(Instruction::Class(class)) => self.regex.classes.get(*class).is_some_and(|class| class.has(char)),
            _ => false,
        }
    }

    /// Goes on from all that is pending as far as no character is needed; whether the end was reached.
    fn follow(
        &self,
        program: &Program,
        here: &Place,
        threads: &mut Threads,
        budget: &mut Budget,
    ) -> Result<bool, TooMuch> {
        let mut is_match = false;
        while let Some(at) = threads.pending.pop() {
            let Some(reached) = threads.reached.get_mut(at) else { continue };
            if std::mem::replace(reached, threads.round) == threads.round {
                continue;
            }
            budget.spend(1)?;
            let next = at.saturating_add(1);
            match program.instructions.get(at) {
                Some(Instruction::Split(other)) => threads.pending.extend([next, *other]),
                Some(Instruction::Jump(to)) => threads.pending.push(*to),
                Some(Instruction::If(condition)) if self.holds(*condition, here) => threads.pending.push(next),
                Some(Instruction::Match) => is_match = true,
                Some(Instruction::Char(_) | Instruction::Any | Instruction::Class(_)) => threads.now.push(at),
                Some(Instruction::If(_)) | None => {}
            }
        }
        Ok(is_match)
    }

    fn holds(&self, condition: Condition, here: &Place) -> bool {
        let (first, last) = match here.direction {
            Direction::Forwards => (here.before, here.after),
            Direction::Backwards => (here.after, here.before),
        };
        let is_word = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric() || char == '_');
        match condition {
            Condition::Start => first.is_none(),
            Condition::End => last.is_none(),
            Condition::WordBoundary { is } => (is_word(first) != is_word(last)) == is,
            Condition::Look { which, holds } => {
                self.marks.get(which).and_then(|marks| marks.get(here.at)).is_some_and(|mark| *mark == holds)
            }
        }
    }
}
