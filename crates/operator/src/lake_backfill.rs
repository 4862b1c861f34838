//! `lake backfill`: the table as it was before the lake, from an export or a scan.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use domain::lake::Micros;
use jiff::Timestamp;
use lake_backfill::{
    Backfill, CHUNK_BYTES, Counts, Export, ExportKind, Location, Outcome, Progress, Scan, ScanOptions, Table,
};
use tokio::time::{Instant, interval_at};

use crate::Target;
use crate::lake_deployment::LakeDeployment;
use crate::lake_readiness::Readiness;

const TELL_EVERY: Duration = Duration::from_secs(10);

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Of an export: how many files at once. Each takes about 100 MB of memory at most
    #[arg(long, value_name = "N", default_value_t = 4, conflicts_with = "scan")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    parallel: u32,
    /// Of a scan: how many segments at once. Each takes about 100 MB of memory at most
    #[arg(long, value_name = "N", default_value_t = 4, conflicts_with = "export")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    segments: u32,
    /// Of a scan: at most that many read units a second, of all segments together
    #[arg(long, value_name = "N", conflicts_with = "export")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    read_units: Option<u32>,
    /// Of a scan: strongly consistent reads, which cost twice as much. The stream makes them needless
    #[arg(long, conflicts_with = "export")]
    consistent_read: bool,
    /// Do everything again that is done already, and begin a new scan
    #[arg(long)]
    anew: bool,
    /// Take it in although the stream does not tell all that changed since. Only what lay before the lake can be brought by
    /// another backfill
    #[arg(long)]
    accept_gap: bool,
    /// Take in the export of another table than this deployment's
    #[arg(long, conflicts_with = "scan")]
    accept_other_table: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// An export to S3 in the format `DYNAMODB_JSON`, full or incremental: the folder with its manifests
    #[arg(long, value_name = "s3://BUCKET/PREFIX/AWSDynamoDB/ID/")]
    export: Option<Location>,
    /// Scan the table
    #[arg(long)]
    scan: bool,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let deployment = LakeDeployment::find(&arguments.target).await?;
    let readiness = Readiness::of(&deployment).await?;
    let backfill = Backfill::new(deployment.lake(), CHUNK_BYTES);
    match &arguments.source.export {
        Some(location) => export(arguments, location, &deployment, &readiness, &backfill).await,
        None => scan(arguments, &deployment, &readiness, &backfill).await,
    }
}

async fn export(
    arguments: &Arguments,
    location: &Location,
    deployment: &LakeDeployment,
    readiness: &Readiness,
    backfill: &Backfill,
) -> Result<ExitCode> {
    let s3 = deployment.s3();
    let export = Export::open(&s3, location).await?;
    if let Some(problem) = other_table(&export, readiness)
        && !arguments.accept_other_table
    {
        bail!("{problem}. With --accept-other-table it is taken in all the same");
    }
    check(arguments, readiness, timestamp(export.kind.until())?)?;
    println!(
        "export {} of {} items in {} files, {}",
        export.id,
        export.items,
        export.files(),
        of_kind(export.kind)
    );
    let files = usize::try_from(arguments.parallel)?;
    let outcome = tokio::select! {
        outcome = export.backfill(backfill, &s3, files, arguments.anew) => outcome?,
        never = tell(backfill.progress(), "files") => match never {},
    };
    let code = sum_up(arguments, deployment, backfill.progress().counts(), &outcome, "files");
    if outcome.has_ended() && outcome.rows + outcome.unreadable != export.items {
        bail!(
            "the export has {} items, and {} of them are in the lake: run it with --anew",
            export.items,
            outcome.rows
        );
    }
    Ok(code)
}

async fn scan(
    arguments: &Arguments,
    deployment: &LakeDeployment,
    readiness: &Readiness,
    backfill: &Backfill,
) -> Result<ExitCode> {
    let now = Timestamp::now();
    check(arguments, readiness, now)?;
    let table = Table {
        client: aws_sdk_dynamodb::Client::new(&deployment.data_config),
        name: deployment.items_table.clone(),
        arn: readiness.table_arn.clone(),
        id: readiness.table_id.clone(),
    };
    let options = ScanOptions {
        segments: arguments.segments,
        consistent_read: arguments.consistent_read,
        units_per_second: arguments.read_units,
        anew: arguments.anew,
    };
    let now = Micros::new(now.as_microsecond()).context("the clock of this machine")?;
    let scan = Scan::open(backfill, table, options, now).await?;
    let began_at = timestamp(scan.began_at().context("the scan has no time")?)?;
    if scan.goes_on {
        println!(
            "going on with {}, which began at {began_at:.0} and has {} segments",
            scan.id,
            scan.segments()
        );
        check(arguments, readiness, began_at)?;
    } else {
        println!("{} begins, in {} segments", scan.id, scan.segments());
    }
    let outcome = tokio::select! {
        outcome = scan.backfill(backfill) => outcome?,
        never = tell(backfill.progress(), "segments") => match never {},
    };
    Ok(sum_up(arguments, deployment, backfill.progress().counts(), &outcome, "segments"))
}

