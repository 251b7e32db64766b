//! Charts of one line, for any terminal.

use console::{Style, style};

/// One line: what it is, its values from left to right, and the value of a full block.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// `None` where there is nothing to show.
    pub(crate) values: Vec<Option<f64>>,
    pub(crate) full: f64,
    /// What a full block is.
    pub(crate) scale: String,
    /// Values from here on are shown in red.
    pub(crate) alarm: f64,
}

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How wide the names and the scales are.
pub(crate) const MARGIN: usize = 22;
pub(crate) const SCALE: usize = 20;

impl Line {
    pub(crate) fn draw(&self, columns: usize) -> String {
        let (calm, alarm) = (Style::new().cyan(), Style::new().red().bold());
        let cells: String = folded(&self.values, columns)
            .into_iter()
            .map(|value| match value {
                None => " ".to_owned(),
                Some(value) if value >= self.alarm => alarm.apply_to(self.block(value)).to_string(),
                Some(value) => calm.apply_to(self.block(value)).to_string(),
            })
            .collect();
        let empty = " ".repeat(columns.saturating_sub(width(self.values.len(), columns)));
        format!("{:<MARGIN$}{cells}{empty} {}", self.name, style(format!("█ = {}", self.scale)).dim())
    }

    fn block(&self, value: f64) -> char {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 7")]
        let height = (value / self.full.max(f64::MIN_POSITIVE) * 8.0).ceil().clamp(1.0, 8.0) as usize - 1;
        BLOCKS.get(height).copied().unwrap_or('█')
    }
}

/// How many looks stand in one column.
pub(crate) fn looks_in_column(looks: usize, columns: usize) -> usize {
    looks.div_ceil(columns.max(1)).max(1)
}

fn width(looks: usize, columns: usize) -> usize {
    looks.div_ceil(looks_in_column(looks, columns))
}

/// The largest value of each column.
fn folded(values: &[Option<f64>], columns: usize) -> Vec<Option<f64>> {
    let largest = |values: &[Option<f64>]| values.iter().copied().flatten().reduce(f64::max);
    values.chunks(looks_in_column(values.len(), columns)).map(largest).collect()
}
