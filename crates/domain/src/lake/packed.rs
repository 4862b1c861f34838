//! A row as one run of bytes: what a sort holds in memory and puts aside. It is read by the program that wrote it, never
//! stored.

use std::cmp::Ordering;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::{Item, Micros, Row, RowOperation};
use crate::change::{ChangeId, RemovedBy, Sequence};

/// Of a length.
const LENGTH_BYTES: usize = 4;

impl Row {
    /// Appends the row. What decides its place in a sorted file comes first.
    pub fn pack(&self, out: &mut Vec<u8>) {
        for text in [&self.id, &self.sk, self.sequence.as_str(), self.event_id.as_str()] {
            push_text(out, text);
        }
        out.push(match self.operation {
            RowOperation::Insert => b'I',
            RowOperation::Modify => b'M',
            RowOperation::Remove => b'R',
            RowOperation::Snapshot => b'S',
        });
        out.push(match self.removed_by {
            None => b'-',
            Some(RemovedBy::Ttl) => b'T',
        });
        out.extend_from_slice(&self.changed_at.get().to_le_bytes());
        self.item.pack(out);
    }

    /// The row that [`pack`](Self::pack) wrote; `None` where it wrote another.
    #[must_use]
    pub fn unpack(packed: &[u8]) -> Option<Self> {
        let mut rest = packed;
        let id = take_text(&mut rest)?.to_owned();
        let sk = take_text(&mut rest)?.to_owned();
        let sequence = Sequence::parse(take_text(&mut rest)?).ok()?;
        let event_id: StrDeserializer<'_, ValueError> = take_text(&mut rest)?.into_deserializer();
        let event_id = ChangeId::deserialize(event_id).ok()?;
        let operation = match take(&mut rest, 1)? {
            b"I" => RowOperation::Insert,
            b"M" => RowOperation::Modify,
            b"R" => RowOperation::Remove,
            b"S" => RowOperation::Snapshot,
            _ => return None,
        };
        let removed_by = match take(&mut rest, 1)? {
            b"-" => None,
            b"T" => Some(RemovedBy::Ttl),
            _ => return None,
        };
        let changed_at = Micros::new(i64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?))?;
        let item = Item::unpack(&mut rest)?;
        rest.is_empty().then_some(Self {
            operation,
            event_id,
            sequence,
            changed_at,
            removed_by,
            id,
            sk,
            item,
        })
    }
}

/// The order of two packed rows: by key, then by [`Row::precedence`].
#[must_use]
pub fn packed_order(mut a: &[u8], mut b: &[u8]) -> Ordering {
    for _ in 0..4 {
        let (text, other) = (take_bytes(&mut a), take_bytes(&mut b));
        let order = text.cmp(&other);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

pub(super) fn push_length(out: &mut Vec<u8>, length: usize) {
    // An item has 400 KB at most (Amazon DynamoDB developer guide, "Quotas"), twice of that as JSON.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn take_length(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(take(rest, LENGTH_BYTES)?.try_into().ok()?)).ok()
}

pub(super) fn take_text<'p>(rest: &mut &'p [u8]) -> Option<&'p str> {
    std::str::from_utf8(take_bytes(rest)?).ok()
}

fn take_bytes<'p>(rest: &mut &'p [u8]) -> Option<&'p [u8]> {
    let length = take_length(rest)?;
    take(rest, length)
}

fn take<'p>(rest: &mut &'p [u8], length: usize) -> Option<&'p [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, sk: &str, sequence: &str, event: &str) -> Row {
        let mut item = Item::default();
        item.push("größe", "[1.10]");
        item.push("", "null");
        Row {
            operation: RowOperation::Remove,
            event_id: ChangeId::of_record("arn", event, sequence),
            sequence: Sequence::parse(sequence).unwrap(),
            changed_at: Micros::from_second(-1).unwrap(),
            removed_by: Some(RemovedBy::Ttl),
            id: id.to_owned(),
            sk: sk.to_owned(),
            item,
        }
    }

    fn packed(row: &Row) -> Vec<u8> {
        let mut out = Vec::new();
        row.pack(&mut out);
        out
    }

    #[test]
    fn a_row_comes_back() {
        let row = row("PATIENT#1", "", "17", "e");
        assert_eq!(Row::unpack(&packed(&row)), Some(row.clone()));
        let bare = Row { item: Item::default(), removed_by: None, ..row };
        let bytes = packed(&bare);
        assert_eq!(Row::unpack(&bytes), Some(bare));
        for end in 0..bytes.len() {
            assert_eq!(Row::unpack(bytes.get(..end).unwrap()), None, "{end}");
        }
    }

    #[test]
    fn packed_rows_are_in_the_order_of_their_keys_and_precedence() {
        let rows = [
            row("a", "b", "2", "e"),
            row("a", "b", "10", "e"),
            row("a", "b", "10", "f"),
            row("a", "b!", "1", "e"),
            row("ab", "", "1", "e"),
            row("é", "", "1", "e"),
        ];
        let order = |a: &Row, b: &Row| {
            (&a.id, &a.sk).cmp(&(&b.id, &b.sk)).then_with(|| a.precedence().cmp(&b.precedence()))
        };
        for a in &rows {
            for b in &rows {
                assert_eq!(packed_order(&packed(a), &packed(b)), order(a, b));
            }
        }
    }
}
