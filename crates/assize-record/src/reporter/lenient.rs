//! A forgiving reader of JSON as models write it. One pass, no recursion, linear in the text; never fails but for depth.
//!
//! INVARIANT: valid JSON is read as it is; every mending begins where valid JSON would have ended.

mod text;

use std::borrow::Cow;

/// The most lists and objects in one another. A tree file has 7; the rest is for keys that are not read.
pub const MOST_DEPTH: usize = 32;

/// More than [`MOST_DEPTH`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// A value, borrowed where it holds no escapes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Flag(bool),
    Whole(i64),
    /// Null, a number that is not whole, or a key without value.
    Other,
    List(Vec<Self>, End),
    /// In the order of writing, keys that come twice twice.
    Map(Vec<(Cow<'a, str>, Self)>, End),
}

/// Whether a list or an object came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Written,
    /// The text ended in it.
    CutOff,
}

/// All top-level lists of objects in a text, as one.
#[derive(Debug, PartialEq)]
pub(super) struct Lists<'a> {
    pub(super) items: Vec<Value<'a>>,
    pub(super) end: End,
}

impl<'a> Value<'a> {
    /// The value of a key; of one that comes twice the last, as Python's reader has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(members, _) = self else { return None };
        members.iter().rfind(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        if let Some(Self::Text(text)) = self.get(key) { Some(text) } else { None }
    }

    pub(super) fn list(&self, key: &str) -> Option<&[Self]> {
        if let Some(Self::List(items, _)) = self.get(key) { Some(items) } else { None }
    }

    pub(super) const fn is_cut_off(&self) -> bool {
        matches!(self, Self::List(_, End::CutOff) | Self::Map(_, End::CutOff))
    }
}

/// Reads every list of objects, whatever stands around and between them, and objects that follow a bracket too many.
/// `None` where there is no list of objects.
pub(super) fn lists(text: &str) -> Result<Option<Lists<'_>>, TooDeep> {
    let mut lists = Lists { items: Vec::new(), end: End::Written };
    let Some(mut rest) = list_of_objects(text) else { return Ok(None) };
    loop {
        let (found, after) = value(rest)?;
        match found {
            Value::List(items, end) => {
                lists.items.extend(items);
                lists.end = end;
            }
            Value::Map(_, end) => {
                lists.items.push(found);
                lists.end = end;
            }
            Value::Text(_) | Value::Flag(_) | Value::Whole(_) | Value::Other => {}
        }
        let after = after.trim_start_matches(|next: char| next.is_whitespace() || ",]}".contains(next));
        let next = if after.starts_with('{') { Some(after) } else { list_of_objects(after) };
        let Some(next) = next else { return Ok(Some(lists)) };
        rest = next;
    }
}

/// From the first `[` on that has an object behind it. A `[` in prose rarely has.
fn list_of_objects(text: &str) -> Option<&str> {
    let mut lists = text.match_indices('[').filter_map(|(place, _)| text.get(place..));
    lists.find(|list| list.strip_prefix('[').is_some_and(|items| items.trim_start().starts_with('{')))
}

/// Reads the list or object that `text` begins with; gives what stands behind it too. Anything else is `Other`.
pub(super) fn value(text: &str) -> Result<(Value<'_>, &str), TooDeep> {
    let mut reader = Reader { open: Vec::new() };
    let mut rest = text;
    if !text.starts_with(['[', '{']) {
        return Ok((Value::Other, text));
    }
    loop {
        rest = rest.trim_start();
        let mut after = rest.chars();
        let Some(next) = after.next() else { return Ok((reader.cut_off(), "")) };
        let after = after.as_str();
        rest = match next {
            '[' | '{' => {
                if let Some(whole) = reader.close_objects_without_key() {
                    return Ok((whole, rest));
                }
                reader.begin(next)?;
                after
            }
            ']' | '}' => match reader.close(next) {
                Some(whole) => return Ok((whole, after)),
                None => after,
            },
            ',' => reader.comma(after),
            ':' => after,
            '"' | '\'' => match text::quoted(after, next) {
                Some((text, after)) => reader.word(text, Value::Text, after),
                None => "",
            },
            _ => match text::bare(rest) {
                Some((text, after)) => reader.word(Cow::Borrowed(text), text::bare_value, after),
                None => "",
            },
        };
    }
}

