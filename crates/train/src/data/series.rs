//! The series that ships with the program: yearly sunspot numbers, 1700 to 2008.
//!
//! Source, licence and meaning are in `crates/train/data/README.md`.

use super::error::Result;
use super::split::{LabelRange, Split, TRAIN};
use super::table::Table;

/// The file itself, with a header `"YEAR","SUNACTIVITY"` and 309 rows.
pub const SUNSPOTS_CSV: &str = include_str!("../../data/sunspots.csv");

/// Name of the target column of [`sunspots`].
pub const SUNSPOTS_TARGET: &str = "SUNACTIVITY";

/// Parts of the split of Weigend, Huberman and Rumelhart (1990) by name, first and last year; the last part
/// is what their series did not have.
pub const SUNSPOTS_PARTS: [[&str; 3]; 4] = [
    [TRAIN, "1700", "1920"],
    ["1921-1955", "1921", "1955"],
    ["1956-1979", "1956", "1979"],
    ["1980-2008", "1980", "2008"],
];

/// The sunspot table: `YEAR` labels the rows, `SUNACTIVITY` is the yearly mean of the daily sunspot number.
///
/// # Errors
/// None in a sound build: the file is embedded and tested.
pub fn sunspots() -> Result<Table> {
    Table::parse("sunspots (embedded)", SUNSPOTS_CSV.as_bytes())
}

/// [`SUNSPOTS_PARTS`] as a split of the rows labelled `labels`. There is no validation part:
/// [`Split::hold_out`] takes one from the end of the training part.
///
/// # Errors
/// [`super::DataError::NoSuchLabel`] where the labels are not those of [`sunspots`].
pub fn sunspots_split(labels: &[String]) -> Result<Split> {
    let range = |[name, from, to]: [&str; 3]| LabelRange {
        name: name.into(),
        from: from.into(),
        to: to.into(),
    };
    Split::labels(labels, &SUNSPOTS_PARTS.map(range))
}

#[cfg(test)]
mod tests {
    use super::super::{Frame, Missing};
    use super::*;

    fn frame() -> Frame {
        sunspots()
            .unwrap()
            .select(&[SUNSPOTS_TARGET], Missing::Refuse)
            .unwrap()
    }

    #[test]
    fn the_series_is_whole() {
        let f = frame();
        assert_eq!(f.rows(), 309);
        assert_eq!((&*f.labels.get(0), &*f.labels.get(308)), ("1700", "2008"));
        assert_eq!((f.columns[0].get(0), f.columns[0].get(308)), (5.0, 2.9));
        assert!((f.columns[0].iter().sum::<f64>() - 15_373.4).abs() < 1e-9);
        assert_eq!(sunspots().unwrap().numeric_names(), [SUNSPOTS_TARGET]);
    }

    #[test]
    fn the_split_is_that_of_1990() {
        let s = sunspots_split(&frame().labels.to_vec()).unwrap();
        let rows: Vec<_> = s.parts().iter().map(|p| p.rows.clone()).collect();
        assert_eq!(rows, [0..221, 221..256, 256..280, 280..309]);
    }
}
