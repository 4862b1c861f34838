//! The declared columns, and how an item is divided among them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::{Cell, ColumnType, Item};

/// The columns that every row has, before the declared ones; [`EXTRA_COLUMN`] comes after them.
pub const FIXED_COLUMNS: [&str; 7] =
    ["_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk"];

/// Holds, as one JSON object, what the declared columns do not.
pub const EXTRA_COLUMN: &str = "_extra";

/// What the rest of an item takes at first, about.
const EXTRA_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The attribute of the item.
    pub attribute: String,
    pub name: String,
    pub column_type: ColumnType,
}

/// The declared columns, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    declared: Vec<Column>,
    /// Of each column, what a line says where it is present.
    texts: Vec<ColumnText>,
    by_attribute: HashMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnText {
    /// `,"birthdate":`
    pub member: String,
    /// `"birthdate":"birthDate"`, escaped to stand in a JSON string; empty where the names are the same.
    pub renamed: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    #[error("columns: \"{attribute}\" would be the column \"{name}\", which every row has already")]
    Reserved { attribute: String, name: String },
    #[error("columns: \"{first}\" and \"{second}\" would both be the column \"{name}\"; declare one of them")]
    Shared { first: String, second: String, name: String },
}

/// The column of an attribute: lower case, because Glue has no other (AWS Glue developer guide, "Defining a table"), and
/// `_` for each character that would need quoting.
#[must_use]
pub fn column_name(attribute: &str) -> String {
    let plain = |character: char| match character.to_ascii_lowercase() {
        lower @ ('a'..='z' | '0'..='9' | '_') => lower,
        _ => '_',
    };
    attribute.chars().map(plain).collect()
}

/// Whether every row has, or may come to have, a column of this name.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with('_') || FIXED_COLUMNS.contains(&name)
}

/// An item, divided among the columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Split<'i> {
    /// Of each declared column, what it holds.
    pub cells: Vec<Option<Cell<'i>>>,
    /// The rest, as a JSON object; empty where nothing is left.
    pub extra: String,
    /// How many declared attributes are of another type than was declared.
    pub misfits: usize,
}

impl Columns {
    /// # Errors
    /// Where two attributes share a column, or one would hide a column that every row has.
    pub fn new(types: BTreeMap<String, ColumnType>) -> Result<Self, ColumnsError> {
        let mut columns: Vec<Column> = Vec::with_capacity(types.len());
        for (attribute, column_type) in types {
            let name = column_name(&attribute);
            if name.is_empty() || is_reserved(&name) {
                return Err(ColumnsError::Reserved { attribute, name });
            }
            columns.push(Column { attribute, name, column_type });
        }
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        for pair in columns.windows(2) {
            if let [first, second] = pair
                && first.name == second.name
            {
                let (first, second) = (first.clone(), second.attribute.clone());
                return Err(ColumnsError::Shared { first: first.attribute, second, name: first.name });
            }
        }
        let by_attribute =
            columns.iter().enumerate().map(|(index, column)| (column.attribute.clone(), index)).collect();
        let texts = columns.iter().map(ColumnText::of).collect();
        Ok(Self { declared: columns, texts, by_attribute })
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &ColumnText> {
        self.texts.iter()
    }

    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.declared.iter()
    }

    /// Divides an item. [`join`](Self::join) puts it together again.
    #[must_use]
    pub fn split<'i>(&self, item: &'i Item) -> Split<'i> {
        let mut split = Split { cells: vec![None; self.declared.len()], extra: String::new(), misfits: 0 };
        for (attribute, json) in item.iter() {
            // The key has columns of its own.
            if attribute == "id" || attribute == "sk" {
                continue;
            }
            let declared = self.by_attribute.get(attribute).copied();
            let column =
                declared.and_then(|index| Some((self.declared.get(index)?, split.cells.get_mut(index)?)));
            if let Some((column, cell)) = column {
                let fit = column.column_type.fit(json);
                let is_kept = fit.as_ref().is_some_and(|fit| fit.exact);
                split.misfits += usize::from(fit.is_none() && json != "null");
                *cell = fit.map(|fit| fit.cell);
                if is_kept {
                    continue;
                }
            }
            push_member(&mut split.extra, attribute, json);
        }
        if !split.extra.is_empty() {
            split.extra.push('}');
        }
        split
    }

    /// The item of these cells and this rest. What the rest says of an attribute goes before what its column says.
    ///
    /// # Errors
    /// Where the rest is no JSON object.
    pub fn join(&self, cells: &[Option<Cell<'_>>], extra: &str) -> Result<Item, serde_json::Error> {
        let rest = if extra.is_empty() { Item::default() } else { Item::from_json(extra)? };
        let mut item = Item::default();
        for (column, cell) in self.declared.iter().zip(cells) {
            if let Some(cell) = cell
                && rest.get(&column.attribute).is_none()
            {
                item.push(&column.attribute, &column.column_type.json(cell));
            }
        }
        rest.iter().for_each(|(name, json)| item.push(name, json));
        Ok(item)
    }
}