fn check(arguments: &Arguments, readiness: &Readiness, taken_at: Timestamp) -> Result<()> {
    match readiness.problem(taken_at) {
        Some(problem) if arguments.accept_gap => println!("accepted: {problem}"),
        Some(problem) => bail!("{problem}. With --accept-gap it is taken in all the same"),
        None => (),
    }
    Ok(())
}

fn other_table(export: &Export, readiness: &Readiness) -> Option<String> {
    if export.table_arn != readiness.table_arn {
        return Some(format!(
            "the export is of {}, and the table of this deployment is {}",
            export.table_arn, readiness.table_arn
        ));
    }
    match (&export.table_id, &readiness.table_id) {
        (Some(exported), Some(deployed)) if exported != deployed => Some(
            "the export is of an earlier table of the same name: what was removed with it would come back"
                .to_owned(),
        ),
        _ => None,
    }
}

fn of_kind(kind: ExportKind) -> String {
    match kind {
        ExportKind::Full { taken_at } => format!("the table as of {}", taken_at.to_rfc3339()),
        ExportKind::Incremental { from, to } => {
            format!("what changed from {} until {}", from.to_rfc3339(), to.to_rfc3339())
        }
    }
}

fn timestamp(micros: Micros) -> Result<Timestamp> {
    Ok(Timestamp::from_microsecond(micros.get())?)
}

enum Never {}

/// Tells now and then how far it is.
async fn tell(progress: &Progress, parts: &str) -> Never {
    let started = Instant::now();
    let mut ticks = interval_at(started + TELL_EVERY, TELL_EVERY);
    loop {
        ticks.tick().await;
        let counts = progress.counts();
        #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
        let rate = counts.rows as f64 / started.elapsed().as_secs_f64();
        println!(
            "{} of {} {parts}, {} rows written, {rate:.0} rows/s …",
            counts.parts_done, counts.parts, counts.rows
        );
    }
}

fn sum_up(
    arguments: &Arguments,
    deployment: &LakeDeployment,
    counts: Counts,
    outcome: &Outcome,
    parts: &str,
) -> ExitCode {
    println!(
        "{}: {} of {} {parts} in the lake with {} rows; written now: {} rows as {} objects, {} bytes",
        outcome.id,
        outcome.parts_done,
        outcome.parts,
        outcome.rows,
        counts.rows,
        counts.objects,
        counts.bytes
    );
    if counts.misfits > 0 {
        println!("{} values are of another type than their column, and are in _extra", counts.misfits);
    }
    if counts.default_partition_rows > 0 {
        println!(
            "{} rows lack a value of the partition, and are in the default one",
            counts.default_partition_rows
        );
    }
    if outcome.is_whole() {
        return ExitCode::SUCCESS;
    }
    if outcome.unreadable > 0 {
        println!(
            "{} items cannot be read, and are not in the lake: they are kept under s3://{}/{}",
            outcome.unreadable,
            deployment.bucket(),
            outcome.unreadable_folder
        );
    }
    for failure in &outcome.failures {
        println!("not done: {failure}");
    }
    if !outcome.has_ended() {
        println!("{}", how_to_go_on(arguments.anew));
    }
    ExitCode::FAILURE
}

/// What was begun anew would be begun anew again.
fn how_to_go_on(anew: bool) -> &'static str {
    if anew {
        "the same command without --anew goes on where this one ended"
    } else {
        "the same command goes on where this one ended"
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn a_backfill_is_of_one_source() {
        let parse = |arguments: &str| {
            let all = ["backfill"].into_iter().chain(arguments.split_whitespace());
            Command::try_parse_from(all).map(|command| command.arguments)
        };
        let uri = "s3://exports/2026/AWSDynamoDB/01795331640028-a1b2c3d4/";
        let export =
            parse(&format!("--export {uri} --parallel 8 --accept-other-table --environment prod")).unwrap();
        assert_eq!((export.parallel, export.source.scan), (8, false));
        let scan = parse("--scan --segments 2 --read-units 500 --consistent-read --anew --local").unwrap();
        assert_eq!((scan.segments, scan.read_units, scan.source.export), (2, Some(500), None));
        for wrong in [
            "",
            "--export exports/1",
            "--scan --segments 0",
            "--scan --read-units 0",
            "--scan --accept-other-table",
            "--scan --parallel 2",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("--scan --export {uri}")).is_err());
        assert!(parse(&format!("--export {uri} --segments 2")).is_err());
    }

    #[test]
    fn what_was_begun_anew_is_gone_on_with_and_not_begun_again() {
        assert!(how_to_go_on(true).contains("without --anew"));
        assert!(!how_to_go_on(false).contains("--anew"));
    }
}
