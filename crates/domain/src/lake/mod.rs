//! The lake: every change of the table as a row in a Hive-partitioned bucket.
//!
//! A file of the lake is a set of rows, a [`Row`] is what is known of one change for ever, and what a reader sees is a
//! function of the union of all rows. The writer adds files; a compaction adds files that hold the rows of those that it
//! replaces, which stay for hours. So the union never changes by compaction, and nobody has to lock or to swap anything.
//!
//! The way of a change: [`LakeRecord::row`] takes the item out of a stream record, [`PartitionSpec::partition`] decides
//! where it belongs, [`Row::write_line`] writes the line of a raw file under a name of [`object_key`].

mod cell;
mod columns;
pub mod commit;
pub mod compaction;
mod config;
mod directory;
mod hive;
mod item;
mod line;
pub mod merge;
pub mod object_key;
mod packed;
mod partition;
mod row;
mod snapshot;
mod timestamp;

pub use cell::{Cell, ColumnType, ColumnTypeUnknown};
pub use columns::{Column, Columns, ColumnsError, EXTRA_COLUMN, FIXED_COLUMNS, Split, column_name};
pub use config::{LakeConfig, LakeConfigError};
pub use directory::{Directory, bucket_of};
pub use hive::DEFAULT_PARTITION;
pub use item::Item;
pub use line::{LineReader, LineUnreadable};
pub use packed::packed_order;
pub use partition::{
    Partition, PartitionSpec, PartitionSpecError, TimeFormat, TimePartition, TimeSource, TimeUnit,
};
pub use row::{LakeImage, LakeRecord, Row, RowOperation};
pub use snapshot::Snapshot;
pub use timestamp::Micros;