impl ColumnText {
    fn of(column: &Column) -> Self {
        let mut member = String::from(",");
        push_json_string(&mut member, &column.name);
        member.push(':');
        let mut renamed = String::new();
        if column.name != column.attribute {
            let mut pair = String::new();
            push_json_string(&mut pair, &column.name);
            pair.push(':');
            push_json_string(&mut pair, &column.attribute);
            push_escaped(&mut renamed, &pair);
        }
        Self { member, renamed }
    }
}

/// Adds a member to an object that is still open, or opens it.
pub(super) fn push_member(object: &mut String, name: &str, json: &str) {
    object.reserve(if object.is_empty() { EXTRA_BYTES.max(json.len()) } else { 0 });
    object.push(if object.is_empty() { '{' } else { ',' });
    push_json_string(object, name);
    object.push(':');
    object.push_str(json);
}

pub(super) fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Writes what stands between the quotes of a JSON string. Most of these texts are JSON themselves, with a quote at every
/// turn.
fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match from.as_bytes().first() {
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(control) => drop(write!(out, "\\u{control:04x}")),
            None => (),
        }
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn columns(declared: &str) -> Columns {
        Columns::new(serde_json::from_str(declared).unwrap()).unwrap()
    }

    #[test]
    fn what_fits_goes_to_its_column_and_the_rest_into_extra() {
        let columns =
            columns(r#"{"name": "string", "weight": "decimal(5,2)", "at": "timestamp", "tags": "json"}"#);
        let item = Item::from_json(
            r#"{"id":"PATIENT#1","sk":"PATIENT#1","name":5,"weight":1.50,"at":"2026-11-22T08:14:00+01:00","tags":[1],"a \"b\"":{}}"#,
        )
        .unwrap();
        let split = columns.split(&item);
        let cell = |column| {
            let index = columns.iter().position(|it| it.name == column).unwrap();
            split.cells.get(index).copied().flatten()
        };
        assert_eq!(cell("weight"), Some(Cell::Decimal(150)));
        assert_eq!(cell("tags"), Some(Cell::Json("[1]")));
        assert!(cell("at").is_some());
        assert_eq!(cell("name"), None);
        assert_eq!(split.misfits, 1);
        assert_eq!(split.extra, r#"{"name":5,"at":"2026-11-22T08:14:00+01:00","a \"b\"":{}}"#);
    }

    #[test]
    fn every_character_of_a_text_comes_back() {
        let controls: String = (0..0x21_u8).map(char::from).collect();
        for text in ["", "a", r#""\\"#, r#"{"a":"\"b\""}"#, "größe 🫀\u{7f}", &controls] {
            let mut json = String::new();
            push_json_string(&mut json, text);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text, "{json}");
        }
    }

    #[test]
    fn null_is_kept_and_is_no_misfit() {
        let columns = columns(r#"{"name": "string"}"#);
        let item = Item::from_json(r#"{"name":null}"#).unwrap();
        let split = columns.split(&item);
        assert_eq!((split.extra.as_str(), split.misfits), (r#"{"name":null}"#, 0));
    }

    #[test]
    fn columns_have_the_names_that_the_catalog_gives_them() {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Vector {
            Name { attribute: String, column: String },
            Refused { attributes: Vec<String> },
        }
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../../../tests/data/lake/column-names.json")).unwrap();
        assert!(vectors.len() > 5);
        for vector in vectors {
            match vector {
                Vector::Name { attribute, column } => assert_eq!(column_name(&attribute), column),
                Vector::Refused { attributes } => {
                    let types = attributes.iter().map(|name| (name.clone(), ColumnType::String)).collect();
                    assert!(Columns::new(types).is_err(), "{attributes:?}");
                }
            }
        }
    }
}
