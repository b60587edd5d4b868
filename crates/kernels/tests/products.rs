//! Products, gradients and sums against plain `f64` loops, at every level: odd sizes, strides, unaligned starts.

mod small;

use elman_kernels::{
    Element, Level, Packed, Pick, Rows, RowsMut, SUM_BLOCK, Start, column_sum_add,
    column_sum_add_compensated, outer_add, outer_add_compensated, product, product_in_turns,
};
use small::small;

/// A small generator, so that a failing shape can be printed and repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn fill<E: Element>(&mut self, count: usize) -> Vec<E> {
        (0..count)
            .map(|_| E::of((self.next() >> 40) as f64 / (1u64 << 23) as f64 - 1.0))
            .collect()
    }
    fn size(&mut self) -> usize {
        let most = [3, 9, 20, 50, 140][self.below(5)];
        self.below(most + 1)
    }
}

/// A matrix somewhere inside a larger buffer.
struct Matrix<E> {
    data: Vec<E>,
    from: usize,
    rows: usize,
    cols: usize,
    stride: usize,
}

impl<E: Element> Matrix<E> {
    fn new(random: &mut Random, rows: usize, cols: usize) -> Self {
        let (from, stride) = (random.below(5), cols + random.below(4) * random.below(9));
        // To the very end, so that reading beyond the last row would leave the allocation.
        let len = from
            + if rows == 0 {
                0
            } else {
                (rows - 1) * stride + cols
            };
        Matrix {
            data: random.fill(len),
            from,
            rows,
            cols,
            stride,
        }
    }
    fn view(&self) -> Rows<'_, E> {
        Rows::strided(&self.data[self.from..], self.rows, self.cols, self.stride)
    }
    fn view_mut(&mut self) -> RowsMut<'_, E> {
        RowsMut::strided(
            &mut self.data[self.from..],
            self.rows,
            self.cols,
            self.stride,
        )
    }
    fn at(&self, r: usize, c: usize) -> f64 {
        self.data[self.from + r * self.stride + c].to_f64()
    }
    /// Asserts that only the matrix differs from `before`, and that it is `right` to the rounding of `terms` terms.
    fn check(&self, before: &Self, right: impl Fn(usize, usize) -> f64, terms: usize, what: &str) {
        let unit = if E::NAME == "f32" { 6e-8 } else { 1.2e-16 };
        for (i, (&now, &was)) in self.data.iter().zip(&before.data).enumerate() {
            let inside = i >= self.from
                && (i - self.from) % self.stride.max(1) < self.cols
                && (i - self.from) / self.stride.max(1) < self.rows;
            if inside {
                let (r, c) = (
                    (i - self.from) / self.stride.max(1),
                    (i - self.from) % self.stride.max(1),
                );
                let error = (now.to_f64() - right(r, c)).abs();
                assert!(
                    error <= unit * (terms + 2) as f64 * 2.0,
                    "{what}: row {r}, column {c} is {now}, off by {error}"
                );
            } else {
                assert!(now == was, "{what}: touched {i} outside");
            }
        }
    }
}

impl<E: Clone> Clone for Matrix<E> {
    fn clone(&self) -> Self {
        Matrix {
            data: self.data.clone(),
            ..*self
        }
    }
}

