//! A row as a line of a raw file.
//!
//! Every value is a JSON string that SQL can cast, so that a reader needs no more than text columns and loses no digit to a
//! JSON parser's doubles. `_types` says what each column was, so that the line tells the same under any later declaration.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use super::cell::string_of;
use super::columns::{ColumnText, push_json_string};
use super::item::for_each_member;
use super::{Cell, ColumnType, Columns, Item, Micros, Row, RowOperation};
use crate::change::{ChangeId, RemovedBy, Sequence};

/// What a line has beside the item, about.
const LINE_BYTES: usize = 512;

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

/// The plain JSON of a value of that kind, which is a JSON string in its line.
fn plain(kind: u8, json: &str) -> Option<Cow<'_, str>> {
    let of_timestamp = |column_type: ColumnType| {
        let micros = Micros::from_sql(&string_of(json)?)?;
        Some(Cow::Owned(column_type.json(&Cell::Timestamp(micros)).into_owned()))
    };
    match kind {
        b's' => json.starts_with('"').then_some(Cow::Borrowed(json)),
        b'b' | b'n' | b'j' => string_of(json),
        b't' => of_timestamp(ColumnType::Timestamp),
        b'e' => of_timestamp(ColumnType::TimestampSeconds),
        b'm' => of_timestamp(ColumnType::TimestampMilliseconds),
        _ => None,
    }
}

