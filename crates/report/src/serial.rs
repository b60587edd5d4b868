//! Numbers that may be missing in JSON: JSON has no NaN, so writers put `null`, and it is read back as NaN.

use serde::{Deserialize, Deserializer};

/// A number, NaN where it is `null`.
pub fn value<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Numbers, NaN where one is `null`.
pub fn values<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    Ok(plain(Vec::deserialize(from)?))
}

/// Rows of numbers, NaN where one is `null`.
pub fn rows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<f64>>, D::Error> {
    Ok(Vec::<Vec<Option<f64>>>::deserialize(from)?
        .into_iter()
        .map(plain)
        .collect())
}

fn plain(values: Vec<Option<f64>>) -> Vec<f64> {
    values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}
