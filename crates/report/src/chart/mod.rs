//! Charts as SVG: lines, heat map, bars, points in the complex plane.
//!
//! Each function takes a small struct and returns one `<svg>` element. Inside a page of this crate the
//! page's style colours it; for a file of its own pass it through [`standalone`].

mod bars;
mod complex_plane;
mod frame;
mod heat_grid;
mod heatmap;
mod lines;
mod series;

pub use bars::{Bar, Bars, bars};
pub use complex_plane::{ComplexPlane, Eigenvalue, complex_plane};
pub use frame::{Axis, Size};
pub use heatmap::{Heatmap, Overlay, heatmap};
pub use lines::{Lines, Mark, Rule, lines};
pub use series::{Band, Draw, Series};

pub(crate) use bars::table as bars_table;
pub(crate) use frame::open;
pub(crate) use heat_grid::table as heatmap_table;
pub(crate) use lines::table as lines_table;

/// The style of all charts, in the variables of the page.
pub(crate) const CSS: &str = include_str!("chart.css");

/// `svg` (from any function here) as a file of its own: its style inside, light and dark, with a
/// background.
pub fn standalone(svg: &str) -> String {
    let Some(end) = svg.find('>') else {
        return svg.to_string();
    };
    let (head, rest) = svg.split_at(end + 1);
    format!(
        "{head}<style>{}</style><rect class=\"back\" x=\"0\" y=\"0\" width=\"100%\" height=\"100%\"/>{rest}",
        crate::palette::in_place(CSS)
    )
}
