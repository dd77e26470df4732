//! A unified diff of two small texts, as `diff -u` writes it. Imports nothing.

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The diff; an absent `old` is `/dev/null`. Empty where nothing differs.
pub fn unified(path: &str, old: Option<&str>, new: &str) -> String {
    let before: Vec<&str> = old.unwrap_or_default().lines().collect();
    let after: Vec<&str> = new.lines().collect();
    let script = script(&before, &after);
    if script.iter().all(|(sign, _)| *sign == ' ') {
        return String::new();
    }
    let from = if old.is_some() { path } else { "/dev/null" };
    let mut out = format!("--- {from}\n+++ {path}\n");
    let near = |at: usize| {
        let span = script.get(at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(script.len())).unwrap_or_default();
        span.iter().any(|(sign, _)| *sign != ' ')
    };
    let (mut old_line, mut new_line, mut at) = (1, 1, 0);
    while at < script.len() {
        if !near(at) {
            (old_line, new_line, at) = (old_line + 1, new_line + 1, at + 1);
            continue;
        }
        let end = (at..script.len()).find(|at| !near(*at)).unwrap_or(script.len());
        let hunk = script.get(at..end).unwrap_or_default();
        let count = |other: char| hunk.iter().filter(|(sign, _)| *sign != other).count();
        let (olds, news) = (count('+'), count('-'));
        // An empty side stands before its first line.
        let start = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
        out.push_str(&format!("@@ -{},{olds} +{},{news} @@\n", start(old_line, olds), start(new_line, news)));
        for (sign, line) in hunk {
            out.push_str(&format!("{sign}{line}\n"));
        }
        (old_line, new_line, at) = (old_line + olds, new_line + news, end);
    }
    out
}

/// Every line of both, in order: kept (` `), gone (`-`), new (`+`). By the longest common subsequence; the files are small.
fn script<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(char, &'a str)> {
    // lengths[i][j]: the longest common subsequence of what follows i and j.
    let mut lengths = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    let at = |lengths: &[Vec<usize>], i: usize, j: usize| {
        lengths.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default()
    };
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let length = if old == new {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    loop {
        match (before.get(i), after.get(j)) {
            (Some(old), Some(new)) if old == new => {
                out.push((' ', *old));
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new) if new.is_none() || at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) => {
                out.push(('-', *old));
                i += 1;
            }
            (_, Some(new)) => {
                out.push(('+', *new));
                j += 1;
            }
            (_, None) => return out,
        }
    }
}
