//! The lines that differ between two texts, as people read them before they sign: with every hidden character visible.
//! Imports domain.

use crate::domain::text::visible;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;
/// The column of the `-` or `+`.
pub const MARK: usize = 4;
/// The largest table of the comparison; beyond it the whole middle is shown as taken away and put in.
const CELLS: usize = 4_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The differing lines with some around them, `-` and `+` in front; empty where the texts are the same.
pub fn diff(old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let lines = compare(&old, &new);
    let changed: Vec<usize> =
        lines.iter().enumerate().filter_map(|(at, line)| (!matches!(line, Line::Same(_))).then_some(at)).collect();
    let mut out = String::new();
    let mut shown = 0;
    for (at, line) in lines.iter().enumerate() {
        let after = changed.partition_point(|change| *change < at.saturating_sub(CONTEXT));
        let near = changed.get(after).is_some_and(|change| *change <= at.saturating_add(CONTEXT));
        if !near {
            continue;
        }
        if at > shown {
            out.push_str("      …\n");
        }
        shown = at.saturating_add(1);
        let (mark, text) = match line {
            Line::Same(text) => (' ', text),
            Line::Gone(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        let (text, end) = match text.strip_suffix('\n') {
            Some(text) => (text, ""),
            None => (*text, "  (no end of line)"),
        };
        out.push_str(&format!("    {mark} {}{end}\n", visible(text)));
    }
    out
}

/// A longest common subsequence, the same beginnings and ends taken off first.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (start, old) = old.split_at(head);
    let (_, new) = new.split_at(head);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, end) = old.split_at(old.len().saturating_sub(tail));
    let (new, _) = new.split_at(new.len().saturating_sub(tail));
    let mut lines: Vec<Line<'a>> = start.iter().map(|line| Line::Same(line)).collect();
    lines.extend(middle(old, new));
    lines.extend(end.iter().map(|line| Line::Same(line)));
    lines
}

fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let width = new.len().saturating_add(1);
    let cells = old.len().saturating_add(1).saturating_mul(width);
    if cells > CELLS {
        return old.iter().map(|line| Line::Gone(line)).chain(new.iter().map(|line| Line::New(line))).collect();
    }
    // lengths[i][j]: how many lines the rests from i and j have in common.
    let mut lengths = vec![0_u32; cells];
    let at = |i: usize, j: usize| i.saturating_mul(width).saturating_add(j);
    for (i, before) in old.iter().enumerate().rev() {
        for (j, after) in new.iter().enumerate().rev() {
            let look = |cell: usize| lengths.get(cell).copied().unwrap_or(0);
            let length = if before == after {
                look(at(i.saturating_add(1), j.saturating_add(1))).saturating_add(1)
            } else {
                look(at(i.saturating_add(1), j)).max(look(at(i, j.saturating_add(1))))
            };
            if let Some(cell) = lengths.get_mut(at(i, j)) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j) = (0_usize, 0_usize);
    let mut lines = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => return lines,
            (Some(before), Some(after)) if before == after => {
                lines.push(Line::Same(before));
                (i, j) = (i.saturating_add(1), j.saturating_add(1));
            }
            (Some(before), after)
                if after.is_none()
                    || lengths.get(at(i.saturating_add(1), j)) >= lengths.get(at(i, j.saturating_add(1))) =>
            {
                lines.push(Line::Gone(before));
                i = i.saturating_add(1);
            }
            (_, Some(after)) => {
                lines.push(Line::New(after));
                j = j.saturating_add(1);
            }
            (Some(_), None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_is_shown_with_a_little_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\n";
        let new = "a\nb\nc\nd\nE\u{202e}\nf\ng\nh\ni\nj";
        let told = diff(old, new);
        let expected = "      …\n      b\n      c\n      d\n    - e\n    + E\\u{202e}\n      f\n      g\n      h\n      i\n    + j  (no end of line)\n";
        assert_eq!(told, expected);
        assert_eq!(diff(old, old), "");
        assert_eq!(diff("", "x\n"), "    + x\n");
        assert_eq!(diff("x\n", "x\r\n"), "    - x\n    + x\\u{d}\n");
    }

    proptest! {
        /// Nothing is lost: the marked lines give both texts back.
        #[test]
        fn both_texts_can_be_read_from_it(old in "([abc]\n){0,12}", new in "([abc]\n){0,12}") {
            let (a, b): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
            let lines = compare(&a, &b);
            let before: String = lines.iter().filter_map(|line| match line { Line::Same(t) | Line::Gone(t) => Some(*t), Line::New(_) => None }).collect();
            let after: String = lines.iter().filter_map(|line| match line { Line::Same(t) | Line::New(t) => Some(*t), Line::Gone(_) => None }).collect();
            prop_assert_eq!(before, old);
            prop_assert_eq!(after, new);
        }
    }
}