fn products_of<E: Element>(level: Level, random: &mut Random, (m, k, n): (usize, usize, usize)) {
    let what = format!("{level:?} {} m {m} k {k} n {n}", E::NAME);
    let (a, b) = (
        Matrix::<E>::new(random, m, k),
        Matrix::<E>::new(random, k, n),
    );
    let before = Matrix::<E>::new(random, m, n);
    let row: Vec<E> = random.fill(n);
    let mut packed = Packed::zeros(k, n);
    let cut = random.below(n + 1);
    packed.pack(0, b.view().columns(0, cut));
    let transposed: Vec<E> = (cut..n)
        .flat_map(|j| (0..k).map(move |i| (i, j)))
        .map(|(i, j)| E::of(b.at(i, j)))
        .collect();
    packed.pack_transposed(cut, Rows::new(&transposed, n - cut, k));
    for start in [Start::Zero, Start::Keep, Start::Row(&row)] {
        let mut out = before.clone();
        product(level, a.view(), &packed, out.view_mut(), start);
        let right = |r: usize, c: usize| {
            let first = match start {
                Start::Zero => 0.0,
                Start::Keep => before.at(r, c),
                Start::Row(row) => row[c].to_f64(),
            };
            (0..k).fold(first, |sum, i| sum + a.at(r, i) * b.at(i, c))
        };
        out.check(&before, right, k, &what);
        // Each row alone, in turns, and rows grouped otherwise: the same bits.
        for at in [1, 2, random.below(m + 1)] {
            let mut again = before.clone();
            let mut r = 0;
            while r < m {
                let to = m.min(r + at.max(1));
                let (_, rest) = again.view_mut().split(r);
                product_in_turns(
                    level,
                    a.view().slice(r, to),
                    &packed,
                    rest.split(to - r).0,
                    start,
                    r % 2 == 1,
                );
                r = to;
            }
            assert!(
                again.data == out.data,
                "{what}: rows in groups of {at} differ"
            );
        }
    }
}

fn outers_of<E: Element>(level: Level, random: &mut Random, (s, m, n): (usize, usize, usize)) {
    let what = format!("{level:?} {} s {s} m {m} n {n}", E::NAME);
    let a = Matrix::<E>::new(random, s, m);
    let more = random.below(4) + 1;
    let b = Matrix::<E>::new(random, s + more, n);
    let these: Vec<usize> = (0..s).map(|_| random.below(s + more)).collect();
    let before = Matrix::<E>::new(random, m, n);
    for pick in [Pick::All, Pick::These(&these)] {
        let mut out = before.clone();
        outer_add(level, a.view(), b.view(), pick, out.view_mut());
        let row = |i: usize| match pick {
            Pick::All => i,
            Pick::These(these) => these[i],
        };
        let right = |r: usize, c: usize| {
            (0..s).fold(before.at(r, c), |sum, i| sum + a.at(i, r) * b.at(row(i), c))
        };
        out.check(&before, right, s, &what);
        // Split between owners by rows, in two ways: the same bits.
        for at in [m.min(1), m / 2, random.below(m + 1)] {
            let mut again = before.clone();
            let (head, tail) = again.view_mut().split(at);
            outer_add(level, a.view().columns(0, at), b.view(), pick, head);
            outer_add(level, a.view().columns(at, m), b.view(), pick, tail);
            assert!(again.data == out.data, "{what}: split at {at} differs");
        }
        // And by columns.
        let at = random.below(n + 1);
        let mut again = before.clone();
        outer_add(
            level,
            a.view(),
            b.view().columns(0, at),
            pick,
            again.view_mut().columns(0, at),
        );
        outer_add(
            level,
            a.view(),
            b.view().columns(at, n),
            pick,
            again.view_mut().columns(at, n),
        );
        assert!(
            again.data == out.data,
            "{what}: columns split at {at} differ"
        );
    }
    let sums: Vec<E> = random.fill(m);
    let mut out = sums.clone();
    column_sum_add(level, a.view(), &mut out);
    for c in 0..m {
        // The order of the rows is promised: exactly this.
        let right = (0..s).fold(sums[c], |sum, i| sum + a.view().row(i)[c]);
        assert!(out[c] == right, "{what}: sum of column {c}");
    }
    compensated_of(level, random, (&a, &b), &what);
}

