//! From text to a tree.

use super::{Class, Condition, Direction, MAX_INSTRUCTIONS, NotSupported};

/// How deep groups may stand in each other.
const MAX_DEPTH: usize = 24;
/// How many may look around.
const MAX_LOOKS: usize = 16;
/// How many ranges a class may have.
const MAX_RANGES: usize = 256;

#[derive(Debug)]
pub(super) enum Tree {
    Char(char),
    Any,
    Class(usize),
    If(Condition),
    Sequence(Vec<Self>),
    OneOf(Vec<Self>),
    Repeat { what: Box<Self>, least: usize, most: Option<usize> },
}

pub(super) struct Parsed {
    pub(super) main: Tree,
    pub(super) looks: Vec<(Tree, Direction)>,
    pub(super) classes: Vec<Class>,
}

pub(super) fn parse(text: &str) -> Result<Parsed, NotSupported> {
    let mut parser = Parser { rest: text, looks: Vec::new(), classes: Vec::new(), depth: 0 };
    let main = parser.one_of()?;
    if !parser.rest.is_empty() {
        return Err(NotSupported);
    }
    Ok(Parsed { main, looks: parser.looks, classes: parser.classes })
}

struct Parser<'a> {
    rest: &'a str,
    looks: Vec<(Tree, Direction)>,
    classes: Vec<Class>,
    depth: usize,
}

