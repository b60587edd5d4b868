//! Series and bands: the marks of a line chart.

use std::fmt::Write;

use super::frame::Key;
use crate::scale::Scale;
use crate::text::px;

/// More points than this are thinned to the smallest and largest of each stretch.
const MOST_POINTS: usize = 1600;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draw {
    /// A line.
    #[default]
    Line,
    /// Markers only.
    Points,
    /// A line with markers.
    Both,
}

/// One series of a line chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name, for legend and table.
    pub name: String,
    /// Positions; for a named axis 0, 1, 2, ….
    pub x: Vec<f64>,
    /// Values; one that is not finite leaves a gap.
    pub y: Vec<f64>,
    /// Half lengths of error bars, same length as `y`, or empty.
    pub error: Vec<f64>,
    /// Which of six looks (colour, dash and marker together); series of one chart should differ.
    pub slot: usize,
    /// Line, points or both.
    pub draw: Draw,
}

impl Series {
    /// A line through `(x, y)`.
    pub fn line(name: impl Into<String>, slot: usize, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            x,
            y,
            slot,
            ..Self::default()
        }
    }

    /// The same series drawn otherwise.
    #[must_use]
    pub fn draw(self, draw: Draw) -> Self {
        Self { draw, ..self }
    }

    /// All its pairs.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.x.iter().copied().zip(self.y.iter().copied())
    }
}

/// A shaded band between two curves, e.g. quantiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// Its name, e.g. `5–95 %`.
    pub name: String,
    /// Positions.
    pub x: Vec<f64>,
    /// Lower edge.
    pub low: Vec<f64>,
    /// Upper edge.
    pub high: Vec<f64>,
    /// Which look, as in [`Series`].
    pub slot: usize,
}

/// `M x y L x y …` with a new start after each gap, and the points that stand alone between gaps.
pub(crate) fn path(points: &[Option<(f64, f64)>]) -> (String, Vec<(f64, f64)>) {
    let (mut d, mut alone) = (String::new(), Vec::new());
    for run in points.split(Option::is_none) {
        let run: Vec<(f64, f64)> = run.iter().flatten().copied().collect();
        if let [point] = run[..] {
            alone.push(point);
        } else {
            for (i, (x, y)) in run.iter().enumerate() {
                let _ = write!(d, "{}{} {}", if i == 0 { 'M' } else { 'L' }, px(*x), px(*y));
            }
        }
    }
    (d, alone)
}

/// At most about [`MOST_POINTS`] points: of each stretch the lowest and the highest, in their order.
fn thin(points: Vec<Option<(f64, f64)>>) -> Vec<Option<(f64, f64)>> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    points
        .chunks(stretch)
        .flat_map(|chunk| {
            let by = |pick: fn(f64, f64) -> bool| {
                (0..chunk.len())
                    .filter(|i| chunk[*i].is_some())
                    .reduce(|a, b| {
                        let (ya, yb) =
                            (chunk[a].map_or(0.0, |p| p.1), chunk[b].map_or(0.0, |p| p.1));
                        if pick(yb, ya) { b } else { a }
                    })
            };
            match (by(|b, a| b < a), by(|b, a| b > a)) {
                (Some(a), Some(b)) if a != b => vec![chunk[a.min(b)], chunk[a.max(b)]],
                (Some(a), _) => vec![chunk[a]],
                _ => vec![None],
            }
        })
        .collect()
}

/// Draws one series.
pub(crate) fn draw(out: &mut String, series: &Series, xs: &Scale, ys: &Scale) {
    let slot = series.slot % 6;
    let at = |(x, y): (f64, f64)| xs.at(x).zip(ys.beyond(y));
    let points: Vec<_> = series.pairs().map(at).collect();
    if !series.error.is_empty() {
        let mut d = String::new();
        for ((x, y), error) in series.pairs().zip(&series.error) {
            let Some(x) = xs.at(x).filter(|_| error.is_finite()) else {
                continue;
            };
            if let (Some(low), Some(high)) = (ys.beyond(y - error), ys.beyond(y + error)) {
                let (left, x) = (px(x - 3.0), px(x));
                let (a, b) = (px(low), px(high));
                let _ = write!(d, "M{x} {a}V{b}M{left} {a}h6M{left} {b}h6");
            }
        }
        let _ = write!(out, "<path class=\"err s{slot}\" d=\"{d}\"/>");
    }
    let few = points.iter().flatten().count() <= 60;
    if series.draw != Draw::Points {
        let (d, alone) = path(&thin(points.clone()));
        if !d.is_empty() {
            let _ = write!(out, "<path class=\"l s{slot} d{slot}\" d=\"{d}\"/>");
        }
        if series.draw == Draw::Line || !few {
            for point in alone {
                out.push_str(&marker(slot, point));
            }
        }
    }
    if series.draw == Draw::Points || (series.draw == Draw::Both && few) {
        for point in points.into_iter().flatten() {
            out.push_str(&marker(slot, point));
        }
    }
}

