//! HealthLake in the model: versions of one resource, of which the last counts, and jobs, of which one runs at a time.

/// A tick is a minute: the lease is one, the overlap one, and a starter has set out long enough ago after two.
pub type Tick = u8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version {
    pub modified: Tick,
    /// From when an export sees it: at most an overlap later.
    pub visible: Tick,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Job {
    pub run: usize,
    pub since: Option<Tick>,
    /// With the guard against it taken out.
    pub until: Option<Tick>,
    pub submitted: Tick,
    pub is_listed: bool,
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In HealthLake's queue, or at its head.
    Open,
    /// What it wrote: how many versions of the resource there were up to the one that it has; none where the resource had
    /// not changed, or, with `is_whole` false, where its file is missing.
    Done {
        versions: u8,
        is_whole: bool,
    },
    Failed,
    Cancelled,
}

impl Job {
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// What a scan at this time finds: the version that is current, if it was modified in the window.
    pub fn scan(&self, versions: &[Version], now: Tick) -> u8 {
        let current = versions.iter().rposition(|version| version.visible <= now);
        let found = current.filter(|current| {
            versions.get(*current).is_some_and(|version| {
                self.since.is_none_or(|since| version.modified >= since)
                    && self.until.is_none_or(|until| version.modified <= until)
            })
        });
        found.map_or(0, |current| u8::try_from(current + 1).expect("few versions"))
    }
}
