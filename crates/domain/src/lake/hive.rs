//! Names of folders as Hive writes them: `name=value`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The folder of a value that is absent or empty (Apache Hive, `hive.exec.default.partition.name`); Athena, Spark and
/// DuckDB read it as NULL.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Writes a name or a value as part of a path, with `%` and two hexadecimal digits for each character that Hive escapes
/// (Apache Hive, `FileUtils.escapePathName`).
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_escaped(character) {
            let _ = write!(escaped, "%{:02X}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// The text that [`escape`] wrote; `None` where it could not have written this.
pub(super) fn unescape(path: &str) -> Option<String> {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        let code = u8::from_str_radix(after.get(..2)?, 16).ok().filter(u8::is_ascii)?;
        text.push_str(before);
        text.push(char::from(code));
        rest = after.get(2..)?;
    }
    text.push_str(rest);
    Some(text)
}

fn is_escaped(character: char) -> bool {
    character.is_ascii_control()
        || matches!(
            character,
            '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hive_escapes_comes_back() {
        for (text, path) in [
            ("north wing", "north wing"),
            ("a/b=c%d", "a%2Fb%3Dc%25d"),
            ("12:30", "12%3A30"),
            ("Zürich 東京 🫀", "Zürich 東京 🫀"),
            ("line\nbreak\u{7f}", "line%0Abreak%7F"),
            (r#""'\?*#{[]}^"#, "%22%27%5C%3F%2A%23%7B%5B%5D}%5E"),
        ] {
            assert_eq!(escape(text), path);
            assert_eq!(unescape(path).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_path_that_was_never_written_is_no_text() {
        for path in ["%", "%2", "%zz", "%ff", "a%", "%é"] {
            assert_eq!(unescape(path), None, "{path}");
        }
    }
}