/// Draws one band.
pub(crate) fn draw_band(out: &mut String, band: &Band, xs: &Scale, ys: &Scale) {
    let slot = band.slot % 6;
    let edge: Vec<Option<(f64, f64, f64)>> = band
        .x
        .iter()
        .zip(band.low.iter().zip(&band.high))
        .map(|(x, (low, high))| {
            // On a log scale a lower edge at zero goes to the floor of the plot instead of a gap.
            let low = if low.is_finite() {
                ys.beyond(*low).or_else(|| ys.at(ys.ends().0))
            } else {
                None
            };
            Some((xs.at(*x)?, low?, ys.beyond(*high)?))
        })
        .collect();
    for run in edge.split(Option::is_none) {
        let run: Vec<_> = run.iter().flatten().collect();
        if run.len() < 2 {
            continue;
        }
        let mut d = String::new();
        for (i, (x, _, high)) in run.iter().enumerate() {
            let _ = write!(
                d,
                "{}{} {}",
                if i == 0 { 'M' } else { 'L' },
                px(*x),
                px(*high)
            );
        }
        for (x, low, _) in run.iter().rev() {
            let _ = write!(d, "L{} {}", px(*x), px(*low));
        }
        let _ = write!(out, "<path class=\"band f{slot}\" d=\"{d}Z\"/>");
    }
}

/// The marker of a slot: circle, square, triangle, diamond, cross, ring.
pub(crate) fn marker(slot: usize, (x, y): (f64, f64)) -> String {
    let (x, y) = (px(x), px(y));
    match slot % 6 {
        0 => format!("<circle class=\"f0\" cx=\"{x}\" cy=\"{y}\" r=\"3.2\"/>"),
        1 => format!("<path class=\"p s1 hollow\" d=\"M{x} {y}m-3.2-3.2h6.4v6.4h-6.4z\"/>"),
        2 => format!("<path class=\"f2\" d=\"M{x} {y}m0-4.4l4.2 7.4h-8.4z\"/>"),
        3 => {
            format!("<path class=\"p s3 hollow\" d=\"M{x} {y}m0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4z\"/>")
        }
        4 => format!("<path class=\"p s4\" d=\"M{x} {y}m-3.4-3.4l6.8 6.8m0-6.8l-6.8 6.8\"/>"),
        _ => format!("<circle class=\"p s5 hollow\" cx=\"{x}\" cy=\"{y}\" r=\"3.4\"/>"),
    }
}

/// The legend's entry of a series.
pub(crate) fn key(series: &Series) -> Key {
    let slot = series.slot % 6;
    let mut sample = String::new();
    if series.draw != Draw::Points {
        let _ = write!(sample, "<path class=\"l s{slot} d{slot}\" d=\"M0 0H28\"/>");
    }
    if series.draw != Draw::Line {
        sample.push_str(&marker(slot, (14.0, 0.0)));
    }
    Key {
        sample,
        name: series.name.clone(),
    }
}

/// The legend's entry of a band.
pub(crate) fn band_key(band: &Band) -> Key {
    Key {
        sample: format!(
            "<path class=\"band f{}\" d=\"M0-6H28V6H0Z\"/>",
            band.slot % 6
        ),
        name: band.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_start_a_new_stroke() {
        let (d, alone) = path(&[
            Some((0.0, 0.0)),
            Some((1.0, 1.0)),
            None,
            Some((3.0, 3.0)),
            None,
            Some((5.0, 5.0)),
            Some((6.0, 6.0)),
        ]);
        assert_eq!(d, "M0 0L1 1M5 5L6 6");
        assert_eq!(alone, [(3.0, 3.0)]);
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let mut points: Vec<_> = (0..100_000).map(|i| Some((f64::from(i), 0.0))).collect();
        points[70_001] = Some((70_001.0, 9.0));
        let thinned = thin(points);
        assert!(thinned.len() <= MOST_POINTS + 2);
        assert!(thinned.contains(&Some((70_001.0, 9.0))));
    }
}
