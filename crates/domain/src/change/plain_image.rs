//! Images of the common shape, copied without a parser.
//!
//! Texts, numbers, and maps and lists of such are copied here. Sets and binary are left to the parser; so is the whole image
//! where a name has escapes or something is not as it should be: the parser alone decides what is an error.

use std::ops::Range;

use super::attribute::{is_json_number, push_plain};
use crate::json_cursor::JsonCursor;

/// Deeper than DynamoDB nests (Amazon DynamoDB developer guide, "Quotas": 32 levels).
const DEPTH: usize = 40;

/// Shows each attribute: its name, and where its plain JSON lies in `values`. `None` where the image is of another shape than
/// the common one; what was shown until then is worth nothing.
pub(crate) fn read(
    cursor: &mut JsonCursor<'_>,
    values: &mut String,
    mut see: impl FnMut(&str, Range<usize>),
) -> Option<()> {
    cursor.members(|cursor, name| {
        let start = values.len();
        attribute(cursor, values, DEPTH)?;
        see(name, start..values.len());
        Some(())
    })
}

/// Copies the whole image as a plain JSON object, and shows each attribute: its name and its plain JSON. `None` as for [`read`].
pub(super) fn copy(
    cursor: &mut JsonCursor<'_>,
    out: &mut String,
    mut see: impl FnMut(&str, &str),
) -> Option<()> {
    members(cursor, out, DEPTH, |name, out, start| see(name, out.get(start..).unwrap_or_default()))
}

/// Copies an attribute value as plain JSON.
fn attribute(cursor: &mut JsonCursor<'_>, out: &mut String, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let whole = *cursor;
    // Nearly every value is a text, and comes without blanks.
    if cursor.word(r#"{"S":"#).is_some() {
        out.push_str(cursor.string()?.0);
        return cursor.take(b'}');
    }
    cursor.take(b'{')?;
    let descriptor = cursor.plain_string()?;
    cursor.take(b':')?;
    match descriptor {
        "S" => out.push_str(cursor.string()?.0),
        "N" => {
            let number = cursor.plain_string()?;
            if !is_json_number(number.as_bytes()) {
                return None;
            }
            out.push_str(number);
        }
        "BOOL" => {
            let is_true = cursor.word("true").is_some();
            if !is_true {
                cursor.word("false")?;
            }
            out.push_str(if is_true { "true" } else { "false" });
        }
        "M" => map(cursor, out, depth)?,
        "L" => list(cursor, out, depth)?,
        _ => {
            *cursor = whole;
            return push_plain(out, cursor.value()?).ok();
        }
    }
    cursor.take(b'}')
}

fn map(cursor: &mut JsonCursor<'_>, out: &mut String, depth: usize) -> Option<()> {
    members(cursor, out, depth, |_, _, _| ())
}

/// Copies a map as a plain JSON object, and shows each member's name, all of `out`, and where in it the member's value begins.
fn members(
    cursor: &mut JsonCursor<'_>,
    out: &mut String,
    depth: usize,
    mut see: impl FnMut(&str, &str, usize),
) -> Option<()> {
    out.push('{');
    let opened = out.len();
    cursor.members(|cursor, name| {
        if out.len() > opened {
            out.push(',');
        }
        // Without escapes, a name is in JSON as it is.
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        let start = out.len();
        attribute(cursor, out, depth)?;
        see(name, out, start);
        Some(())
    })?;
    out.push('}');
    Some(())
}

fn list(cursor: &mut JsonCursor<'_>, out: &mut String, depth: usize) -> Option<()> {
    out.push('[');
    let opened = out.len();
    cursor.elements(|cursor| {
        if out.len() > opened {
            out.push(',');
        }
        attribute(cursor, out, depth)
    })?;
    out.push(']');
    Some(())
}
