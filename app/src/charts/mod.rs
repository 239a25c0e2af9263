//! Charts, drawn on the server as SVG so that the browser downloads no plotting code.
//!
//! plotters writes fixed colours. A drawing here uses the stand-ins of [`ink`] instead, and [`themed`] replaces them by
//! the page's own custom properties, so that a chart follows light, dark and high contrast like everything else.

#![cfg(feature = "ssr")]

pub mod durations;
pub mod history;
mod ink;
pub mod sizes;
pub mod timeline;
pub mod versions;

pub use durations::{DurationRow, durations_chart};
pub use history::history_chart;
pub use sizes::sizes_chart;
pub use timeline::{Room, timeline_chart};
pub use versions::{drawn as drawn_versions, versions_chart};

/// The chart could not be drawn: a fault of ours, never of the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chart could not be drawn: {0}")]
pub struct ChartError(String);

/// Turns plotters' document into one that fits the page: it scales to its place, has a name and a description for those
/// who do not see it, and its colours and letters are the page's. `id` must be unique on the page; `title` and
/// `description` are escaped here.
fn themed(drawing: &str, id: &str, size: (u32, u32), title: &str, description: &str) -> Result<String, ChartError> {
    let body = drawing
        .split_once('>')
        .map(|(_, rest)| rest)
        .ok_or_else(|| ChartError("plotters wrote no opening tag".to_owned()))?;
    let (width, height) = size;
    let head = format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"100%\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>",
        escaped(title),
        escaped(description)
    );
    Ok(head + &ink::replaced(body))
}

/// Text as it may stand inside an element or a quoted attribute.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}
