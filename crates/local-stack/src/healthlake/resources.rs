//! What may be done to the resources of a data store.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::faults::{FaultKind, Operation};
use super::outcome::Refusal;
use super::state::{HealthLake, State};
use super::store::Found;
use super::stored_resource::{Draft, InvalidResource, StoredResource};

/// Which versions and times the resources have that are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadedMeta {
    /// Version 1, of this moment.
    New,
    /// What is in the text.
    Kept,
}

/// A resource after a write.
pub(crate) struct Written {
    pub resource: Arc<StoredResource>,
    pub is_new: bool,
}

impl HealthLake {
    /// Under an id of the server's choice.
    pub(crate) fn create(
        &self,
        datastore_id: &str,
        resource_type: &str,
        text: &str,
    ) -> Result<Written, Refusal> {
        let mut draft = draft(resource_type, text)?;
        draft.set_id(&format!("{:032x}", fastrand::u128(..)));
        self.write(datastore_id, draft)
    }

    /// Under the id of the address, whether there is such a resource or not.
    pub(crate) fn update(
        &self,
        datastore_id: &str,
        resource_type: &str,
        id: &str,
        text: &str,
    ) -> Result<Written, Refusal> {
        let draft = draft(resource_type, text)?;
        if draft.id().map_err(invalid)? != id {
            return Err(Refusal::invalid("The id of the resource is not that of the address."));
        }
        self.write(datastore_id, draft)
    }

    fn write(&self, datastore_id: &str, mut draft: Draft<'_>) -> Result<Written, Refusal> {
        let id = draft.id().map_err(invalid)?;
        let mut state = self.state();
        let now = state.now(datastore_id);
        let store = &state.datastore(datastore_id).store;
        let is_new = !matches!(store.read(&draft.resource_type, &id), Found::Resource(_));
        let number = store.next_version(&draft.resource_type, &id);
        draft.stamp(number, now).map_err(invalid)?;
        let resource = Arc::new(draft.finish().map_err(invalid)?);
        let visible_from = visible_from(&mut state, datastore_id);
        state.datastore(datastore_id).store.put(number, visible_from, resource.clone());
        Ok(Written { resource, is_new })
    }

    pub(crate) fn delete(&self, datastore_id: &str, resource_type: &str, id: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let visible_from = visible_from(&mut state, datastore_id);
        let is_deleted = state.datastore(datastore_id).store.delete(resource_type, id, visible_from);
        is_deleted.then_some(()).ok_or_else(no_resource)
    }

    pub(crate) fn read(
        &self,
        datastore_id: &str,
        resource_type: &str,
        id: &str,
    ) -> Result<Arc<StoredResource>, Refusal> {
        match self.state().datastore(datastore_id).store.read(resource_type, id) {
            Found::Resource(resource) => Ok(resource),
            Found::Deleted => Err(Refusal::Deleted),
            Found::Nothing => Err(no_resource()),
        }
    }

    /// Takes a file of resources, one on a line, over what is there under their ids; all of them or none.
    pub(crate) fn load(&self, datastore_id: &str, ndjson: &str, meta: LoadedMeta) -> Result<usize, Refusal> {
        let now = self.state().now(datastore_id);
        let resources = ndjson
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(position, line)| {
                let loaded = || {
                    let mut draft = Draft::parse(line)?;
                    if meta == LoadedMeta::New {
                        draft.stamp(1, now)?;
                    }
                    draft.finish().map(Arc::new)
                };
                loaded().map_err(|reason| {
                    Refusal::invalid(format!("Line {} is no resource: {reason}.", position + 1))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let count = resources.len();
        let mut state = self.state();
        let store = &mut state.datastore(datastore_id).store;
        for resource in resources {
            store.load(resource);
        }
        Ok(count)
    }
}

fn draft<'t>(resource_type: &str, text: &'t str) -> Result<Draft<'t>, Refusal> {
    let draft = Draft::parse(text).map_err(invalid)?;
    if draft.resource_type != resource_type {
        return Err(Refusal::invalid("The type of the resource is not that of the address."));
    }
    Ok(draft)
}

fn invalid(reason: InvalidResource) -> Refusal {
    Refusal::invalid(format!("This is no resource: {reason}."))
}

fn no_resource() -> Refusal {
    Refusal::NotFound("There is no such resource.".to_owned())
}

/// When a write of this moment becomes visible to exports.
fn visible_from(state: &mut State, datastore_id: &str) -> Instant {
    let late = state.faults.take(datastore_id, Operation::Write, |kind| match kind {
        FaultKind::LateVisibility { milliseconds } => Some(Duration::from_millis(*milliseconds)),
        _ => None,
    });
    Instant::now() + late.unwrap_or_default()
}