/// What is open, outermost first; at most [`MOST_DEPTH`].
struct Reader<'a> {
    open: Vec<Open<'a>>,
}

enum Open<'a> {
    List(Vec<Value<'a>>),
    Map {
        members: Vec<(Cow<'a, str>, Value<'a>)>,
        /// Read, with its value to come.
        key: Option<Cow<'a, str>>,
    },
}

impl<'a> Reader<'a> {
    fn begin(&mut self, bracket: char) -> Result<(), TooDeep> {
        if self.open.len() == MOST_DEPTH {
            return Err(TooDeep);
        }
        self.open.push(match bracket {
            '[' => Open::List(Vec::new()),
            _ => Open::Map { members: Vec::new(), key: None },
        });
        Ok(())
    }

    /// A list or object where a key should be: the object before it was never closed.
    fn close_objects_without_key(&mut self) -> Option<Value<'a>> {
        while let Some(Open::Map { key: None, .. }) = self.open.last() {
            let whole = self.end_innermost(End::Written);
            if whole.is_some() {
                return whole;
            }
        }
        None
    }

    /// Ends the innermost list or object that the bracket fits, with all that is open in it; passes over one that fits
    /// none. Gives the outermost where that ended.
    fn close(&mut self, bracket: char) -> Option<Value<'a>> {
        let fits = |open: &Open<'_>| match open {
            Open::List(_) => bracket == ']',
            Open::Map { .. } => bracket == '}',
        };
        let place = self.open.iter().rposition(fits)?;
        while self.open.len() > place + 1 {
            self.end_innermost(End::Written);
        }
        self.end_innermost(End::Written)
    }

    /// Ends everything.
    fn cut_off(&mut self) -> Value<'a> {
        loop {
            if let Some(whole) = self.end_innermost(End::CutOff) {
                return whole;
            }
        }
    }

    /// Puts the innermost into what is around it, or gives it back where nothing is.
    fn end_innermost(&mut self, end: End) -> Option<Value<'a>> {
        let value = match self.open.pop() {
            None => Value::Other,
            Some(Open::List(items)) => Value::List(items, end),
            Some(Open::Map { mut members, key }) => {
                match (key, end) {
                    (Some(key), End::Written) => members.push((key, Value::Other)),
                    (Some(_), End::CutOff) | (None, _) => {}
                }
                Value::Map(members, end)
            }
        };
        let Some(around) = self.open.last_mut() else { return Some(value) };
        around.put(value);
        None
    }

    fn comma(&mut self, after: &'a str) -> &'a str {
        if let Some(Open::Map { members, key }) = self.open.last_mut() {
            members.extend(key.take().map(|key| (key, Value::Other)));
        }
        after
    }

    /// A word is a key where one is due and a colon is behind it. Without the colon it is passed over: whatever it should
    /// have said is missing then.
    fn word(
        &mut self,
        word: Cow<'a, str>,
        value: impl FnOnce(Cow<'a, str>) -> Value<'a>,
        after: &'a str,
    ) -> &'a str {
        match self.open.last_mut() {
            Some(Open::Map { key: key @ None, .. }) => {
                let Some(behind) = after.trim_start().strip_prefix(':') else { return after };
                *key = Some(word);
                behind
            }
            Some(around) => {
                around.put(value(word));
                after
            }
            None => after,
        }
    }
}

impl<'a> Open<'a> {
    fn put(&mut self, value: Value<'a>) {
        match self {
            Self::List(items) => items.push(value),
            Self::Map { members, key } => members.extend(key.take().map(|key| (key, value))),
        }
    }
}

#[cfg(test)]
mod tests;
