//! The resources of one data store, with the versions that an export may still meet.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::stored_resource::StoredResource;

/// By type, then by id: the order in which an export lists them.
#[derive(Default)]
pub(crate) struct Store {
    types: BTreeMap<String, BTreeMap<String, History>>,
}

/// Oldest first. Reads see the last version, exports the last of those that are visible to them.
#[derive(Default)]
struct History {
    versions: Vec<Version>,
}

struct Version {
    number: u64,
    visible_from: Instant,
    /// `None` for a deletion.
    resource: Option<Arc<StoredResource>>,
}

/// What a read finds.
pub(crate) enum Found {
    Resource(Arc<StoredResource>),
    Deleted,
    Nothing,
}

impl Store {
    /// The number that the next version of a resource has. A deletion counts as one, and a resource that is created
    /// again goes on counting.
    pub(crate) fn next_version(&self, resource_type: &str, id: &str) -> u64 {
        self.history(resource_type, id)
            .and_then(|history| history.versions.last())
            .map_or(1, |it| it.number + 1)
    }

    pub(crate) fn put(&mut self, number: u64, visible_from: Instant, resource: Arc<StoredResource>) {
        let histories = self.types.entry(resource.resource_type.clone()).or_default();
        let history = histories.entry(resource.id.clone()).or_default();
        history.push(Version { number, visible_from, resource: Some(resource) });
    }

    /// Forgets what the resource was before.
    pub(crate) fn load(&mut self, resource: Arc<StoredResource>) {
        let histories = self.types.entry(resource.resource_type.clone()).or_default();
        let id = resource.id.clone();
        let version = Version { number: 1, visible_from: Instant::now(), resource: Some(resource) };
        histories.insert(id, History { versions: vec![version] });
    }

    /// Tells whether there was anything to delete.
    pub(crate) fn delete(&mut self, resource_type: &str, id: &str, visible_from: Instant) -> bool {
        if !matches!(self.read(resource_type, id), Found::Resource(_)) {
            return false;
        }
        let number = self.next_version(resource_type, id);
        if let Some(history) = self.types.get_mut(resource_type).and_then(|histories| histories.get_mut(id)) {
            history.push(Version { number, visible_from, resource: None });
        }
        true
    }

    pub(crate) fn read(&self, resource_type: &str, id: &str) -> Found {
        match self.history(resource_type, id).and_then(|history| history.versions.last()) {
            Some(Version { resource: Some(resource), .. }) => Found::Resource(resource.clone()),
            Some(Version { resource: None, .. }) => Found::Deleted,
            None => Found::Nothing,
        }
    }

    pub(crate) fn resource_types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The resources of a type in the versions that an export sees at that moment.
    pub(crate) fn visible(
        &self,
        resource_type: &str,
        at: Instant,
    ) -> impl Iterator<Item = &Arc<StoredResource>> {
        self.types
            .get(resource_type)
            .into_iter()
            .flatten()
            .filter_map(move |(_, history)| history.visible(at))
    }

    fn history(&self, resource_type: &str, id: &str) -> Option<&History> {
        self.types.get(resource_type)?.get(id)
    }
}

impl History {
    /// Versions before the one that is visible now are gone: nobody can meet them any more.
    fn push(&mut self, version: Version) {
        let now = Instant::now();
        let first = self.versions.iter().rposition(|earlier| earlier.visible_from <= now).unwrap_or(0);
        self.versions.drain(..first);
        self.versions.push(version);
    }

    fn visible(&self, at: Instant) -> Option<&Arc<StoredResource>> {
        let version = self.versions.iter().rev().find(|version| version.visible_from <= at)?;
        version.resource.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::stored_resource::Draft;
    use super::*;

    fn resource(id: &str, note: &str) -> Arc<StoredResource> {
        let text = format!(r#"{{"resourceType":"Patient","id":"{id}","note":"{note}"}}"#);
        Arc::new(Draft::parse(&text).unwrap().finish().unwrap())
    }

    fn notes(store: &Store, at: Instant) -> Vec<String> {
        let note = |line: &str| line.split('"').nth(11).unwrap().to_owned();
        store.visible("Patient", at).map(|resource| note(&resource.line)).collect()
    }

    #[test]
    fn an_export_sees_the_last_version_that_is_visible() {
        let now = Instant::now();
        let later = now + Duration::from_secs(90);
        let mut store = Store::default();
        store.put(store.next_version("Patient", "1"), now, resource("1", "first"));
        assert_eq!(notes(&store, Instant::now()), ["first"]);
        store.put(store.next_version("Patient", "1"), later, resource("1", "second"));
        store.put(store.next_version("Patient", "2"), later, resource("2", "other"));
        assert_eq!(notes(&store, Instant::now()), ["first"], "the second version is not visible yet");
        assert_eq!(notes(&store, later), ["second", "other"]);
        assert!(matches!(store.read("Patient", "1"), Found::Resource(it) if it.line.contains("second")));
    }

    #[test]
    fn a_deletion_is_a_version_that_no_export_has() {
        let now = Instant::now();
        let mut store = Store::default();
        assert!(!store.delete("Patient", "1", now));
        store.put(1, now, resource("1", "first"));
        assert!(store.delete("Patient", "1", now));
        assert!(!store.delete("Patient", "1", now));
        assert!(notes(&store, Instant::now()).is_empty());
        assert!(matches!(store.read("Patient", "1"), Found::Deleted));
        assert!(matches!(store.read("Patient", "2"), Found::Nothing));
        assert_eq!(store.next_version("Patient", "1"), 3);
    }

    #[test]
    fn versions_that_nobody_can_meet_are_forgotten() {
        let now = Instant::now();
        let mut store = Store::default();
        for number in 1..=100 {
            store.put(number, now, resource("1", "x"));
        }
        assert!(store.history("Patient", "1").unwrap().versions.len() <= 2);
        store.load(resource("1", "loaded"));
        assert_eq!(store.next_version("Patient", "1"), 2);
        assert_eq!(notes(&store, Instant::now()), ["loaded"]);
    }
}
