//! A test for each fault that was found.

mod small;

use elman_kernels::{
    Element, Job, Level, Packed, Pick, Rows, RowsMut, SUM_BLOCK, Start, Value,
    column_sum_add_compensated, outer_add_compensated, product,
};
use std::panic::catch_unwind;

/// A single row wider than its stride could be split into parts that both reached the same numbers.
#[test]
fn no_view_is_wider_than_its_stride() {
    for rows in 0..3 {
        for (cols, stride) in [(5, 0), (5, 4), (1, 0), (usize::MAX, 3)] {
            let reads = catch_unwind(|| Rows::strided(&[0.0f32; 32], rows, cols, stride).cols());
            let writes =
                catch_unwind(|| RowsMut::strided(&mut [0.0f32; 32], rows, cols, stride).cols());
            assert!(reads.is_err() && writes.is_err(), "{rows} {cols} {stride}");
        }
    }
}

#[test]
fn the_parts_of_a_split_share_no_number() {
    for (rows, cols, stride) in [
        (0, 5, 5),
        (1, 5, 5),
        (1, 5, 9),
        (3, 5, 5),
        (3, 5, 7),
        (2, 0, 3),
    ] {
        for at in 0..=rows {
            let mut data = vec![0.0f32; rows * stride];
            let (mut head, mut tail) = RowsMut::strided(&mut data, rows, cols, stride).split(at);
            head.data().iter_mut().for_each(|x| *x += 1.0);
            tail.data().iter_mut().for_each(|x| *x += 1.0);
            for r in 0..at {
                assert_eq!(head.row(r).len(), cols);
            }
            for r in 0..rows - at {
                assert_eq!(tail.row(r).len(), cols);
            }
            assert!(data.iter().all(|&x| x == 1.0));
        }
    }
}

/// Without summands, pointers were made inside an empty buffer's panels.
#[test]
fn a_product_of_no_summands_is_its_start() {
    let (packed, row) = (Packed::<f32>::zeros(0, 40), [3.0; 40]);
    for level in Level::available() {
        for rows in [1, 7] {
            for (start, right) in [
                (Start::Zero, 0.0),
                (Start::Keep, 2.0),
                (Start::Row(&row), 3.0),
            ] {
                let mut out = vec![2.0; rows * 40];
                let to = RowsMut::new(&mut out, rows, 40);
                product(level, Rows::new(&[], rows, 0), &packed, to, start);
                assert!(out.iter().all(|&x| x == right));
            }
        }
    }
}

#[test]
fn places_that_overflow_are_refused() {
    let mut packed = Packed::<f32>::zeros(1, 4);
    assert!(
        catch_unwind(move || packed.pack(usize::MAX, Rows::new(&[0.0, 0.0], 1, 2))).is_err(),
        "usize::MAX + 2 is 1"
    );
}

/// The slope of ReLU was 0 at NaN, so that a broken network had a gradient.
#[test]
fn nan_passes_the_slope_of_relu() {
    struct Slopes<E>(Vec<E>);
    impl<E: Element> Job<E> for Slopes<E> {
        type Out = [Vec<E>; 2];
        #[inline(always)]
        fn run<V: Value<Element = E>>(self) -> [Vec<E>; 2] {
            [with::<V>(&self.0), with::<V::Twice>(&self.0)]
        }
    }
    #[inline(always)]
    fn with<V: Value>(x: &[V::Element]) -> Vec<V::Element> {
        let mut y = vec![V::Element::ZERO; x.len()];
        for (x, y) in x.chunks(V::LANES).zip(y.chunks_mut(V::LANES)) {
            V::load_part(x).max(V::ZERO).positive().store_part(y);
        }
        y
    }
    fn check<E: Element>() {
        let x = [
            1.0,
            -1.0,
            f64::NAN,
            0.0,
            -0.0,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        let right = [1.0, 0.0, f64::NAN, 0.0, 0.0, f64::NAN, 1.0, 0.0];
        // In every lane.
        let x: Vec<E> = x.iter().cycle().take(67).map(|&x| E::of(x)).collect();
        for level in Level::available() {
            for slopes in level.run(Slopes(x.clone())) {
                for (got, right) in slopes.iter().zip(right.iter().cycle()) {
                    let same = got.to_f64() == *right || (right.is_nan() && *got != *got);
                    assert!(same, "{} {}: {got}, not {right}", level.name(), E::NAME);
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// The promise: what rounding may take of a sum of so many rows.
const LOST: f64 = 1e-6;

/// Ten million rows of three columns, a piece at a time: rows that are all alike, whose roundings all go one way; rows that
/// vary; rows of both signs.
fn pieces(mut each: impl FnMut(&[f32])) {
    let (mut piece, mut random) = (Vec::new(), 1u32);
    let mut left = if small::small() { 10_000 } else { 10_000_000 };
    while left > 0 {
        let rows = left.min(8 * SUM_BLOCK);
        piece.clear();
        for _ in 0..rows {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = (random >> 8) as f32 / (1 << 24) as f32;
            piece.extend([0.1, x, x - 0.3]);
        }
        each(&piece);
        left -= rows;
    }
}

/// One chain of f32 was 1 % off after a million rows.
#[test]
fn long_sums_of_columns_keep_their_digits() {
    for level in Level::available() {
        let (mut sum, mut lost, mut right) = ([0.0f32; 3], [0.0; 3], [0.0f64; 3]);
        pieces(|piece| {
            let rows = Rows::new(piece, piece.len() / 3, 3);
            column_sum_add_compensated(level, rows, &mut sum, &mut lost);
            for row in piece.chunks(3) {
                for (right, &x) in right.iter_mut().zip(row) {
                    *right += f64::from(x);
                }
            }
        });
        for (sum, right) in sum.iter().zip(right) {
            let error = (f64::from(*sum) / right - 1.0).abs();
            println!("{}: {sum}, not {right}: {error:.1e}", level.name());
            assert!(error <= LOST);
        }
    }
}

#[test]
fn long_sums_of_products_keep_their_digits() {
    for level in Level::available() {
        let (mut sum, mut lost, mut right) = ([0.0f32; 2], [0.0; 2], [0.0f64; 2]);
        pieces(|piece| {
            let rows = Rows::new(piece, piece.len() / 3, 3);
            let (a, b) = (rows.columns(1, 3), rows.columns(1, 2));
            let (sum, lost) = (RowsMut::new(&mut sum, 2, 1), RowsMut::new(&mut lost, 2, 1));
            outer_add_compensated(level, a, b, Pick::All, sum, lost);
            for row in piece.chunks(3) {
                for (right, &x) in right.iter_mut().zip(&row[1..]) {
                    *right += f64::from(x) * f64::from(row[1]);
                }
            }
        });
        for (sum, right) in sum.iter().zip(right) {
            let error = (f64::from(*sum) / right - 1.0).abs();
            println!("{}: {sum}, not {right}: {error:.1e}", level.name());
            assert!(error <= LOST);
        }
    }
}
