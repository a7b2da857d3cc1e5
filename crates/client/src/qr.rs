//! QR codes as SVG documents.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use fast_qr::{ECL, QRBuilder};

/// Draws a text as a QR code with a quiet zone of four modules; `None` when it is too long.
pub(crate) fn svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    Some(
        SvgBuilder::default()
            .shape(Shape::Square)
            .margin(4)
            .to_str(&code),
    )
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn a_code_is_an_svg_document() {
        assert!(svg("https://chat.example/i#x").is_some_and(|s| s.starts_with("<svg")));
    }

    #[test]
    fn a_text_beyond_a_codes_capacity_gives_none() {
        assert_eq!(svg(&"x".repeat(5_000)), None);
    }
}
