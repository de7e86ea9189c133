//! Lists of anything: common ends, and between them a longest common subsequence.
use std::collections::HashMap;
use std::ops::Range;

use super::tree::NodeId;
use super::writer::PatchWriter;
use super::{Differ, NoPatch};

/// How many cells a table may have; for more, what is between the ends is compared place by place.
const TABLE_CELLS_MAX: usize = 250_000;
/// How many cells of a table cost one step.
const CELLS_PER_STEP: usize = 16;

/// A stretch of the old list that a stretch of the new one takes the place of.
struct Gap {
    old: Range<usize>,
    new: Range<usize>,
}

impl Differ<'_> {
    /// From the back to the front, so that the places before a gap are still those of the old list.
    pub(super) fn sequence(&mut self, olds: &[NodeId], news: &[NodeId]) -> Result<(), NoPatch> {
        for gap in self.gaps(olds, news)?.into_iter().rev() {
            self.fill(gap, olds, news)?;
        }
        Ok(())
    }

    /// Item by item as far as both stretches go, then removals or additions.
    fn fill(&mut self, gap: Gap, olds: &[NodeId], news: &[NodeId]) -> Result<(), NoPatch> {
        let both = gap.old.len().min(gap.new.len());
        for at in (gap.old.start + both..gap.old.end).rev() {
            self.writer.at_index(at, PatchWriter::remove);
        }
        for step in 0..both {
            let (old, new) = (olds[gap.old.start + step], news[gap.new.start + step]);
            self.under_index(gap.old.start + step, |differ| differ.node(old, new))?;
        }
        for step in both..gap.new.len() {
            let new = news[gap.new.start + step];
            self.writer.at_index(gap.old.start + step, |writer| writer.add(new));
        }
        Ok(())
    }

    fn gaps(&mut self, olds: &[NodeId], news: &[NodeId]) -> Result<Vec<Gap>, NoPatch> {
        let (olds, news) = self.numbered(olds, news);
        let shorter = olds.len().min(news.len());
        let head = (0..shorter).take_while(|&at| olds[at] == news[at]).count();
        let tail = (1..=shorter - head)
            .take_while(|&back| olds[olds.len() - back] == news[news.len() - back])
            .count();
        let (old, new) = (head..olds.len() - tail, head..news.len() - tail);
        let cells = old.len() * new.len();
        if cells == 0 || cells > TABLE_CELLS_MAX {
            return Ok(vec![Gap { old, new }]);
        }
        self.spend(cells / CELLS_PER_STEP)?;
        Ok(gaps_between(&olds, old, &news, new))
    }

    /// Items as numbers that are equal where the items are.
    fn numbered(&self, olds: &[NodeId], news: &[NodeId]) -> (Vec<usize>, Vec<usize>) {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut number = |raw| {
            let next = numbers.len();
            *numbers.entry(raw).or_insert(next)
        };
        let olds = olds.iter().map(|&old| number(self.base.raw(old))).collect();
        let news = news.iter().map(|&new| number(self.new.raw(new))).collect();
        (olds, news)
    }
}

/// What is between the items of a longest common subsequence.
fn gaps_between(olds: &[usize], old: Range<usize>, news: &[usize], new: Range<usize>) -> Vec<Gap> {
    let lengths = common_lengths(&olds[old.clone()], &news[new.clone()]);
    let width = new.len() + 1;
    let length = |i: usize, j: usize| lengths[(i - old.start) * width + (j - new.start)];
    let mut gaps = Vec::new();
    let (mut i, mut j) = (old.start, new.start);
    let (mut gap_i, mut gap_j) = (i, j);
    while i < old.end && j < new.end {
        if olds[i] == news[j] {
            gaps.push(Gap { old: gap_i..i, new: gap_j..j });
            (i, j) = (i + 1, j + 1);
            (gap_i, gap_j) = (i, j);
        } else if length(i + 1, j) >= length(i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    gaps.push(Gap { old: gap_i..old.end, new: gap_j..new.end });
    gaps
}

/// For each pair of places, how long the longest common subsequence of what follows is; row by row.
fn common_lengths(olds: &[usize], news: &[usize]) -> Vec<u32> {
    let width = news.len() + 1;
    let mut lengths = vec![0; (olds.len() + 1) * width];
    for i in (0..olds.len()).rev() {
        for j in (0..news.len()).rev() {
            lengths[i * width + j] = if olds[i] == news[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    lengths
}
