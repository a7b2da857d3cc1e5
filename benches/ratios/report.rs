//! The table and the plot that a run leaves behind.

use std::fmt::Write as _;
use std::path::Path;

/// What a row is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aim {
    /// Nothing: the row shows where the time goes.
    Open,
    /// A ratio of at least this.
    AtLeast(f64),
    /// A ratio of at most this.
    AtMost(f64),
    /// A figure of our own of at least this, whatever the reference is.
    OursAtLeast(f64),
    /// A figure of our own of at most this, whatever the reference is.
    OursAtMost(f64),
}

impl Aim {
    /// Near the reference, for what costs: more is worse.
    pub(crate) const NEAR_COST: Self = Self::AtMost(1.5);
    /// Near the reference, for rates: less is worse.
    pub(crate) const NEAR_RATE: Self = Self::AtLeast(0.67);

    /// Says whether a row has met its aim.
    fn verdict(self, ours: f64, ratio: f64) -> &'static str {
        let met = match self {
            Self::Open => return "",
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
            Self::OursAtLeast(least) => ours >= least,
            Self::OursAtMost(most) => ours <= most,
        };
        if met { "met" } else { "short" }
    }

    /// The aim in words; `unit` is that of our figure.
    fn words(self, unit: &str) -> String {
        let quantity = |value: f64| format!("{value} {unit}").trim_end().to_owned();
        match self {
            Self::Open => String::new(),
            Self::AtLeast(least) => format!("at least {least}"),
            Self::AtMost(most) => format!("at most {most}"),
            Self::OursAtLeast(least) => format!("at least {}", quantity(least)),
            Self::OursAtMost(most) => format!("at most {}", quantity(most)),
        }
    }
}

/// One measured ratio beside the aim it is held against.
pub(crate) struct Row {
    /// What was measured.
    pub name: String,
    /// Our own figure, with its unit.
    pub ours: String,
    /// The figure it is set against, with its unit.
    pub reference: String,
    /// Ours over the reference.
    pub ratio: f64,
    /// The aim in words, empty if there is none.
    pub aim: String,
    /// Whether it was met, empty if there is no aim.
    pub verdict: &'static str,
}

/// Every row of a run, in order.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a row and prints it at once, so that a long run shows progress.
    pub(crate) fn row(
        &mut self,
        name: impl Into<String>,
        ours: (f64, &str),
        reference: (f64, &str),
        aim: Aim,
    ) {
        let ratio = ours.0 / reference.0;
        let row = Row {
            name: name.into(),
            ours: quantity(ours),
            reference: quantity(reference),
            ratio,
            aim: aim.words(ours.1),
            verdict: aim.verdict(ours.0, ratio),
        };
        println!(
            "{:<58} {:>18} {:>22} {:>9.3}  {:<5} {}",
            row.name, row.ours, row.reference, row.ratio, row.verdict, row.aim
        );
        self.rows.push(row);
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        println!("  {text}");
        self.notes.push(text);
    }

    /// Writes the table as Markdown and the ratios as an SVG plot.
    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut text = String::from(
            "| measured | ours | reference | ratio | aim | |\n|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.3} | {} | {} |",
                row.name, row.ours, row.reference, row.ratio, row.aim, row.verdict
            );
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        std::fs::write(folder.join("bench.md"), text)?;
        std::fs::write(folder.join("bench.svg"), self.plot())
    }

    /// Bars on a logarithmic axis from a thousandth to a thousand, with a line at parity.
    fn plot(&self) -> String {
        const BAR: usize = 22;
        const LEFT: f64 = 430.0;
        const WIDTH: f64 = 420.0;
        let place = |ratio: f64| LEFT + WIDTH * (ratio.clamp(1e-3, 1e3).log10() + 3.0) / 6.0;
        let height = self.rows.len() * BAR + 40;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        );
        for (index, row) in self.rows.iter().enumerate() {
            let top = 20 + index * BAR;
            let (from, to) = (
                place(1.0).min(place(row.ratio)),
                place(1.0).max(place(row.ratio)),
            );
            let _ = writeln!(
                svg,
                "<text x=\"420\" y=\"{}\" text-anchor=\"end\">{}</text><rect x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"14\" fill=\"#3b6ea8\"/><text x=\"{:.1}\" y=\"{}\">{:.3}</text>",
                top + 12,
                row.name.replace('&', "&amp;").replace('<', "&lt;"),
                (to - from).max(1.0),
                to + 6.0,
                top + 12,
                row.ratio
            );
        }
        let parity = place(1.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{parity:.1}\" x2=\"{parity:.1}\" y1=\"10\" y2=\"{}\" stroke=\"#888\"/></svg>",
            height - 10
        );
        svg
    }
}

fn quantity((value, unit): (f64, &str)) -> String {
    let digits = if value.abs() >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}
