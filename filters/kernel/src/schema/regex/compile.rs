//! From a tree to instructions.

use super::parse::Tree;
use super::{Condition, Direction, Instruction, Look, MAX_INSTRUCTIONS, NotSupported, Program};

pub(super) fn look((tree, direction): &(Tree, Direction)) -> Result<Look, NotSupported> {
    Ok(Look { program: program(tree, *direction)?, direction: *direction })
}

pub(super) fn program(tree: &Tree, direction: Direction) -> Result<Program, NotSupported> {
    let mut compiler = Compiler { instructions: Vec::new(), direction };
    compiler.put(tree)?;
    compiler.push(Instruction::Match)?;
    let first = match direction {
        Direction::Forwards => Condition::Start,
        Direction::Backwards => Condition::End,
    };
    let anchored = matches!(compiler.instructions.first(), Some(Instruction::If(condition)) if *condition == first);
    Ok(Program { instructions: compiler.instructions, anchored })
}

struct Compiler {
    instructions: Vec<Instruction>,
    direction: Direction,
}

impl Compiler {
    const fn at(&self) -> usize {
        self.instructions.len()
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, NotSupported> {
        if self.instructions.len() >= MAX_INSTRUCTIONS {
            return Err(NotSupported);
        }
        self.instructions.push(instruction);
        Ok(self.at().saturating_sub(1))
    }

    fn set(&mut self, at: usize, instruction: Instruction) {
        if let Some(slot) = self.instructions.get_mut(at) {
            *slot = instruction;
        }
    }

    // INVARIANT: recursion ends at the depth of groups.
    fn put(&mut self, tree: &Tree) -> Result<(), NotSupported> {
        match tree {
            Tree::Char(char) => self.push(Instruction::Char(*char)).map(drop),
            Tree::Any => self.push(Instruction::Any).map(drop),
            Tree::Class(class) => self.push(Instruction::Class(*class)).map(drop),
            Tree::If(condition) => self.push(Instruction::If(*condition)).map(drop),
            Tree::Sequence(parts) => match self.direction {
                Direction::Forwards => parts.iter().try_for_each(|part| self.put(part)),
                Direction::Backwards => parts.iter().rev().try_for_each(|part| self.put(part)),
            },
            Tree::OneOf(branches) => self.one_of(branches),
            Tree::Repeat { what, least, most } => self.repeat(what, *least, *most),
        }
    }

    fn one_of(&mut self, branches: &[Tree]) -> Result<(), NotSupported> {
        let mut ends = Vec::new();
        let Some((last, others)) = branches.split_last() else { return Ok(()) };
        for branch in others {
            let split = self.push(Instruction::Split(0))?;
            self.put(branch)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.set(split, Instruction::Split(self.at()));
        }
        self.put(last)?;
        let end = self.at();
        ends.into_iter().for_each(|jump| self.set(jump, Instruction::Jump(end)));
        Ok(())
    }

    fn repeat(&mut self, what: &Tree, least: usize, most: Option<usize>) -> Result<(), NotSupported> {
        for _ in 0..least {
            let before = self.at();
            self.put(what)?;
            // Nothing, however often, is nothing.
            if self.at() == before {
                return Ok(());
            }
        }
        let Some(most) = most else {
            let split = self.push(Instruction::Split(0))?;
            self.put(what)?;
            self.push(Instruction::Jump(split))?;
            self.set(split, Instruction::Split(self.at()));
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.push(Instruction::Split(0))?);
            self.put(what)?;
        }
        let end = self.at();
        splits.into_iter().for_each(|split| self.set(split, Instruction::Split(end)));
        Ok(())
    }
}
