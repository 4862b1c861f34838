//! Logs and metrics: JSON lines on standard output, which Lambda hands to CloudWatch.
//!
//! Both hold ids, counts and codes, never an image, a resource or a name (I6).

use metrique::emf::Emf;
use metrique::writer::sink::FlushImmediatelyBuilder;
use metrique::writer::{BoxEntrySink, Entry, EntryIoStreamExt, FormatExt};
use tracing_subscriber::EnvFilter;

use crate::variables::{Variables, VariablesError};

#[derive(Entry)]
#[entry(rename_all = "PascalCase")]
struct Function {
    function: String,
}

/// Starts the logs and gives the sink for metrics. `RUST_LOG` sets the level; `METRICS_NAMESPACE` the namespace, in
/// which each function is a dimension.
///
/// # Errors
/// Where a variable is missing.
pub fn start() -> Result<BoxEntrySink, VariablesError> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let (namespace, function) = Variables::of_process()
        .finish(|read| (read.required("METRICS_NAMESPACE"), read.required("AWS_LAMBDA_FUNCTION_NAME")))?;
    // Written at once: a frozen execution environment would hold a queue back until its next invocation.
    Ok(FlushImmediatelyBuilder::new().build_boxed(
        Emf::builder(namespace, vec![vec!["Function".to_owned()]])
            .build()
            .output_to_makewriter(|| std::io::stdout().lock())
            .merge_globals(Function { function }),
    ))
}
