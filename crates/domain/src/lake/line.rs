//! A row as a line of a raw file.
//!
//! Every value is a JSON string that SQL can cast, so that a reader needs no more than text columns and loses no digit to a
//! JSON parser's doubles. `_types` says what each column was, so that the line tells the same under any later declaration.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::columns::{EXTRA_COLUMN, push_json_string};
use super::item::for_each_member;
use super::{Cell, Column, ColumnType, Columns, Item, Micros, Row};
use crate::change::{ChangeId, RemovedBy, Sequence};

#[derive(Debug, thiserror::Error)]
pub enum LineUnreadable {
    #[error("a line of a raw file is no JSON object of texts")]
    Json(#[from] serde_json::Error),
    #[error("a line of a raw file has no readable \"{0}\"")]
    Member(&'static str),
}

/// What was declared of a column when its line was written.
fn kind(column_type: ColumnType) -> char {
    match column_type {
        ColumnType::String => 's',
        ColumnType::Boolean => 'b',
        ColumnType::BigInt | ColumnType::Decimal { .. } => 'n',
        ColumnType::Timestamp => 't',
        ColumnType::TimestampSeconds => 'e',
        ColumnType::TimestampMilliseconds => 'm',
        ColumnType::Json => 'j',
    }
}

/// The plain JSON of a value of that kind.
fn plain(kind: char, text: &str) -> Option<String> {
    let of_timestamp = |column_type: ColumnType| {
        Micros::from_sql(text).map(|micros| column_type.json(&Cell::Timestamp(micros)).into_owned())
    };
    match kind {
        's' => Some(quoted(text)),
        'b' | 'n' | 'j' => Some(text.to_owned()),
        't' => of_timestamp(ColumnType::Timestamp),
        'e' => of_timestamp(ColumnType::TimestampSeconds),
        'm' => of_timestamp(ColumnType::TimestampMilliseconds),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    push_json_string(&mut json, text);
    json
}

impl Row {
    /// Appends the row as one line. Answers how many declared attributes were of another type than was declared.
    pub fn write_line(&self, columns: &Columns, out: &mut String) -> usize {
        let split = columns.split(&self.item);
        out.push('{');
        push_text(out, "_op", self.operation.as_str());
        push_text(out, "_event_id", self.event_id.as_str());
        push_text(out, "_sequence", self.sequence.as_str());
        push_text(out, "_changed_at", &self.changed_at.to_string());
        if let Some(RemovedBy::Ttl) = self.removed_by {
            push_text(out, "_removed_by", "ttl");
        }
        push_text(out, "id", &self.id);
        push_text(out, "sk", &self.sk);

        let present =
            || columns.iter().zip(&split.cells).filter_map(|(column, cell)| Some((column, cell.as_ref()?)));
        let types: String = present().map(|(column, _)| kind(column.column_type)).collect();
        if !types.is_empty() {
            push_text(out, "_types", &types);
        }
        push_renamed(out, present().map(|(column, _)| column));
        for (column, cell) in present() {
            match *cell {
                Cell::String(json) => {
                    push_name(out, &column.name);
                    out.push_str(json);
                }
                Cell::Json(json) => push_text(out, &column.name, json),
                Cell::Timestamp(micros) => push_text(out, &column.name, &micros.to_string()),
                Cell::Boolean(_) | Cell::BigInt(_) | Cell::Decimal(_) => {
                    push_text(out, &column.name, &column.column_type.json(cell));
                }
            }
        }
        if !split.extra.is_empty() {
            push_text(out, EXTRA_COLUMN, &split.extra);
        }
        out.push_str("}\n");
        split.misfits
    }

    /// Reads a line that [`write_line`](Self::write_line) wrote, under whatever declaration.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read_line(line: &str) -> Result<Self, LineUnreadable> {
        #[derive(Deserialize)]
        struct Fixed {
            #[serde(rename = "_op")]
            operation: String,
            #[serde(rename = "_event_id")]
            event_id: ChangeId,
            #[serde(rename = "_sequence")]
            sequence: String,
            #[serde(rename = "_changed_at")]
            changed_at: String,
            #[serde(rename = "_removed_by")]
            removed_by: Option<RemovedBy>,
            id: String,
            sk: String,
            #[serde(rename = "_types", default)]
            types: String,
            #[serde(rename = "_attributes", default)]
            attributes: String,
            #[serde(rename = "_extra", default)]
            extra: String,
        }

        let fixed: Fixed = serde_json::from_str(line)?;
        let rest = if fixed.extra.is_empty() { Item::default() } else { Item::from_json(&fixed.extra)? };
        let renamed: BTreeMap<String, String> = if fixed.attributes.is_empty() {
            BTreeMap::new()
        } else {
            serde_json::from_str(&fixed.attributes)?
        };

        let mut item = Item::default();
        let mut kinds = fixed.types.chars();
        let mut unreadable = false;
        for_each_member(line, |name, json| {
            if name.starts_with('_') || name == "id" || name == "sk" {
                return;
            }
            let attribute = renamed.get(name).map_or(name, String::as_str);
            let value = kinds.next().zip(serde_json::from_str::<String>(json).ok());
            match value.and_then(|(kind, text)| plain(kind, &text)) {
                Some(json) if rest.get(attribute).is_none() => item.push(attribute, &json),
                Some(_) => (),
                None => unreadable = true,
            }
        })?;
        if unreadable || kinds.next().is_some() {
            return Err(LineUnreadable::Member("_types"));
        }
        rest.iter().for_each(|(name, json)| item.push(name, json));
        Ok(Self {
            operation: fixed.operation.parse().map_err(|()| LineUnreadable::Member("_op"))?,
            event_id: fixed.event_id,
            sequence: Sequence::parse(&fixed.sequence).map_err(|_| LineUnreadable::Member("_sequence"))?,
            changed_at: Micros::from_sql(&fixed.changed_at).ok_or(LineUnreadable::Member("_changed_at"))?,
            removed_by: fixed.removed_by,
            id: fixed.id,
            sk: fixed.sk,
            item,
        })
    }
}

fn push_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_json_string(out, name);
    out.push(':');
}

fn push_text(out: &mut String, name: &str, text: &str) {
    push_name(out, name);
    push_json_string(out, text);
}

/// Which columns are called otherwise than their attributes.
fn push_renamed<'c>(out: &mut String, present: impl Iterator<Item = &'c Column>) {
    let mut renamed = String::new();
    for column in present.filter(|column| column.name != column.attribute) {
        super::columns::push_member(&mut renamed, &column.name, &quoted(&column.attribute));
    }
    if !renamed.is_empty() {
        renamed.push('}');
        push_text(out, "_attributes", &renamed);
    }
}
