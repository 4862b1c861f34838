//! Folders as a tree, for the eye.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Folder;

/// Lines beyond these are counted only.
const LINES: usize = 40;
const WIDTH: usize = 60;

#[derive(Default)]
struct Node<'f> {
    below: BTreeMap<&'f str, Node<'f>>,
    folder: Option<Folder>,
}

/// A line for each folder with files, under the folders that several of them share.
#[must_use]
pub fn tree(title: &str, folders: &BTreeMap<&str, Folder>) -> String {
    let mut root = Node::default();
    for (path, folder) in folders {
        let parts = path.split('/').filter(|part| !part.is_empty());
        let node = parts.fold(&mut root, |node, part| node.below.entry(part).or_default());
        node.folder = Some(*folder);
    }
    let mut lines = vec![format!("{title:<WIDTH$}{:>8}{:>12}", "files", "bytes")];
    write_below(&root, 1, &mut lines);
    let more = lines.len().saturating_sub(LINES);
    let mut text = lines.into_iter().take(LINES).collect::<Vec<_>>().join("\n") + "\n";
    if more > 0 {
        let _ = writeln!(text, "  … {more} lines more");
    }
    text
}

fn write_below(node: &Node<'_>, depth: usize, lines: &mut Vec<String>) {
    for (name, child) in &node.below {
        let (name, child) = joined(name, child);
        let name = format!("{:indent$}{name}", "", indent = depth * 2);
        lines.push(match child.folder {
            Some(Folder { files, bytes }) => format!("{name:<WIDTH$}{files:>8}{bytes:>12}"),
            None => name,
        });
        write_below(child, depth + 1, lines);
    }
}

/// Folders in which there is but one other, together with it.
fn joined<'n, 'f>(name: &str, node: &'n Node<'f>) -> (String, &'n Node<'f>) {
    let (mut name, mut node) = (name.to_owned(), node);
    while let (None, 1, Some((below, child))) = (node.folder, node.below.len(), node.below.iter().next()) {
        name = format!("{name}/{below}");
        node = child;
    }
    (name, node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_folders_stand_above_and_lonely_ones_are_joined() {
        let folder = |files, bytes| Folder { files, bytes };
        let folders = BTreeMap::from([
            ("a=1/year=2026/day=1", folder(2, 10)),
            ("a=2/year=2026/day=1", folder(1, 5)),
            ("a=2/year=2026/day=2", folder(1, 7)),
        ]);
        let expected = [
            format!("{:<60}{:>8}{:>12}", "raw", "files", "bytes"),
            format!("{:<60}{:>8}{:>12}", "  a=1/year=2026/day=1", 2, 10),
            "  a=2/year=2026".to_owned(),
            format!("{:<60}{:>8}{:>12}", "    day=1", 1, 5),
            format!("{:<60}{:>8}{:>12}\n", "    day=2", 1, 7),
        ];
        assert_eq!(tree("raw", &folders), expected.join("\n"));
    }

    #[test]
    fn a_long_tree_is_cut() {
        let names: Vec<String> = (10..90).map(|number| format!("a={number}")).collect();
        let folders = names.iter().map(|name| (name.as_str(), Folder::default())).collect();
        let text = tree("raw", &folders);
        assert_eq!(text.lines().count(), LINES + 1);
        assert!(text.ends_with("  … 41 lines more\n"), "{text}");
    }
}
