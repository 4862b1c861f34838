//! A row as a line of a raw file.
//!
//! Every value is a JSON string that SQL can cast, so that a reader needs no more than text columns and loses no digit to a
//! JSON parser's doubles. `_types` says what each column was, so that the line tells the same under any later declaration.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::cell::string_of;
use super::columns::{ColumnText, push_json_string};
use super::item::for_each_member;
use super::{Cell, ColumnType, Columns, Item, Micros, Row, RowOperation};
use crate::change::{ChangeId, RemovedBy, Sequence};
use crate::json_cursor::special;

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
        b's' if json.contains('\\') => string_of(json).map(|_| Cow::Borrowed(json)),
        b's' => json.starts_with('"').then_some(Cow::Borrowed(json)),
        b'b' | b'n' => string_of(json),
        b'j' => unescaped(json),
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
        LineReader::default().read(line)
    }
}

/// Reads lines, and remembers what most of them say alike.
#[derive(Debug, Default)]
pub struct LineReader {
    /// `_types` of the last line that had some.
    kinds: String,
    /// `_attributes` of the last line that had some, as it was written there.
    written: String,
    /// What it says: names of columns, and the attributes that they are of.
    renamed: Vec<(String, String)>,
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
    /// How many columns it has by its `_types`.
    kinds: usize,
    /// How many of them were taken.
    columns: usize,
    is_renamed: bool,
    item: Item,
    extra: Option<String>,
}

impl LineReader {
    /// Reads a line that [`Row::write_line`] wrote, under whatever declaration.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(&mut self, line: &str) -> Result<Row, LineUnreadable> {
        let mut members = Members::with_room();
        let mut fault = None;
        let mut take = |members: &mut Members, name: &str, json: &str| {
            if let Err(error) = self.take(members, name, json) {
                fault.get_or_insert(error);
            }
        };
        if for_each_text(line, |name, json| take(&mut members, name, json)).is_none() {
            members = Members::with_room();
            for_each_member(line, |name, json| take(&mut members, name, json))?;
        }
        fault.map_or_else(|| members.row(), Err)
    }

    fn take(&mut self, members: &mut Members, name: &str, json: &str) -> Result<(), LineUnreadable> {
        let text = |name| string_of(json).ok_or(LineUnreadable::Member(name));
        match name {
            "_op" => members.operation = text("_op")?.parse().ok(),
            "_event_id" => members.event_id = Some(serde_json::from_str(json)?),
            "_sequence" => members.sequence = Sequence::parse(&text("_sequence")?).ok(),
            "_changed_at" => members.changed_at = Micros::from_sql(&text("_changed_at")?),
            "_removed_by" => members.removed_by = serde_json::from_str(json)?,
            "id" => members.id = Some(text("id")?.into_owned()),
            "sk" => members.sk = Some(text("sk")?.into_owned()),
            "_types" => {
                let kinds = text("_types")?;
                members.kinds = kinds.len();
                kinds.as_ref().clone_into(&mut self.kinds);
            }
            "_attributes" => {
                members.is_renamed = true;
                if self.written != json {
                    let renamed: BTreeMap<String, String> = serde_json::from_str(&text("_attributes")?)?;
                    self.renamed = renamed.into_iter().collect();
                    json.clone_into(&mut self.written);
                }
            }
            "_extra" => {
                let extra = unescaped(json).ok_or(LineUnreadable::Member("_extra"))?;
                members.extra = Some(extra.into_owned());
            }
            // Of a later release.
            name if name.starts_with('_') => (),
            name => {
                // Without `_types` the line has no columns, whatever the one before it had.
                let kind = self.kinds.as_bytes().get(..members.kinds).and_then(|it| it.get(members.columns));
                let value =
                    kind.and_then(|kind| plain(*kind, json)).ok_or(LineUnreadable::Member("_types"))?;
                let mut renamed = self.renamed.iter().filter(|_| members.is_renamed);
                let attribute = renamed.find(|(column, _)| column == name);
                members.item.push(attribute.map_or(name, |(_, attribute)| attribute), &value);
                members.columns += 1;
            }
        }
        Ok(())
    }
}

/// Shows each member of an object as [`Row::write_line`] writes it: without blanks, of texts alone. `None` where it is
/// another, which a parser has to see. Twice as fast as a parser.
fn for_each_text(line: &str, mut see: impl FnMut(&str, &str)) -> Option<()> {
    let mut rest = line.strip_suffix('\n').unwrap_or(line).strip_prefix('{')?;
    loop {
        let (name, after) = text(rest)?;
        let (json, after) = text(after.strip_prefix(':')?)?;
        see(name.strip_prefix('"')?.strip_suffix('"')?, json);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (after == "}").then_some(()),
        }
    }
}

/// The JSON string that a text begins with, and what follows it. Whether its escapes are some is not looked at.
fn text(rest: &str) -> Option<(&str, &str)> {
    let bytes = rest.strip_prefix('"')?.as_bytes();
    let mut end = 0;
    loop {
        let found = special(bytes.get(end..)?)?;
        end += found + 1;
        match bytes.get(end - 1)? {
            b'"' => return rest.split_at_checked(end + 1),
            b'\\' => end += 1,
            _ => return None,
        }
    }
}

/// The characters of a JSON string that is JSON itself: nearly all of its escapes are quotes.
fn unescaped(json: &str) -> Option<Cow<'_, str>> {
    let mut rest = json.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('\\') {
        if out.is_empty() {
            out.reserve(rest.len());
        }
        out.push_str(before);
        let character = after.chars().next()?;
        if character != '"' && character != '\\' {
            return string_of(json);
        }
        out.push(character);
        rest = after.get(1..)?;
    }
    if out.is_empty() {
        return Some(Cow::Borrowed(rest));
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

impl Members {
    fn with_room() -> Self {
        Self { item: Item::with_room(), ..Self::default() }
    }

    fn row(self) -> Result<Row, LineUnreadable> {
        if self.columns != self.kinds {
            return Err(LineUnreadable::Member("_types"));
        }
        let mut item = self.item;
        if let Some(extra) = self.extra {
            for_each_member(&extra, |name, json| item.push(name, json))?;
            let is_in_extra =
                |attribute: &str| item.iter().skip(self.columns).any(|(name, _)| name == attribute);
            // What the rest says of an attribute goes before what its column says.
            if item.iter().take(self.columns).any(|(name, _)| is_in_extra(name)) {
                let mut kept = Item::default();
                for (place, (name, json)) in item.iter().enumerate() {
                    if place >= self.columns || !is_in_extra(name) {
                        kept.push(name, json);
                    }
                }
                item = kept;
            }
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
