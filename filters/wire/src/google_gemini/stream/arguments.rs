//! Arguments of a call that come piece by piece (Vertex AI's `partialArgs`): each piece names its place by a JSON path,
//! and they come in the order in which the object has them. What is put together is JSON text, as it grows.

use crate::fields::{Fields, Unreadable};

/// No arguments of a person are deeper.
const MAX_DEPTH: usize = 64;

/// The object as far as it is written.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    begun: bool,
    /// The objects and lists that are open below the first, each by the step that leads to it.
    open: Vec<(Step, Kind)>,
    /// Nothing was written yet into the innermost that is open.
    empty: bool,
    /// The text that is not complete, by the last step to it.
    text: Option<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    List,
}

impl Assembly {
    /// Appends to `json` what a piece says.
    pub(super) fn push(&mut self, piece: &Fields<'_>, json: &mut String) -> Result<(), Unreadable> {
        let path = piece.text("jsonPath")?.and_then(|path| steps(&path)).ok_or(Unreadable)?;
        let (last, parents) = path.split_last().ok_or(Unreadable)?;
        let goes_on = piece.get("willContinue").is_some_and(|value| value.get() == "true");
        let same = self.text.as_ref() == Some(last) && self.open.iter().map(|(step, _)| step).eq(parents);
        if !same {
            self.close_text(json);
            self.go_to(parents, last, json).ok_or(Unreadable)?;
        }
        if let Some(text) = piece.text("stringValue")? {
            let quoted = serde_json::to_string(&text).map_err(|_| Unreadable)?;
            let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(Unreadable)?;
            if !same {
                json.push('"');
            }
            json.push_str(inner);
            self.text = Some(last.clone());
        } else if !same {
            let value = piece.get("numberValue").or_else(|| piece.get("boolValue"));
            json.push_str(value.map_or("null", |value| value.get()));
        }
        if !goes_on {
            self.close_text(json);
        }
        Ok(())
    }

    /// The rest of the text: everything is closed.
    pub(super) fn end(mut self) -> String {
        let mut json = String::new();
        self.close_text(&mut json);
        self.begin(&mut json);
        while let Some((_, kind)) = self.open.pop() {
            json.push(kind.end());
        }
        json.push('}');
        json
    }

    fn begin(&mut self, json: &mut String) {
        if !self.begun {
            (self.begun, self.empty) = (true, true);
            json.push('{');
        }
    }

    fn close_text(&mut self, json: &mut String) {
        if self.text.take().is_some() {
            json.push('"');
        }
    }

    /// Closes and opens what it takes to stand before the value at `parents` and `last`. `None`: the path cannot be gone.
    fn go_to(&mut self, parents: &[Step], last: &Step, json: &mut String) -> Option<()> {
        self.begin(json);
        let shared = self.open.iter().zip(parents).take_while(|((step, _), parent)| step == *parent).count();
        while self.open.len() > shared {
            let (_, kind) = self.open.pop()?;
            json.push(kind.end());
            self.empty = false;
        }
        for (index, step) in parents.iter().enumerate().skip(shared) {
            self.step(step, json)?;
            let kind = parents.get(index.saturating_add(1)).unwrap_or(last).within();
            json.push(kind.begin());
            self.open.push((step.clone(), kind));
            self.empty = true;
        }
        self.step(last, json)
    }

    fn step(&mut self, step: &Step, json: &mut String) -> Option<()> {
        let kind = self.open.last().map_or(Kind::Object, |(_, kind)| *kind);
        if step.within() != kind {
            return None;
        }
        if !self.empty {
            json.push(',');
        }
        self.empty = false;
        if let Step::Key(key) = step {
            json.push_str(&serde_json::to_string(key).ok()?);
            json.push(':');
        }
        Some(())
    }
}

impl Step {
    const fn within(&self) -> Kind {
        match self {
            Self::Key(_) => Kind::Object,
            Self::Index(_) => Kind::List,
        }
    }
}

impl Kind {
    const fn begin(self) -> char {
        if matches!(self, Self::Object) { '{' } else { '[' }
    }

    const fn end(self) -> char {
        if matches!(self, Self::Object) { '}' } else { ']' }
    }
}

/// The steps of a JSON path to one value: `$.a[0]['b c']`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_DEPTH {
            return None;
        }
        let step;
        (step, rest) = if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            let (name, rest) = named.split_at_checked(end)?;
            (Step::Key(name.to_owned()), rest)
        } else {
            bracketed(rest.strip_prefix('[')?)?
        };
        steps.push(step);
    }
    Some(steps)
}

fn bracketed(text: &str) -> Option<(Step, &str)> {
    let Some(quote) = text.chars().next().filter(|quote| matches!(quote, '\'' | '"')) else {
        let (index, rest) = text.split_once(']')?;
        let is_index = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        return is_index.then(|| (Step::Index(index.to_owned()), rest));
    };
    let mut key = String::new();
    let mut characters = text.chars();
    characters.next();
    loop {
        match characters.next()? {
            '\\' => key.push(characters.next()?),
            character if character == quote => break,
            character => key.push(character),
        }
    }
    Some((Step::Key(key), characters.as_str().strip_prefix(']')?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn assembled(pieces: &[Value]) -> Result<String, Unreadable> {
        let mut assembly = Assembly::default();
        let mut json = String::new();
        for piece in pieces {
            let piece = piece.to_string();
            assembly.push(&Fields::of_text(&piece).unwrap(), &mut json)?;
        }
        Ok(json + &assembly.end())
    }

    #[test]
    fn pieces_become_the_object_they_are_of() {
        let pieces = [
            json!({"jsonPath": "$.location", "stringValue": "Bos\"ton", "willContinue": true}),
            json!({"jsonPath": "$.location", "stringValue": ", MA", "willContinue": true}),
            json!({"jsonPath": "$.location"}),
            json!({"jsonPath": "$.days[0].name", "stringValue": "Mon"}),
            json!({"jsonPath": "$.days[0].hot", "boolValue": false}),
            json!({"jsonPath": "$.days[1].name", "stringValue": "Tue", "willContinue": true}),
            json!({"jsonPath": "$['a key'][\"b\"][0][0]", "numberValue": 50}),
            json!({"jsonPath": "$['a key'][\"b\"][0][1]", "nullValue": "NULL_VALUE"}),
            json!({"jsonPath": "$.end", "stringValue": "cut", "willContinue": true}),
        ];
        let expected = json!({
            "location": "Bos\"ton, MA",
            "days": [{"name": "Mon", "hot": false}, {"name": "Tue"}],
            "a key": {"b": [[50, null]]},
            "end": "cut",
        });
        assert_eq!(serde_json::from_str::<Value>(&assembled(&pieces).unwrap()).unwrap(), expected);
        assert_eq!(assembled(&[]).unwrap(), "{}");
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        for path in ["", "a", "$", "$[0]", "$.a[", "$.a[x]", "$.a['b]", "$a", "$.a[0]b"] {
            assert!(assembled(&[json!({"jsonPath": path, "stringValue": "x"})]).is_err(), "{path}");
        }
        let deep = format!("${}", ".a".repeat(MAX_DEPTH + 1));
        assert!(assembled(&[json!({"jsonPath": deep})]).is_err());
        let list_and_object = [json!({"jsonPath": "$.a[0]"}), json!({"jsonPath": "$.a.b"})];
        assert!(assembled(&list_and_object).is_err());
    }
}
