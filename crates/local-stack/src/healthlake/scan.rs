//! Which versions an export takes.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::export_request::{Filter, Scope};
use super::store::{Found, Store};
use super::stored_resource::StoredResource;

/// A scan that has begun: types and members of a group are settled, the resources are read type by type.
pub(crate) struct Scan {
    filter: Filter,
    pub resource_types: Vec<String>,
    /// `None` for whoever it is.
    patients: Option<HashSet<String>>,
}

impl Scan {
    pub(crate) fn begin(store: &Store, filter: &Filter) -> Self {
        let resource_types = match filter.resource_types.as_slice() {
            [] => store.resource_types().map(str::to_owned).collect(),
            named => named.to_vec(),
        };
        let patients = match &filter.scope {
            Scope::System | Scope::Patient => None,
            Scope::Group { group_id } => Some(match store.read("Group", group_id) {
                Found::Resource(group) => group.group_members().into_iter().collect(),
                Found::Deleted | Found::Nothing => HashSet::new(),
            }),
        };
        Self { filter: filter.clone(), resource_types, patients }
    }

    /// The versions of a type that are current, and visible, as the scan meets them.
    pub(crate) fn read(&self, store: &Store, resource_type: &str) -> Vec<Arc<StoredResource>> {
        store
            .visible(resource_type, Instant::now())
            .filter(|resource| self.is_wanted(resource))
            .cloned()
            .collect()
    }

    fn is_wanted(&self, resource: &StoredResource) -> bool {
        let Filter { scope, since, until, tags, security, .. } = &self.filter;
        // A resource without lastUpdated is later than any _since and later than any _until (developer guide,
        // "Exporting HealthLake data with FHIR $export").
        let is_late_enough =
            since.is_none_or(|since| resource.last_updated.is_none_or(|updated| updated >= since));
        let is_early_enough =
            until.is_none_or(|until| resource.last_updated.is_some_and(|updated| updated <= until));
        let is_in_scope = match scope {
            Scope::System => true,
            Scope::Patient | Scope::Group { .. } => self.belongs_to_patients(resource),
        };
        is_late_enough
            && is_early_enough
            && is_in_scope
            && tags.iter().all(|token| resource.tags.iter().any(|coding| token.matches(coding)))
            && security.iter().all(|token| resource.security.iter().any(|coding| token.matches(coding)))
    }

    fn belongs_to_patients(&self, resource: &StoredResource) -> bool {
        let is_wanted = |id: &String| self.patients.as_ref().is_none_or(|patients| patients.contains(id));
        match resource.resource_type.as_str() {
            "Patient" => is_wanted(&resource.id),
            _ => resource.patients.iter().any(is_wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stored_resource::Draft;
    use super::*;

    fn store() -> Store {
        let mut store = Store::default();
        for line in [
            r#"{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2026-01-01T00:00:00Z"}}"#,
            r#"{"resourceType":"Patient","id":"p2","meta":{"lastUpdated":"2026-01-02T00:00:00Z",
                "tag":[{"system":"s","code":"a"},{"system":"t","code":"b"}]}}"#,
            r#"{"resourceType":"Patient","id":"p3"}"#,
            r#"{"resourceType":"Observation","id":"o1","subject":{"reference":"Patient/p1"}}"#,
            r#"{"resourceType":"Observation","id":"o2","subject":{"reference":"Patient/p2"},
                "meta":{"security":[{"system":"s","code":"a"}]}}"#,
            r#"{"resourceType":"Observation","id":"o3"}"#,
            r#"{"resourceType":"Group","id":"g1","member":[{"entity":{"reference":"Patient/p2"}}]}"#,
        ] {
            store.load(Arc::new(Draft::parse(line).unwrap().finish().unwrap()));
        }
        store
    }

    fn exported(scope: Scope, query: &str) -> Vec<String> {
        let store = store();
        let filter = Filter::parse(scope, form_urlencoded::parse(query.as_bytes())).unwrap();
        let scan = Scan::begin(&store, &filter);
        let read = |resource_type: &String| scan.read(&store, resource_type);
        scan.resource_types.iter().flat_map(read).map(|resource| resource.id.clone()).collect()
    }

    #[test]
    fn a_scan_takes_what_the_request_wants() {
        let group = || Scope::Group { group_id: "g1".to_owned() };
        let cases: [(Scope, &str, &[&str]); 14] = [
            (Scope::System, "", &["g1", "o1", "o2", "o3", "p1", "p2", "p3"]),
            (Scope::System, "_type=Patient", &["p1", "p2", "p3"]),
            (Scope::System, "_type=Patient,Observation", &["p1", "p2", "p3", "o1", "o2", "o3"]),
            (Scope::System, "_type=Device", &[]),
            (Scope::System, "_type=Patient&_since=2026-01-02T00:00:00Z", &["p2", "p3"]),
            (Scope::System, "_type=Patient&_since=2026-01-02T00:00:00.001Z", &["p3"]),
            (Scope::System, "_type=Patient&_until=2026-01-01T00:00:00Z", &["p1"]),
            (Scope::System, "_tag=s%7Ca", &["p2"]),
            (Scope::System, "_tag=s%7C&_tag=t%7Cb", &["p2"]),
            (Scope::System, "_tag=s%7Ca&_tag=t%7Cc", &[]),
            (Scope::System, "_security=s%7Ca", &["o2"]),
            (Scope::Patient, "", &["o1", "o2", "p1", "p2", "p3"]),
            (group(), "", &["o2", "p2"]),
            (Scope::Group { group_id: "g2".to_owned() }, "", &[]),
        ];
        for (scope, query, expected) in cases {
            assert_eq!(exported(scope.clone(), query), expected, "{scope:?} {query}");
        }
    }
}
