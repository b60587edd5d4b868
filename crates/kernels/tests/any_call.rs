//! Every public function with any sizes: it does its work where its documentation says so, panics where it says so, and
//! never reaches outside what it was given (run under a memory checker: `cargo xtask asan`).

mod small;

use elman_kernels::*;
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Sizes of which most fit each other, and some are absurd.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0usize..6,
        4 => 6usize..40,
        1 => Just(300),
        1 => prop_oneof![Just(usize::MAX), Just(usize::MAX / 2 + 1), Just(usize::MAX / 4), Just(1 << 40)],
    ]
}

/// A matrix as a caller might ask for it: numbers in the slice, rows, columns, stride.
#[derive(Clone, Copy, Debug)]
struct Shape {
    len: usize,
    rows: usize,
    cols: usize,
    stride: usize,
}

impl Shape {
    fn any() -> impl Strategy<Value = Shape> {
        (0usize..400, size(), size(), size()).prop_map(|(len, rows, cols, more)| {
            let stride = if more % 3 == 0 {
                more
            } else {
                cols.wrapping_add(more % 5)
            };
            Shape {
                len,
                rows,
                cols,
                stride,
            }
        })
    }
    /// One that fits, to be `rows` by `cols` or nearly so.
    fn near(rows: usize, cols: usize) -> impl Strategy<Value = Shape> {
        let off = || prop_oneof![9 => Just(0usize), 1 => 1usize..3];
        (off(), off(), 0usize..3).prop_map(move |(r, c, gap)| {
            let (rows, cols) = (rows + r, cols + c);
            let stride = cols + gap;
            Shape {
                len: rows.saturating_sub(1) * stride + cols,
                rows,
                cols,
                stride,
            }
        })
    }
    /// What `Rows::strided` documents.
    fn fits(&self) -> bool {
        let before = self.rows.saturating_sub(1).checked_mul(self.stride);
        let need = before.and_then(|b| b.checked_add(self.cols));
        self.cols <= self.stride && (self.rows == 0 || need.is_some_and(|n| n <= self.len))
    }
    fn data(&self) -> Vec<f32> {
        (0..self.len).map(|i| i as f32).collect()
    }
    fn of<'a>(&self, data: &'a [f32]) -> Rows<'a, f32> {
        Rows::strided(data, self.rows, self.cols, self.stride)
    }
    fn of_mut<'a>(&self, data: &'a mut [f32]) -> RowsMut<'a, f32> {
        RowsMut::strided(data, self.rows, self.cols, self.stride)
    }
}

/// Whether it ends without a panic.
fn ends(work: impl FnOnce()) -> bool {
    // Thousands of panics are expected: nobody wants to read them.
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let test = std::thread::current()
                .name()
                .is_some_and(|n| n.contains("any_"));
            let ours = panic.location().is_some_and(|l| l.file().contains("tests"));
            if !test || ours {
                usual(panic);
            }
        }));
    });
    catch_unwind(AssertUnwindSafe(work)).is_ok()
}

