//! Which existing name was probably meant.

/// Most names offered.
const OFFERED: usize = 3;
/// Names listed where none is near.
const LISTED: usize = 10;

/// The names nearest to `wanted`, nearest first; where none is near, the first few of all.
pub(crate) fn closest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let allowed = (wanted.chars().count() / 3).max(2);
    let low = wanted.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .filter(|n| n.len() <= 200)
        .filter_map(|n| {
            let other = n.to_lowercase();
            let far = distance(&low, &other);
            let inside = low.chars().count() >= 3 && other.contains(&low);
            (far <= allowed && far < low.chars().count() || inside).then_some((far, *n))
        })
        .collect();
    near.sort();
    let pick: Vec<&str> = if near.is_empty() {
        names.into_iter().take(LISTED).collect()
    } else {
        near.into_iter().take(OFFERED).map(|(_, n)| n).collect()
    };
    pick.into_iter().map(str::to_owned).collect()
}

/// Levenshtein distance in characters; `wanted` is cut at 200 characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(200).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_first_else_all() {
        let names = ["YEAR", "SUNACTIVITY", "load"];
        assert_eq!(closest("sunactivty", names), ["SUNACTIVITY"]);
        assert_eq!(closest("activity", names), ["SUNACTIVITY"]);
        assert_eq!(closest("laod", names), ["load"]);
        assert_eq!(closest("zzz", names), names);
    }
}
