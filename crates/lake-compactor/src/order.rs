//! The order of rows in every file of the compactor.

use std::cmp::Ordering;

use domain::lake::Row;

/// By key, then by what decides which row of a key is the current one. Equal are repeats of one change: sequence numbers
/// alone do not tell, because those of snapshots are times.
pub(crate) fn order(a: &Row, b: &Row) -> Ordering {
    a.id.cmp(&b.id).then_with(|| a.sk.cmp(&b.sk)).then_with(|| a.precedence().cmp(&b.precedence()))
}

pub(crate) fn is_same_key(a: &Row, b: &Row) -> bool {
    a.id == b.id && a.sk == b.sk
}