/// Compensated sums: right, the same bits whoever computes which rows and columns of them, and in several calls.
fn compensated_of<E: Element>(
    level: Level,
    random: &mut Random,
    (a, b): (&Matrix<E>, &Matrix<E>),
    what: &str,
) {
    let (s, m, n) = (a.rows, a.cols, b.cols);
    let before = Matrix::<E>::new(random, m, n);
    let mut lost = Matrix::<E>::new(random, m, n);
    lost.data.fill(E::ZERO);
    let add = |from: usize, to: usize, out: RowsMut<'_, E>, lost: RowsMut<'_, E>| {
        let (a, b) = (a.view().slice(from, to), b.view().slice(from, to));
        outer_add_compensated(level, a, b, Pick::All, out, lost);
    };
    let (mut out, mut rest) = (before.clone(), lost.clone());
    add(0, s, out.view_mut(), rest.view_mut());
    let right =
        |r: usize, c: usize| (0..s).fold(before.at(r, c), |sum, i| sum + a.at(i, r) * b.at(i, c));
    out.check(&before, right, s.min(SUM_BLOCK) + s / SUM_BLOCK, what);
    let (mut again, mut rest) = (before.clone(), lost.clone());
    for from in (0..s).step_by(SUM_BLOCK) {
        let (to, cut) = (s.min(from + SUM_BLOCK), random.below(m + 1));
        let (head, tail) = again.view_mut().split(cut);
        let (rest, more) = rest.view_mut().split(cut);
        let (a, b) = (a.view().slice(from, to), b.view().slice(from, to));
        outer_add_compensated(level, a.columns(0, cut), b, Pick::All, head, rest);
        outer_add_compensated(level, a.columns(cut, m), b, Pick::All, tail, more);
    }
    assert!(again.data == out.data, "{what}: compensated in parts");
    let sums: Vec<E> = random.fill(m);
    let (mut out, mut lost) = (sums.clone(), vec![E::ZERO; m]);
    column_sum_add_compensated(level, a.view(), &mut out, &mut lost);
    let (mut again, mut rest) = (sums, vec![E::ZERO; m]);
    for from in (0..s).step_by(SUM_BLOCK) {
        let (rows, cut) = (
            a.view().slice(from, s.min(from + SUM_BLOCK)),
            random.below(m + 1),
        );
        for (from, to) in [(0, cut), (cut, m)] {
            let (out, rest) = (&mut again[from..to], &mut rest[from..to]);
            column_sum_add_compensated(level, rows.columns(from, to), out, rest);
        }
    }
    assert!(again == out, "{what}: compensated columns in parts");
}

#[test]
fn random_shapes() {
    for level in Level::available() {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for _ in 0..if small() { 8 } else { 150 } {
            let shape = (random.size(), random.size(), random.size());
            products_of::<f32>(level, &mut random, shape);
            products_of::<f64>(level, &mut random, shape);
            outers_of::<f32>(level, &mut random, shape);
            outers_of::<f64>(level, &mut random, shape);
        }
    }
}

/// Every height of a block with every width about a panel's, and none at all.
#[test]
fn all_small_shapes() {
    for level in Level::available() {
        let mut random = Random(42);
        for m in (0..=26).step_by(if small() { 5 } else { 1 }) {
            for n in [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 49, 64, 96, 130] {
                let k = [0, 1, 2, 5, 33][random.below(5)];
                products_of::<f32>(level, &mut random, (m, k, n));
                products_of::<f64>(level, &mut random, (m, k, n));
            }
        }
    }
}

/// Past every blocking constant.
#[test]
fn large_shapes() {
    for level in Level::available() {
        let mut random = Random(7);
        let shapes = [
            (3, 1100, 70),
            (40, 1024, 64),
            (50, 600, 300),
            (300, 513, 33),
            (1, 1500, 300),
            (2, 100, 150),
            (2, 150, 220),
            (2, 200, 300),
            (1300, 20, 40),
            (1300, 3, 1),
            (700, 1, 37),
        ];
        for shape in shapes.into_iter().step_by(if small() { 6 } else { 1 }) {
            products_of::<f32>(level, &mut random, shape);
            products_of::<f64>(level, &mut random, shape);
            outers_of::<f32>(level, &mut random, shape);
            outers_of::<f64>(level, &mut random, shape);
        }
    }
}

