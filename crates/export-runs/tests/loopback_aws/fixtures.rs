//! A run that most tests begin with.

use aws_sdk_dynamodb::Client;
use domain::export::datastore::{Datastore, DatastoreId, PollLimits, Scope};
use domain::export::lease::{Lease, State};
use domain::export::run::{Run, RunId, RunKey, RunRecord};
use domain::export::window::{Mode, Window};
use export_runs::{ExportRuns, Swap};
use jiff::Timestamp;

use super::{Aws, s3};

pub const TABLE: &str = "export-runs";
pub const BUCKET: &str = "exports-bucket";

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn datastore() -> Datastore {
    Datastore {
        id: DatastoreId("d1".to_owned()),
        scope: Scope::System,
        resource_types: vec!["Patient".to_owned(), "Observation".to_owned()],
        tags: Vec::new(),
        overlap_seconds: 120,
        lease_seconds: 900,
        range_bytes: 1 << 26,
        poll: PollLimits {
            first_delay_seconds: 10,
            longest_delay_seconds: 120,
            running_limit_seconds: 3_600,
        },
    }
}

/// A run of that name, which started at eight and exports what changed since seven.
pub fn run(id: &str) -> Run {
    Run {
        key: RunKey { started_at: time("2026-11-22T08:00:00Z"), id: RunId(id.to_owned()) },
        datastore: datastore(),
        mode: Mode::Incremental,
        window: Window { since: Some(time("2026-11-22T06:58:00Z")), until: time("2026-11-22T08:00:00Z") },
    }
}

/// What is stored of the datastore while that run has the lease.
pub fn state_of(run: &Run) -> State {
    State {
        cursor: Some(time("2026-11-22T07:00:00Z")),
        lease: Some(Lease {
            run_id: run.key.id.clone(),
            run_started_at: run.key.started_at,
            expires_at: time("2026-11-22T08:20:00Z"),
        }),
        last_run: None,
    }
}

impl Aws {
    pub fn runs(&self) -> ExportRuns {
        ExportRuns { client: Client::new(&self.sdk()), table_name: TABLE.to_owned() }
    }

    /// Stores that the run has the lease, and its record as `change` makes it.
    pub async fn lease_to(&self, run: &Run, change: impl FnOnce(&mut RunRecord)) {
        let state = state_of(run);
        let mut record = RunRecord::begun(run.key.clone(), run.mode, run.window, state.cursor);
        change(&mut record);
        let written = self.runs().write_both(&run.datastore.id, None, &state, &record).await;
        assert_eq!(written.unwrap(), Swap::Written);
        self.world().calls.clear();
    }

    /// Another takes the lease, as a run does that finds it expired.
    pub async fn lease_lost(&self, run: &Run) {
        let was = self.stored_state().await;
        let taken =
            State { cursor: was.as_ref().and_then(|was| was.cursor), ..state_of(&self::run("another")) };
        let written = self.runs().write_state(&run.datastore.id, was.as_ref(), &taken).await;
        assert_eq!(written.unwrap(), Swap::Written);
    }

    pub async fn stored_state(&self) -> Option<State> {
        self.runs().state(&datastore().id).await.unwrap()
    }

    pub async fn stored_record(&self, run: &Run) -> RunRecord {
        self.runs().record(&run.datastore.id, &run.key).await.unwrap().unwrap()
    }

    /// Puts a file into the bucket of exports, and tells its ETag.
    pub fn store_export(&self, key: &str, content: impl Into<bytes::Bytes>) -> String {
        let content = content.into();
        let etag = s3::etag(&content);
        self.world().objects.insert(format!("{BUCKET}/{key}"), content);
        etag
    }
}
