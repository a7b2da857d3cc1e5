//! What proofs and benchmarks measured: lines that they print and this program collects.
//!
//! A line starts with `proof: ` or `bench: ` and carries one JSON object:
//! `proof: {"promise", "measured", "holds"}` and
//! `bench: {"name", "value", "unit", "against", "reference", "higher_is_better"}`, where `value`
//! and `reference` were measured side by side in one run.

use std::fmt::Write as _;

use serde_json::Value;

/// One measured promise.
#[derive(Debug, PartialEq, Eq)]
pub struct Proof {
    /// What is promised.
    pub promise: String,
    /// What was seen.
    pub measured: String,
    /// Whether the promise held.
    pub holds: bool,
}

/// One benchmark beside what it is compared with.
#[derive(Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Ours.
    pub value: f64,
    /// Of both numbers.
    pub unit: String,
    /// What it is compared with.
    pub against: String,
    /// The other number; absent when there is nothing to compare with.
    pub reference: Option<f64>,
    /// Whether a larger value is better.
    pub higher_is_better: bool,
}

impl Figure {
    /// Ours over the reference.
    pub fn ratio(&self) -> Option<f64> {
        self.reference
            .filter(|reference| *reference > 0.0)
            .map(|reference| self.value / reference)
    }
}

/// Reads a proof line; anything else is `None`.
pub fn proof(line: &str) -> Option<Proof> {
    let json = tagged(line, "proof: ")?;
    Some(Proof {
        promise: json["promise"].as_str()?.to_owned(),
        measured: text(&json["measured"])?,
        holds: json["holds"].as_bool()?,
    })
}

/// Reads a benchmark line; anything else is `None`.
pub fn figure(line: &str) -> Option<Figure> {
    let json = tagged(line, "bench: ")?;
    Some(Figure {
        name: json["name"].as_str()?.to_owned(),
        value: json["value"].as_f64()?,
        unit: json["unit"].as_str().unwrap_or_default().to_owned(),
        against: json["against"].as_str().unwrap_or_default().to_owned(),
        reference: json["reference"].as_f64(),
        higher_is_better: json["higher_is_better"].as_bool().unwrap_or(true),
    })
}

/// The benchmarks as a table in Markdown.
pub fn table(figures: &[Figure]) -> String {
    let mut out = String::from(
        "| measured | ours | compared with | reference | ratio |\n|---|---:|---|---:|---:|\n",
    );
    for figure in figures {
        let reference = figure.reference.map_or_else(|| "–".into(), number);
        let ratio = figure
            .ratio()
            .map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}"));
        let _ = writeln!(
            out,
            "| {} | {} {} | {} | {reference} | {ratio} |",
            figure.name,
            number(figure.value),
            figure.unit,
            figure.against,
        );
    }
    out
}

/// The ratios as horizontal bars in SVG; the line in the middle of the scale is 1.
pub fn plot(figures: &[Figure]) -> String {
    const ROW: usize = 26;
    const LABELS: usize = 420;
    const BARS: f64 = 400.0;
    let rows: Vec<(&Figure, f64)> = figures
        .iter()
        .filter_map(|figure| figure.ratio().map(|ratio| (figure, ratio)))
        .collect();
    let height = ROW * (rows.len() + 1);
    // From a hundredth to a hundred times, by orders of magnitude.
    let at = |ratio: f64| (ratio.log10().clamp(-2.0, 2.0) + 2.0) / 4.0 * BARS;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/>\n"
    );
    for (row, (figure, ratio)) in rows.iter().enumerate() {
        let top = row * ROW + 6;
        let (from, to) = (at(1.0).min(at(*ratio)), at(1.0).max(at(*ratio)));
        let good = (*ratio >= 1.0) == figure.higher_is_better;
        let colour = if good { "#2a7d4f" } else { "#b4562b" };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} / {}</text>\
             <rect x=\"{:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"16\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\">{ratio:.2}</text>",
            LABELS - 8,
            top + 13,
            escape(&figure.name),
            escape(&figure.against),
            LABELS as f64 + from,
            (to - from).max(1.0),
            LABELS as f64 + BARS + 10.0,
            top + 13,
        );
    }
    let middle = LABELS as f64 + at(1.0);
    let _ = writeln!(
        out,
        "<line x1=\"{middle}\" x2=\"{middle}\" y1=\"0\" y2=\"{height}\" stroke=\"#333\"/>\n</svg>"
    );
    out
}

fn tagged(line: &str, tag: &str) -> Option<Value> {
    // libtest writes `test name ... ` in front of what a test prints.
    let at = line.find(tag)?;
    serde_json::from_str(line[at + tag.len()..].trim()).ok()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "bench: {\"name\":\"send 1 KiB\",\"value\":90000,\"unit\":\"/s\",\
                        \"against\":\"echo\",\"reference\":120000}";

    #[test]
    fn measured_lines_are_found_behind_the_test_runners_own_words() {
        let line = "test burned ... proof: {\"promise\":\"burned\",\"measured\":0,\"holds\":true}";
        assert_eq!(
            proof(line),
            Some(Proof {
                promise: "burned".into(),
                measured: "0".into(),
                holds: true
            })
        );
        assert_eq!(proof("test burned ... ok"), None);
        assert_eq!(proof("proof: not JSON"), None);
    }

    #[test]
    fn a_ratio_needs_a_reference() {
        let figure = figure(LINE).expect("figure");
        assert_eq!(figure.ratio(), Some(0.75));
        let alone = Figure {
            reference: None,
            ..figure
        };
        assert_eq!(alone.ratio(), None);
        assert!(table(&[alone]).contains("| – | – |"));
    }

    #[test]
    fn table_and_plot_show_every_ratio() {
        let figures = vec![figure(LINE).expect("figure")];
        assert!(table(&figures).contains("| send 1 KiB | 90000 /s | echo | 120000 | 0.75 |"));
        let plot = plot(&figures);
        assert!(
            plot.contains("send 1 KiB / echo") && plot.contains(">0.75<"),
            "{plot}"
        );
    }
}