impl Row {
    /// Appends the row as one line. Answers how many declared attributes were of another type than was declared.
    pub fn write_line(&self, columns: &Columns, out: &mut String) -> usize {
        let split = columns.split(&self.item);
        out.reserve(LINE_BYTES + self.item.size());
        out.push_str(r#"{"_op":"#);
        push_json_string(out, self.operation.as_str());
        push_text(out, r#","_event_id":"#, self.event_id.as_str());
        push_text(out, r#","_sequence":"#, self.sequence.as_str());
        push_micros(out, r#","_changed_at":"#, self.changed_at);
        if let Some(RemovedBy::Ttl) = self.removed_by {
            push_text(out, r#","_removed_by":"#, "ttl");
        }
        push_text(out, r#","id":"#, &self.id);
        push_text(out, r#","sk":"#, &self.sk);

        let present = || {
            let declared = columns.iter().zip(columns.texts());
            declared
                .zip(&split.cells)
                .filter_map(|((column, text), cell)| Some((column, text, cell.as_ref()?)))
        };
        if present().next().is_some() {
            out.push_str(r#","_types":""#);
            present().for_each(|(column, _, _)| out.push(kind(column.column_type)));
            out.push('"');
        }
        push_renamed(out, present().map(|(_, text, _)| text));
        for (column, text, cell) in present() {
            match *cell {
                Cell::String(json) => {
                    out.push_str(&text.member);
                    out.push_str(json);
                }
                Cell::Json(json) => push_text(out, &text.member, json),
                Cell::Timestamp(micros) => push_micros(out, &text.member, micros),
                Cell::Boolean(_) | Cell::BigInt(_) | Cell::Decimal(_) => {
                    push_text(out, &text.member, &column.column_type.json(cell));
                }
            }
        }
        if !split.extra.is_empty() {
            push_text(out, r#","_extra":"#, &split.extra);
        }
        out.push_str("}\n");
        split.misfits
    }

    /// Reads a line that [`write_line`](Self::write_line) wrote, under whatever declaration.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read_line(line: &str) -> Result<Self, LineUnreadable> {
        let mut members = Members::default();
        let mut fault = None;
        for_each_member(line, |name, json| {
            if let Err(error) = members.take(name, json) {
                fault.get_or_insert(error);
            }
        })?;
        fault.map_or_else(|| members.row(), Err)
    }
}

/// The members of a line, as far as it is read. `_types` and `_attributes` come before the columns that they tell of.
#[derive(Default)]
struct Members {
    operation: Option<RowOperation>,
    event_id: Option<ChangeId>,
    sequence: Option<Sequence>,
    changed_at: Option<Micros>,
    removed_by: Option<RemovedBy>,
    id: Option<String>,
    sk: Option<String>,
    /// The kinds of the columns that are still to come.
    kinds: VecDeque<u8>,
    renamed: BTreeMap<String, String>,
    item: Item,
    extra: Option<Item>,
}

impl Members {
    fn take(&mut self, name: &str, json: &str) -> Result<(), LineUnreadable> {
        let unreadable = |name| move || LineUnreadable::Member(name);
        match name {
            "_op" => self.operation = string_of(json).and_then(|text| text.parse().ok()),
            "_event_id" => self.event_id = Some(serde_json::from_str(json)?),
            "_sequence" => self.sequence = string_of(json).and_then(|text| Sequence::parse(&text).ok()),
            "_changed_at" => self.changed_at = string_of(json).and_then(|text| Micros::from_sql(&text)),
            "_removed_by" => self.removed_by = serde_json::from_str(json)?,
            "id" => self.id = string_of(json).map(Cow::into_owned),
            "sk" => self.sk = string_of(json).map(Cow::into_owned),
            "_types" => self.kinds = string_of(json).ok_or_else(unreadable("_types"))?.bytes().collect(),
            "_attributes" => {
                let text = string_of(json).ok_or_else(unreadable("_attributes"))?;
                self.renamed = serde_json::from_str(&text)?;
            }
            "_extra" => {
                let text = string_of(json).ok_or_else(unreadable("_extra"))?;
                self.extra = Some(Item::from_json(&text)?);
            }
            // Of a later release.
            name if name.starts_with('_') => (),
            name => {
                let kind = self.kinds.pop_front().ok_or_else(unreadable("_types"))?;
                let attribute = self.renamed.get(name).map_or(name, String::as_str);
                let value = plain(kind, json).ok_or_else(unreadable("_types"))?;
                self.item.push(attribute, &value);
            }
        }
        Ok(())
    }

    fn row(self) -> Result<Row, LineUnreadable> {
        let Self { mut item, extra, .. } = self;
        if !self.kinds.is_empty() {
            return Err(LineUnreadable::Member("_types"));
        }
        if let Some(extra) = extra {
            // What the rest says of an attribute goes before what its column says.
            if extra.iter().any(|(name, _)| item.get(name).is_some()) {
                let mut kept = Item::default();
                let columns = item.iter().filter(|(name, _)| extra.get(name).is_none());
                columns.for_each(|(name, json)| kept.push(name, json));
                item = kept;
            }
            extra.iter().for_each(|(name, json)| item.push(name, json));
        }
        Ok(Row {
            operation: self.operation.ok_or(LineUnreadable::Member("_op"))?,
            event_id: self.event_id.ok_or(LineUnreadable::Member("_event_id"))?,
            sequence: self.sequence.ok_or(LineUnreadable::Member("_sequence"))?,
            changed_at: self.changed_at.ok_or(LineUnreadable::Member("_changed_at"))?,
            removed_by: self.removed_by,
            id: self.id.ok_or(LineUnreadable::Member("id"))?,
            sk: self.sk.ok_or(LineUnreadable::Member("sk"))?,
            item,
        })
    }
}

/// `member` is the name with all that stands around it.
fn push_text(out: &mut String, member: &str, text: &str) {
    out.push_str(member);
    push_json_string(out, text);
}

fn push_micros(out: &mut String, member: &str, micros: Micros) {
    out.push_str(member);
    let _ = write!(out, "\"{micros}\"");
}

/// Which columns are called otherwise than their attributes.
fn push_renamed<'c>(out: &mut String, present: impl Iterator<Item = &'c ColumnText>) {
    let mut opening = r#","_attributes":"{"#;
    for text in present.filter(|text| !text.renamed.is_empty()) {
        out.push_str(opening);
        out.push_str(&text.renamed);
        opening = ",";
    }
    if opening == "," {
        out.push_str(r#"}""#);
    }
}
