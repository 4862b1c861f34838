//! The exported file. It is as large as wanted and held nowhere: every part of it follows from its offset.

use bytes::Bytes;

/// Stands in the templates where a line's number will. All numbers have as many digits, so that a line's length does
/// not depend on its number.
const NUMBER: &str = "000000000";
const ID_PREFIX: &str = "line-";
/// Where a template is filled up until the line, with its line feed, has its size.
const FILLING: &str = "@";

/// Sizes and templates of the lines, in turn: 1,024 bytes on average. Three, so that a file of a round number of lines is
/// not cut into ranges where lines end.
const LINES: [(usize, &str); 3] = [
    (
        903,
        r#"{"resourceType":"Patient","id":"line-000000000","meta":{"versionId":"3","lastUpdated":"2026-11-22T07:14:00.123Z"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">@</div>"},"identifier":[{"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Medical Record Number"}]},"system":"urn:example:mrn","value":"000417"}],"active":true,"name":[{"use":"official","family":"Sample-Ünal","given":["Zoë","José"]}],"telecom":[{"system":"phone","value":"555-0100","use":"home"}],"gender":"female","birthDate":"1980-03-17","address":[{"use":"home","line":["1 Sample Street"],"city":"Sampleton","postalCode":"00000","country":"US"}]}"#,
    ),
    (
        1_151,
        r#"{"resourceType":"Observation","id":"line-000000000","meta":{"versionId":"1","lastUpdated":"2026-11-22T07:14:01.004Z"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">@</div>"},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body Height"}],"text":"Body Height"},"subject":{"reference":"Patient/sample-1"},"encounter":{"reference":"Encounter/sample-1"},"effectiveDateTime":"2026-11-22T07:10:00+01:00","issued":"2026-11-22T07:10:00.000+01:00","valueQuantity":{"value":171.10,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}}"#,
    ),
    (
        1_018,
        r#"{"resourceType":"Encounter","id":"line-000000000","meta":{"versionId":"2","lastUpdated":"2026-11-22T07:14:02.250Z"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">@</div>"},"status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"type":[{"coding":[{"system":"http://snomed.info/sct","code":"185347001","display":"Encounter for problem (procedure)"}],"text":"Encounter for problem (procedure)"}],"subject":{"reference":"Patient/sample-1"},"participant":[{"individual":{"reference":"Practitioner/sample-1"}}],"period":{"start":"2026-11-22T07:00:00+01:00","end":"2026-11-22T07:15:00+01:00"},"serviceProvider":{"reference":"Organization/sample-1"}}"#,
    ),
];

/// Long lines, in turn: how many of each size. Of the first, each takes almost a request of its own, and they are more than may be
/// under way at once when the others come. Those go through S3, and are more than one request refers to. The last are the
/// longest that are held (`src/lines.rs`).
const LONG_LINES: [(usize, usize); 3] = [(20, 250_000), (12, 1_000_000), (12, 8 * 1024 * 1024 + 1)];
/// How often they come: the file has four ranges, and is cut within lines of both the larger sizes.
const TIMES_OF_LONG_LINES: u64 = 2;

pub struct NdjsonFile {
    /// One line of each template; the file repeats it with other numbers.
    block: Vec<u8>,
    lines: Vec<LineOfBlock>,
    resources: u64,
}

/// In bytes from the block's beginning.
struct LineOfBlock {
    start: usize,
    number: usize,
}

impl NdjsonFile {
    /// Of resources as they usually are.
    pub fn of(resources: u64) -> Self {
        Self::repeating(&LINES, resources)
    }

    pub fn of_long_lines() -> Self {
        let [(_, template), ..] = LINES;
        let lines = LONG_LINES.iter().flat_map(|(count, bytes)| vec![(*bytes, template); *count]);
        let lines: Vec<_> = lines.collect();
        Self::repeating(&lines, TIMES_OF_LONG_LINES * lines.len() as u64)
    }

    fn repeating(templates: &[(usize, &str)], resources: u64) -> Self {
        let mut block = Vec::new();
        let mut lines = Vec::new();
        for &(bytes, template) in templates {
            let filling = (bytes - 1).saturating_sub(template.len() - FILLING.len());
            let line = template.replace(FILLING, &"x".repeat(filling));
            assert_eq!(line.len() + 1, bytes, "a template is larger than its line");
            let number = line.find(NUMBER).expect("a template has a number");
            lines.push(LineOfBlock { start: block.len(), number: block.len() + number });
            block.extend_from_slice(line.as_bytes());
            block.push(b'\n');
        }
        Self { block, lines, resources }
    }

    pub fn bytes(&self) -> u64 {
        self.offset_of(self.resources)
    }

    /// How many lines start before an offset.
    pub fn lines_before(&self, offset: u64) -> u64 {
        let (block, within) = (offset / self.block_bytes(), offset % self.block_bytes());
        let started = self.lines.iter().filter(|line| (line.start as u64) < within).count();
        block * self.lines.len() as u64 + started as u64
    }

    /// The line of a number, without its line feed.
    pub fn line(&self, number: u64) -> Bytes {
        self.part(self.offset_of(number), self.offset_of(number + 1) - 1)
    }

    pub fn part(&self, start: u64, end: u64) -> Bytes {
        let mut part = Vec::with_capacity(to_usize(end - start));
        let mut offset = start;
        while offset < end {
            let (block, within) = (offset / self.block_bytes(), to_usize(offset % self.block_bytes()));
            let of_block = within..self.block.len().min(within + to_usize(end - offset));
            offset += of_block.len() as u64;
            let begin = part.len();
            part.extend_from_slice(&self.block[of_block.clone()]);
            for (position, line) in self.lines.iter().enumerate() {
                // The part may begin or end within a number.
                if line.number + NUMBER.len() <= of_block.start || line.number >= of_block.end {
                    continue;
                }
                let number = block * self.lines.len() as u64 + position as u64;
                for (at, digit) in (line.number..).zip(format!("{number:09}").bytes()) {
                    if of_block.contains(&at) {
                        part[begin + at - within] = digit;
                    }
                }
            }
        }
        Bytes::from(part)
    }

    fn offset_of(&self, number: u64) -> u64 {
        let lines = self.lines.len() as u64;
        number / lines * self.block_bytes() + self.lines[to_usize(number % lines)].start as u64
    }

    fn block_bytes(&self) -> u64 {
        self.block.len() as u64
    }
}

/// The number of a line, from its resource's id.
pub fn number_of(resource_id: &str) -> Option<u64> {
    resource_id.strip_prefix(ID_PREFIX)?.parse().ok()
}

pub fn to_usize(number: u64) -> usize {
    usize::try_from(number).expect("a file is no larger than an address space")
}