#[test]
fn selected_columns_are_those_columns() {
    let mut random = Random(3);
    let (k, n) = (5, 70);
    let b: Vec<f32> = random.fill(k * n);
    let mut packed = Packed::zeros(k, n);
    packed.pack(0, Rows::new(&b, k, n));
    let columns = [40..70, 1..2, 7..7, 30..65];
    let some = packed.select(&columns);
    assert_eq!((some.k(), some.n()), (k, 66));
    let a: Vec<f32> = random.fill(3 * k);
    let (mut all, mut out) = (vec![0.0; 3 * n], vec![0.0; 3 * 66]);
    for (packed, out) in [(&packed, &mut all), (&some, &mut out)] {
        let (n, level) = (packed.n(), Level::best());
        let to = RowsMut::new(out, 3, n);
        product(level, Rows::new(&a, 3, k), packed, to, Start::Zero);
    }
    for row in 0..3 {
        let wanted = columns.iter().cloned().flatten();
        let wanted: Vec<f32> = wanted.map(|c| all[row * n + c]).collect();
        assert_eq!(out[row * 66..][..66], wanted);
    }
}

#[test]
fn a_matrix_over_another_sums_both() {
    let mut random = Random(4);
    for (k, below, n) in [(3, 5, 70), (0, 2, 33), (4, 0, 5), (2, 2, 0)] {
        let b: Vec<f64> = random.fill((k + below) * n);
        let a: Vec<f64> = random.fill(k + below);
        let [mut upper, mut lower] = [k, below].map(|k| Packed::zeros(k, n));
        upper.pack(0, Rows::new(&b[..k * n], k, n));
        lower.pack(0, Rows::new(&b[k * n..], below, n));
        let both = upper.over(&lower);
        assert_eq!((both.k(), both.n()), (k + below, n));
        let (mut once, mut twice) = (vec![0.0; n], vec![0.0; n]);
        let level = Level::best();
        let add = |a: &[f64], b: &Packed<f64>, to: &mut [f64]| {
            let (a, to) = (Rows::new(a, 1, a.len()), RowsMut::new(to, 1, n));
            product(level, a, b, to, Start::Keep);
        };
        add(&a, &both, &mut once);
        add(&a[..k], &upper, &mut twice);
        add(&a[k..], &lower, &mut twice);
        assert_eq!(once, twice);
    }
}

#[test]
#[should_panic(expected = "assertion")]
fn product_refuses_other_shapes() {
    let (packed, a, mut out) = (Packed::<f32>::zeros(3, 4), [0.0; 6], [0.0; 10]);
    product(
        Level::best(),
        Rows::new(&a, 2, 3),
        &packed,
        RowsMut::new(&mut out, 2, 5),
        Start::Zero,
    );
}

#[test]
#[should_panic(expected = "assertion")]
fn product_refuses_a_short_row() {
    let (packed, a, mut out) = (Packed::<f32>::zeros(3, 4), [0.0; 6], [0.0; 8]);
    product(
        Level::best(),
        Rows::new(&a, 2, 3),
        &packed,
        RowsMut::new(&mut out, 2, 4),
        Start::Row(&[0.0; 3]),
    );
}

#[test]
#[should_panic]
fn outer_refuses_a_row_that_is_not_there() {
    let (a, b, mut out) = ([0.0f32; 6], [0.0; 4], [0.0; 6]);
    outer_add(
        Level::best(),
        Rows::new(&a, 2, 3),
        Rows::new(&b, 2, 2),
        Pick::These(&[0, 2]),
        RowsMut::new(&mut out, 3, 2),
    );
}

#[test]
#[should_panic]
fn outer_refuses_too_few_rows() {
    let (a, b, mut out) = ([0.0f32; 6], [0.0; 2], [0.0; 6]);
    outer_add(
        Level::best(),
        Rows::new(&a, 2, 3),
        Rows::new(&b, 1, 2),
        Pick::All,
        RowsMut::new(&mut out, 3, 2),
    );
}

#[test]
#[should_panic]
fn a_matrix_whose_size_overflows() {
    Rows::strided(&[0.0f32; 8], 3, 2, usize::MAX / 2 + 1);
}

#[test]
#[should_panic]
fn a_packed_matrix_whose_size_overflows() {
    Packed::<f32>::zeros(usize::MAX / 32 + 2, 32);
}