const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const DIGIT: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[
    ('\t', '\r'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{feff}', '\u{feff}'),
];

/// What a backslash and what follows it stand for.
enum Escape {
    Char(char),
    Set { ranges: &'static [(char, char)], negated: bool },
    Boundary { is: bool },
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Result<char, NotSupported> {
        let mut chars = self.rest.chars();
        let next = chars.next().ok_or(NotSupported)?;
        self.rest = chars.as_str();
        Ok(next)
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn one_of(&mut self) -> Result<Tree, NotSupported> {
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Tree::OneOf(branches) })
    }

    fn sequence(&mut self) -> Result<Tree, NotSupported> {
        let mut parts = Vec::new();
        while self.peek().is_some_and(|next| !matches!(next, '|' | ')')) {
            let part = self.atom()?;
            parts.push(self.repeated(part)?);
        }
        Ok(Tree::Sequence(parts))
    }

    fn atom(&mut self) -> Result<Tree, NotSupported> {
        match self.next()? {
            '.' => Ok(Tree::Any),
            '^' => Ok(Tree::If(Condition::Start)),
            '$' => Ok(Tree::If(Condition::End)),
            '(' => self.group(),
            '[' => self.class(),
            '\\' => match self.escape()? {
                Escape::Char(char) => Ok(Tree::Char(char)),
                Escape::Boundary { is } => Ok(Tree::If(Condition::WordBoundary { is })),
                Escape::Set { ranges, negated } => Ok(self.add(Class { ranges: ranges.to_vec(), negated })),
            },
            '*' | '+' | '?' => Err(NotSupported),
            char => Ok(Tree::Char(char)),
        }
    }

    fn add(&mut self, class: Class) -> Tree {
        self.classes.push(class);
        Tree::Class(self.classes.len().saturating_sub(1))
    }

    fn repeated(&mut self, what: Tree) -> Result<Tree, NotSupported> {
        let bounds = if self.eat("*") {
            Some((0, None))
        } else if self.eat("+") {
            Some((1, None))
        } else if self.eat("?") {
            Some((0, Some(1)))
        } else {
            self.counted()?
        };
        let Some((least, most)) = bounds else { return Ok(what) };
        // Lazy or not, it is found or it is not.
        self.eat("?");
        if matches!(what, Tree::If(_)) || matches!(self.peek(), Some('*' | '+' | '?')) {
            return Err(NotSupported);
        }
        Ok(Tree::Repeat { what: Box::new(what), least, most })
    }

    /// `{2}`, `{2,}` or `{2,5}`. A brace that begins none of these is itself.
    fn counted(&mut self) -> Result<Option<(usize, Option<usize>)>, NotSupported> {
        let Some((inside, after)) = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return Ok(None);
        };
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(usize::MAX))
        };
        let (least, most) = match inside.split_once(',') {
            None => (number(inside), number(inside).map(Some)),
            Some((least, "")) => (number(least), Some(None)),
            Some((least, most)) => (number(least), number(most).map(Some)),
        };
        let (Some(least), Some(most)) = (least, most) else { return Ok(None) };
        self.rest = after;
        let is_range = most.is_none_or(|most| least <= most);
        let fits = least.max(most.unwrap_or(0)) <= MAX_INSTRUCTIONS;
        if is_range && fits { Ok(Some((least, most))) } else { Err(NotSupported) }
    }

    fn group(&mut self) -> Result<Tree, NotSupported> {
        let look = [
            ("?=", Direction::Backwards, true),
            ("?!", Direction::Backwards, false),
            ("?<=", Direction::Forwards, true),
            ("?<!", Direction::Forwards, false),
        ];
        let look = look.into_iter().find(|(begin, ..)| self.eat(begin));
        if look.is_none() && !self.eat("?:") && self.eat("?") {
            self.name()?;
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(NotSupported);
        }
        let inside = self.one_of()?;
        self.depth = self.depth.saturating_sub(1);
        if !self.eat(")") {
            return Err(NotSupported);
        }
        let Some((_, direction, holds)) = look else { return Ok(inside) };
        self.looks.push((inside, direction));
        if self.looks.len() > MAX_LOOKS {
            return Err(NotSupported);
        }
        Ok(Tree::If(Condition::Look { which: self.looks.len().saturating_sub(1), holds }))
    }

    /// `<name>` of a group. Nothing refers to it.
    fn name(&mut self) -> Result<(), NotSupported> {
        let (name, after) = self.rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or(NotSupported)?;
        let is_name = name.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '$'));
        if name.is_empty() || !is_name {
            return Err(NotSupported);
        }
        self.rest = after;
        Ok(())
    }

    fn class(&mut self) -> Result<Tree, NotSupported> {
        let mut class = Class { ranges: Vec::new(), negated: self.eat("^") };
        while !self.eat("]") {
            let Some(first) = self.member(&mut class)? else { continue };
            // A `-` at the end is itself.
            if self.rest.starts_with("-]") || !self.eat("-") {
                class.ranges.push((first, first));
                continue;
            }
            match self.member(&mut class)? {
                Some(last) if first <= last => class.ranges.push((first, last)),
                Some(_) => return Err(NotSupported),
                // So it is before a set.
                None => class.ranges.extend([(first, first), ('-', '-')]),
            }
        }
        if class.ranges.len() > MAX_RANGES {
            return Err(NotSupported);
        }
        Ok(self.add(class))
    }

    /// One character of a class, or a set, which is put into it.
    fn member(&mut self, class: &mut Class) -> Result<Option<char>, NotSupported> {
        match self.next()? {
            '\\' if self.eat("b") => Ok(Some('\u{8}')),
            '\\' => match self.escape()? {
                Escape::Char(char) => Ok(Some(char)),
                Escape::Set { ranges, negated: false } => {
                    class.ranges.extend_from_slice(ranges);
                    Ok(None)
                }
                Escape::Set { ranges, negated: true } => {
                    class.ranges.extend(others(ranges));
                    Ok(None)
                }
                Escape::Boundary { .. } => Err(NotSupported),
            },
            char => Ok(Some(char)),
        }
    }

    fn escape(&mut self) -> Result<Escape, NotSupported> {
        let set = |ranges, negated| Ok(Escape::Set { ranges, negated });
        let char = match self.next()? {
            'd' => return set(DIGIT, false),
            'D' => return set(DIGIT, true),
            'w' => return set(WORD, false),
            'W' => return set(WORD, true),
            's' => return set(SPACE, false),
            'S' => return set(SPACE, true),
            'b' => return Ok(Escape::Boundary { is: true }),
            'B' => return Ok(Escape::Boundary { is: false }),
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            '0' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => '\0',
            'c' => {
                let letter = self.next().ok().filter(char::is_ascii_alphabetic).ok_or(NotSupported)?;
                char::from_u32(u32::from(letter) & 31).ok_or(NotSupported)?
            }
            'x' => char::from_u32(self.hex(2)?).ok_or(NotSupported)?,
            'u' => self.unicode()?,
            letter if letter.is_alphanumeric() => return Err(NotSupported),
            itself => itself,
        };
        Ok(Escape::Char(char))
    }

    fn unicode(&mut self) -> Result<char, NotSupported> {
        if self.eat("{") {
            let (digits, after) = self.rest.split_once('}').ok_or(NotSupported)?;
            let digits_only = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            self.rest = after;
            let code = u32::from_str_radix(digits, 16).ok().filter(|_| digits_only).ok_or(NotSupported)?;
            return char::from_u32(code).ok_or(NotSupported);
        }
        let units = match self.hex(4)? {
            high @ 0xd800..0xdc00 if self.eat("\\u") => vec![high, self.hex(4)?],
            unit => vec![unit],
        };
        let units = units.into_iter().map(|unit| u16::try_from(unit).unwrap_or_default());
        let mut chars = char::decode_utf16(units);
        match (chars.next(), chars.next()) {
            (Some(Ok(char)), None) => Ok(char),
            _ => Err(NotSupported),
        }
    }

    fn hex(&mut self, digits: usize) -> Result<u32, NotSupported> {
        (0..digits).try_fold(0_u32, |code, _| {
            let digit = self.next()?.to_digit(16).ok_or(NotSupported)?;
            Ok(code.wrapping_shl(4) | digit)
        })
    }
}

/// All that lies between `ranges`, which are in order.
fn others(ranges: &[(char, char)]) -> impl Iterator<Item = (char, char)> {
    let before = |char: char| char::from_u32(u32::from(char).saturating_sub(1));
    let after = |char: char| char::from_u32(u32::from(char).saturating_add(1));
    let firsts = std::iter::once(Some('\0')).chain(ranges.iter().map(move |(_, last)| after(*last)));
    let lasts = ranges.iter().map(move |(first, _)| before(*first)).chain([Some(char::MAX)]);
    firsts.zip(lasts).filter_map(|(first, last)| Some((first?, last?)))
}
