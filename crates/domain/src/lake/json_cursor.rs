//! A walk over JSON that is known to be valid: it finds what it looks for, and checks nothing else.
//!
//! A batch is validated once, when it is taken apart into records. Parsing the records again, and then their images, was
//! the larger half of what the writer computes (`cargo bench -p lake-writer`).

/// A place in valid JSON. Over other text it finds nothing, or nonsense.
pub(super) struct JsonCursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonCursor<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
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
            let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            self.at += found + 1;
            if rest.get(found) == Some(&b'"') {
                return Some((self.text.get(start..self.at)?, has_escapes));
            }
            has_escapes = true;
            self.at += 1;
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
                assert_eq!(JsonCursor::of(&text).value(), Some(value), "{text}");
            }
        }
    }

    #[test]
    fn members_are_shown_by_name() {
        let mut seen = Vec::new();
        let mut cursor = JsonCursor::of(r#" { "a" : [1] , "" : "x" } "#);
        cursor.members(|cursor, name| {
            seen.push((name, cursor.value()?));
            Some(())
        });
        assert_eq!(seen, [("a", "[1]"), ("", r#""x""#)]);
        assert_eq!(JsonCursor::of("{}").members(|_, _| None), Some(()));
        assert_eq!(JsonCursor::of(r#"{"\u0061": 1}"#).members(|cursor, _| cursor.value().map(drop)), None);
    }
}
