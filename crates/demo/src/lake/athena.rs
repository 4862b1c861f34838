//! The lake through Athena.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{QueryExecutionContext, QueryExecutionState, Row};
use tokio::time::{Instant, sleep};

use super::Table;
use crate::deployment::Deployment;

const LOOK_EVERY: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_mins(2);

pub struct Athena {
    client: Client,
    database: String,
    workgroup: String,
}

/// A query that the deployment brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedQuery {
    /// With the environment's name in front.
    pub name: String,
    pub sql: String,
}

impl Athena {
    pub(super) fn of(deployment: &Deployment) -> Result<Self> {
        Ok(Self {
            client: Client::new(&deployment.config),
            database: deployment.output("LakeDatabaseName")?.to_owned(),
            workgroup: deployment.output("LakeWorkgroupName")?.to_owned(),
        })
    }

    /// # Errors
    /// Where the query fails; the error holds Athena's reason.
    pub async fn query(&self, sql: &str) -> Result<Table> {
        let context = QueryExecutionContext::builder().database(&self.database).build();
        let started = self
            .client
            .start_query_execution()
            .work_group(&self.workgroup)
            .query_execution_context(context)
            .query_string(sql)
            .send()
            .await
            .context("StartQueryExecution")?;
        let id = started.query_execution_id.context("a query without an id")?;
        self.until_over(&id).await.with_context(|| format!("the query {sql}"))?;
        let mut rows = Vec::new();
        let mut pages = self.client.get_query_results().query_execution_id(id).into_paginator().send();
        while let Some(page) = pages.next().await {
            rows.extend(
                page.context("GetQueryResults")?.result_set.and_then(|set| set.rows).unwrap_or_default(),
            );
        }
        let mut rows = rows.into_iter().map(values);
        // The first row of a SELECT holds the names (Athena API reference, "GetQueryResults").
        let columns = rows.next().unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect();
        Ok(Table { columns, rows: rows.collect() })
    }

    async fn until_over(&self, id: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            let execution = self.client.get_query_execution().query_execution_id(id).send().await;
            let status = execution.context("GetQueryExecution")?.query_execution.and_then(|it| it.status);
            let status = status.context("a query without a status")?;
            match status.state {
                Some(QueryExecutionState::Succeeded) => return Ok(()),
                Some(QueryExecutionState::Failed | QueryExecutionState::Cancelled) => {
                    bail!("{}", status.state_change_reason.unwrap_or_default())
                }
                _ if started.elapsed() > LIMIT => bail!("it is not over after {LIMIT:?}"),
                _ => sleep(LOOK_EVERY).await,
            }
        }
    }

    /// The queries of the workgroup.
    ///
    /// # Errors
    /// Where Athena does not answer.
    pub async fn named_queries(&self) -> Result<Vec<NamedQuery>> {
        let listed = self.client.list_named_queries().work_group(&self.workgroup).send().await;
        let mut queries = Vec::new();
        for id in listed.context("ListNamedQueries")?.named_query_ids.unwrap_or_default() {
            let found =
                self.client.get_named_query().named_query_id(id).send().await.context("GetNamedQuery")?;
            if let Some(query) = found.named_query {
                queries.push(NamedQuery { name: query.name, sql: query.query_string });
            }
        }
        Ok(queries)
    }

    /// The one whose name ends so.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn named_query(&self, name: &str) -> Result<NamedQuery> {
        let queries = self.named_queries().await?;
        let found = queries.into_iter().find(|query| query.name.ends_with(name));
        found.with_context(|| format!("the workgroup has no query {name}"))
    }
}

fn values(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|datum| datum.var_char_value).collect()
}
