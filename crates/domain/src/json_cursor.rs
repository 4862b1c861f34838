//! A walk over JSON that is known to be valid: it finds what it looks for, and checks nothing else.
//!
//! A batch is validated once, by the runtime that hands it on. Parsing it again, into records, and then their images, was the
//! larger half of what the enricher and the lake's writer compute (docs/performance.md).

use serde_json::value::RawValue;

/// A place in valid JSON.
#[derive(Clone, Copy)]
pub(crate) struct JsonCursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonCursor<'a> {
    pub fn of(json: &'a RawValue) -> Self {
        Self { text: json.get(), at: 0 }
    }

    /// The next byte that is not blank.
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    pub fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    pub fn word(&mut self, word: &str) -> Option<()> {
        self.peek()?;
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    /// A string with its quotes, and whether it has escapes.
    pub fn string(&mut self) -> Option<(&'a str, bool)> {
        self.take(b'"')?;
        let start = self.at - 1;
        let mut has_escapes = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let found = special(rest)?;
            self.at += found + 1;
            match rest.get(found)? {
                b'"' => return Some((self.text.get(start..self.at)?, has_escapes)),
                b'\\' => self.at += 1,
                _ => return None,
            }
            has_escapes = true;
        }
    }

    /// The characters of a string without escapes.
    pub fn plain_string(&mut self) -> Option<&'a str> {
        match self.string()? {
            (string, false) => string.get(1..string.len() - 1),
            (_, true) => None,
        }
    }

    /// Shows the members of an object by their names, with the cursor at the value. `None` where a name has escapes.
    pub fn members(&mut self, mut see: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.plain_string()?;
            self.take(b':')?;
            see(self, name)?;
            if self.take(b'}').is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    /// The text of the first member of that name; what is behind it is not looked at. `None` where a name before it has escapes.
    pub fn member(mut self, wanted: &str) -> Option<&'a str> {
        let mut found = None;
        self.members(|cursor, name| {
            let value = cursor.value()?;
            if name == wanted {
                found = Some(value);
                return None;
            }
            Some(())
        });
        found
    }

    /// Shows the elements of an array, with the cursor at each.
    pub fn elements(&mut self, mut see: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            see(self)?;
            if self.take(b']').is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    /// The text of a value.
    pub fn value(&mut self) -> Option<&'a str> {
        self.peek()?;
        let start = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => self.scalar()?,
            }
            if open == 0 {
                return self.text.get(start..self.at);
            }
        }
    }

    /// Passes a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
        Some(())
    }
}

/// The place of the first quote, backslash or control character. Eight bytes are looked at together: in each, the highest
/// bit becomes set where the byte is one of these, and below the first of them nowhere else (S. E. Anderson, "Bit Twiddling
/// Hacks", on finding a byte in a word).
pub(crate) fn special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let mut words = bytes.chunks_exact(8);
    for (number, eight) in words.by_ref().enumerate() {
        let word = u64::from_le_bytes(eight.try_into().ok()?);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = (quote | backslash | below(word, 0x20)) & HIGHEST;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let rest = words.remainder();
    let place = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(bytes.len() - rest.len() + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_passed_whole() {
        for value in [
            r#""""#,
            r#""a \"b\" \\""#,
            "-1.5E+3",
            "null",
            "[]",
            "{}",
            r#"[1, "]", {"}": [true , null]} ]"#,
            r#"{"a": {"b": "\\"}, "c": [[], 1]}"#,
        ] {
            for (before, after) in [("", ""), (" \n", " ,1"), ("\t", "}"), ("", "]")] {
                let text = format!("{before}{value}{after}");
                let mut cursor = JsonCursor { text: &text, at: 0 };
                assert_eq!(cursor.value(), Some(value), "{text}");
            }
        }
    }

    #[test]
    fn members_are_shown_by_name() {
        let mut seen = Vec::new();
        let of = |text| JsonCursor { text, at: 0 };
        let mut cursor = of(r#" { "a" : [1] , "" : "x" } "#);
        cursor.members(|cursor, name| {
            seen.push((name, cursor.value()?));
            Some(())
        });
        assert_eq!(seen, [("a", "[1]"), ("", r#""x""#)]);
        let members = of(r#"{"b": {"a": 1}, "a": 2, "a": 3, "c"#);
        assert_eq!((members.member("a"), members.member("b")), (Some("2"), Some(r#"{"a": 1}"#)));
        assert_eq!(of(r#"{"b": 1}"#).member("a"), None);
        assert_eq!(of("{}").members(|_, _| None), Some(()));
        assert_eq!(of(r#"{"\u0061": 1}"#).members(|cursor, _| cursor.value().map(drop)), None);
    }
}