fn number() -> u32 {
    if small::small() { 30 } else { 400 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: number(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_view(shape in Shape::any(), (from, to, at) in (size(), size(), size())) {
        let (data, mut other) = (shape.data(), shape.data());
        prop_assert_eq!(ends(|| { shape.of(&data); }), shape.fits());
        prop_assert_eq!(ends(|| { shape.of_mut(&mut other); }), shape.fits());
        // Rows of no columns fit any buffer, however many: there would be nothing to see in going over them.
        prop_assume!(shape.fits() && shape.rows < 1 << 20);
        let rows = shape.of(&data);
        let read = |rows: Rows<'_, f32>| (0..rows.rows()).map(|r| rows.row(r).len()).sum::<usize>();
        prop_assert_eq!(ends(|| { read(rows.columns(from, to)); }), from <= to && to <= shape.cols);
        prop_assert_eq!(ends(|| { read(rows.slice(from, to)); }), from <= to && to <= shape.rows);
        prop_assert_eq!(ends(|| { rows.row(at); }), at < shape.rows);
        expect_writes(&shape.of_mut(&mut other));
        let split = ends(|| {
            let (mut head, mut tail) = shape.of_mut(&mut other).split(at);
            for half in [&mut head, &mut tail] {
                for r in 0..half.rows() {
                    half.row(r).fill(1.0);
                }
            }
        });
        prop_assert_eq!(split, at <= shape.rows);
        prop_assert_eq!(
            ends(|| { shape.of_mut(&mut other).columns(from, to); }),
            from <= to && to <= shape.cols
        );
    }

    #[test]
    fn any_product(
        (a, k, n, out, row) in (0usize..20, 0usize..40, 0usize..70).prop_flat_map(|(m, k, n)| {
            (Shape::near(m, k), Just(k), Just(n), Shape::near(m, n), prop_oneof![Just(n), 0usize..70])
        }),
        (start, turned) in (0usize..3, any::<bool>()),
    ) {
        let (x, row, packed) = (a.data(), vec![1.0; row], Packed::zeros(k, n));
        for level in Level::available() {
            let mut y = out.data();
            let start = [Start::Zero, Start::Keep, Start::Row(&row)][start];
            let fits = a.cols == k && out.cols == n && a.rows == out.rows
                && !matches!(start, Start::Row(row) if row.len() != n);
            let ended = ends(|| {
                product_in_turns(level, a.of(&x), &packed, out.of_mut(&mut y), start, turned);
            });
            prop_assert_eq!(ended, fits, "{:?}", level);
        }
    }

    #[test]
    fn any_sum(
        (a, b, out, lost, these) in (0usize..300, 0usize..30, 0usize..40).prop_flat_map(|(s, m, n)| {
            let row = prop_oneof![60 => 0..s.max(1), 1 => size()];
            let these = proptest::collection::vec(row, s..s + 2);
            (
                Shape::near(s, m), Shape::near(s, n), Shape::near(m, n), Shape::near(m, n),
                proptest::option::of(these),
            )
        }),
        columns in proptest::array::uniform2(prop_oneof![3 => Just(0usize), 1 => 1usize..4]),
    ) {
        let (x, y) = (a.data(), b.data());
        let pick = these.as_deref().map_or(Pick::All, Pick::These);
        let picks = match pick {
            Pick::All => a.rows <= b.rows,
            Pick::These(these) => {
                these.len() >= a.rows && these[..a.rows].iter().all(|&r| r < b.rows)
            }
        };
        let fits = picks && (out.rows, out.cols) == (a.cols, b.cols);
        let both = fits && (lost.rows, lost.cols) == (out.rows, out.cols);
        for level in Level::available() {
            let (mut to, mut rest) = (out.data(), lost.data());
            let ended = ends(|| outer_add(level, a.of(&x), b.of(&y), pick, out.of_mut(&mut to)));
            prop_assert_eq!(ended, fits, "{:?}", level);
            let ended = ends(|| {
                let (to, rest) = (out.of_mut(&mut to), lost.of_mut(&mut rest));
                outer_add_compensated(level, a.of(&x), b.of(&y), pick, to, rest);
            });
            prop_assert_eq!(ended, both, "{:?}", level);
            let [mut to, mut rest] = columns.map(|more| vec![0.0; a.cols + more]);
            let ended = ends(|| column_sum_add(level, a.of(&x), &mut to));
            prop_assert_eq!(ended, columns[0] == 0);
            let ended = ends(|| column_sum_add_compensated(level, a.of(&x), &mut to, &mut rest));
            prop_assert_eq!(ended, columns == [0, 0]);
        }
    }

    #[test]
    fn any_packing(
        (k, n) in (0usize..6, 0usize..80),
        (at, from, to) in (size(), size(), size()),
        b in Shape::any(),
        below in (0usize..3, 0usize..80),
    ) {
        prop_assume!(b.fits());
        let mut packed = Packed::<f32>::zeros(k, n);
        let data = b.data();
        let within = |cols: usize| cols <= n && at <= n - cols;
        prop_assert_eq!(ends(|| packed.pack(at, b.of(&data))), b.rows == k && within(b.cols));
        prop_assert_eq!(ends(|| packed.pack_transposed(at, b.of(&data))), b.cols == k && within(b.rows));
        let some = from..to;
        let ranges = [0..0, some.clone()];
        // An empty range chooses no columns, wherever it stands, unless it ends past the last.
        prop_assert_eq!(ends(|| { packed.select(&ranges); }), to <= n);
        let other = Packed::zeros(below.0, below.1);
        prop_assert_eq!(ends(|| { packed.over(&other); }), below.1 == n);
    }

    #[test]
    fn any_steps(
        offsets in proptest::collection::vec(prop_oneof![20 => 0usize..9, 1 => size()], 0..5),
        sorted in prop_oneof![5 => Just(true), 1 => Just(false)],
        (len, cols) in (0usize..60, prop_oneof![9 => 0usize..5, 1 => size()]),
        (at, from, to) in (0usize..9, 0usize..6, 0usize..6),
    ) {
        let mut offsets = offsets;
        if sorted {
            offsets.sort_unstable();
        }
        let need = offsets.last().and_then(|last| last.checked_mul(cols));
        let fits = offsets.is_sorted() && need.is_some_and(|need| need <= len);
        let mut data = vec![0.0f32; len];
        prop_assert_eq!(ends(|| { StepsMut::new(&mut data, &offsets, cols); }), fits);
        prop_assume!(fits);
        let blocks = offsets.len() - 1;
        let (mut head, mut tail) = StepsMut::new(&mut data, &offsets, cols).split(at);
        for half in [&mut head, &mut tail] {
            prop_assert_eq!(ends(|| half.step_mut(from).data().fill(1.0)), from < blocks);
            prop_assert_eq!(ends(|| { half.step(from); }), from < blocks);
            prop_assert_eq!(ends(|| half.pair(from).1.data().fill(2.0)), from + 1 < blocks);
            // Whether they are whole, and where they are, decides; never anything but a matrix, none or a panic.
            ends(|| {
                if let Some(mut whole) = half.blocks_mut(from, to) {
                    whole.data().fill(3.0);
                }
            });
            ends(|| { half.blocks(from, to); });
        }
    }

    #[test]
    fn any_buffer(sizes in proptest::collection::vec(0usize..5000, 1..6)) {
        let mut buffer = Buffer::<f32>::new();
        for size in sizes {
            buffer.resize(size);
            prop_assert_eq!(buffer.len(), size);
            prop_assert_eq!(buffer.as_ptr().addr() % 64 * usize::from(size > 0), 0);
            buffer.fill(size as f32);
            prop_assert_eq!(buffer.clone().len(), size);
        }
    }
}

#[test]
fn any_buffer_that_no_memory_holds() {
    assert!(!ends(|| Buffer::<f64>::new().resize(usize::MAX)));
    assert!(!ends(|| Buffer::<f32>::new().resize(usize::MAX / 4)));
    assert!(!ends(|| drop(Packed::<f32>::zeros(usize::MAX, 1))));
}

/// The parts of vectors, at every length.
#[test]
fn any_part_of_a_vector() {
    struct Parts;
    impl Job<f32> for Parts {
        type Out = ();
        #[inline(always)]
        fn run<V: Value<Element = f32>>(self) {
            for len in 0..2 * V::LANES {
                let (from, mut to) = (vec![1.0; len], vec![0.0; len]);
                assert_eq!(ends(|| drop(V::load(&from).to_vec())), len >= V::LANES);
                assert_eq!(ends(|| drop(V::load_part(&from).to_vec())), len <= V::LANES);
                assert_eq!(ends(|| V::ONE.store(&mut to)), len >= V::LANES);
                assert_eq!(ends(|| V::ONE.store_part(&mut to)), len <= V::LANES);
            }
        }
    }
    trait ToVec {
        fn to_vec(self) -> Vec<f32>;
    }
    impl<V: Value<Element = f32>> ToVec for V {
        fn to_vec(self) -> Vec<f32> {
            let mut all = vec![0.0; V::LANES];
            self.store(&mut all);
            all
        }
    }
    for level in Level::available() {
        level.run(Parts);
    }
}
