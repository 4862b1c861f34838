//! Rows, divided among the folders that they belong to.

use std::collections::HashMap;

use domain::lake::{Partition, PartitionSpec, Row};

/// The rows of one folder, in the order in which they came.
#[derive(Debug)]
pub struct Group {
    pub partition: Partition,
    pub rows: Vec<Row>,
    /// Of each row, its place among those that were divided.
    pub positions: Vec<usize>,
}

/// One group for each folder.
#[must_use]
pub fn group(spec: &PartitionSpec, rows: Vec<Row>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_partition: HashMap<Partition, usize> = HashMap::new();
    // Most rows have a key that was there before: their partition need not be worked out.
    let mut by_key: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut key = Vec::new();
    for (position, row) in rows.into_iter().enumerate() {
        key.clear();
        spec.push_key(&row.item, row.changed_at, &mut key);
        let index = by_key.get(&key).copied().unwrap_or_else(|| {
            let partition = spec.partition(&row.item, row.changed_at);
            let index = *by_partition.entry(partition).or_insert_with_key(|partition| {
                groups.push(Group { partition: partition.clone(), rows: Vec::new(), positions: Vec::new() });
                groups.len() - 1
            });
            by_key.insert(key.clone(), index);
            index
        });
        if let Some(group) = groups.get_mut(index) {
            group.rows.push(row);
            group.positions.push(position);
        }
    }
    groups
}
