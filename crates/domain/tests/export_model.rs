//! A model of the export protocol, checked over every state that it can reach.
//!
//! `model/system.rs` has the world around the decisions: executions, messages, HealthLake and its queue, clocks and
//! faults. What a run may do is decided there by the functions of `domain::export` themselves. `model/guard.rs` lists the
//! guards; each is taken out once, and the checker has to find the way in which that loses a change or a cursor.
//!
//! `cargo test -p domain --test export_model -- --nocapture` prints how many states were reached.

#![expect(clippy::print_stdout, reason = "how large the model is has to be told")]

mod model;

use std::collections::BTreeSet;

use model::guard::Guard;
use model::system::{Bounds, EXPECTED_TO_HAPPEN, System};
use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// One run that everything happens to, two that meet, three that follow each other.
const WORLDS: [Bounds; 3] = [
    Bounds { runs: 1, ticks: 3, writes: 1, faults: 3 },
    Bounds { runs: 2, ticks: 3, writes: 1, faults: 1 },
    Bounds { runs: 3, ticks: 2, writes: 1, faults: 0 },
];

#[test]
fn model_i4_i5_hold_over_every_reachable_state() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut shown = BTreeSet::new();
    for bounds in WORLDS {
        let checker = System { bounds, without: None }.checker().threads(threads).spawn_dfs().join();
        println!(
            "{bounds:?}: {} states, reached on {} ways",
            checker.unique_state_count(),
            checker.state_count()
        );
        for property in checker.model().properties() {
            match (property.expectation, checker.discovery(property.name)) {
                (Expectation::Sometimes, Some(_)) => drop(shown.insert(property.name)),
                (_, None) => (),
                (_, Some(path)) => panic!("{:?} breaks: {:?}", property.name, path.into_actions()),
            }
        }
    }
    // A world in which nothing happens would keep every promise.
    assert_eq!(shown, BTreeSet::from(EXPECTED_TO_HAPPEN));
}

/// A guard that nothing depends on would be found here: its absence has to break the property that it is for.
#[test]
fn model_every_guard_is_needed() {
    for guard in Guard::ALL {
        let bounds = guard.shown_within();
        let checker = System { bounds, without: Some(guard) }
            .checker()
            .finish_when(HasDiscoveries::AnyOf([guard.property()].into()))
            .spawn_bfs()
            .join();
        let property = guard.property();
        let path = checker.discovery(property);
        let path = path.unwrap_or_else(|| panic!("without {guard:?}, {property:?} still holds"));
        let steps: Vec<String> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        println!("without {guard:?}, {property:?} breaks after {} steps: {}", steps.len(), steps.join(", "));
    }
}
