//! The arithmetic of all units of a step: a cell, run over rows at full vector width.

use crate::cell::{Cell, CellKind, Lanes, StepOf, Units, with_cell};
use core::marker::PhantomData;
use elman_kernels::{Element, Job, Level, Rows, RowsMut, Value};

/// `H` neighbouring units of every row, forward.
pub(crate) struct Forward<'a, E> {
    pub hidden: usize,
    /// `[rows, lanes·H]`
    pub drive: Rows<'a, E>,
    pub unit: &'a [E],
    /// `[rows, S·H]`
    pub before: Rows<'a, E>,
    pub after: RowsMut<'a, E>,
    /// `[rows, saved·H]`
    pub saved: RowsMut<'a, E>,
}

/// The same, backward: reads the gradient of the state after and leaves that of the state before in its place.
pub(crate) struct Backward<'a, E> {
    pub hidden: usize,
    pub unit: &'a [E],
    pub before: Rows<'a, E>,
    pub after: Rows<'a, E>,
    pub saved: Rows<'a, E>,
    /// Gradient of h from above `[rows, H]`.
    pub above: Rows<'a, E>,
    /// `[rows, S·H]`, read and written.
    pub d_state: RowsMut<'a, E>,
    pub d_drive: RowsMut<'a, E>,
    /// `[rows, U·H]`
    pub d_unit: RowsMut<'a, E>,
}

/// The tangent at one step of one row, for several directions at once.
pub(crate) struct Tangent<'a, E> {
    pub hidden: usize,
    pub unit: &'a [E],
    pub before: &'a [E],
    pub after: &'a [E],
    pub saved: &'a [E],
    /// `[directions, lanes·H]`
    pub d_drive: Rows<'a, E>,
    /// `[directions, S·H]`, read and written.
    pub d_state: RowsMut<'a, E>,
}

/// φ′ of every unit of every row.
pub(crate) struct Slopes<'a, E> {
    pub hidden: usize,
    /// `[rows, S·H]`: the state that the cell made.
    pub after: Rows<'a, E>,
    pub saved: Rows<'a, E>,
    /// `[rows, H]`
    pub slopes: RowsMut<'a, E>,
}

/// The gate before a product: each row is `[e, g, g ⊙ e]`, of which e is given and g = σ(by).
pub(crate) struct Gate<'a, E> {
    pub hidden: usize,
    /// `[rows, H]`
    pub by: Rows<'a, E>,
    /// `[rows, 3·H]`
    pub rows: RowsMut<'a, E>,
}

/// Work on some neighbouring units of a row, at whatever vector width.
trait Each<E> {
    /// Rows, and units of each.
    fn size(&self) -> (usize, usize);
    fn each<V: Value<Element = E>>(&mut self, r: usize, u: Units);
}

/// Does the work for all units of all rows.
fn all<E: Element>(level: Level, work: impl Each<E>) {
    // The single row of a stream is over before pairs pay for the longer way to them (measured: 2 to 8 %).
    match work.size() {
        (1, _) => level.run(All::<_, false>(work)),
        _ => level.run(All::<_, true>(work)),
    }
}

/// With `PAIRS`, two vectors at a time while there are as many (see [`Value::Twice`]).
struct All<W, const PAIRS: bool>(W);

impl<E: Element, W: Each<E>, const PAIRS: bool> Job<E> for All<W, PAIRS> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(mut self) {
        let (rows, hidden) = self.0.size();
        for r in 0..rows {
            let mut at = 0;
            if PAIRS {
                let mut u = Units::from(at, hidden, V::Twice::LANES);
                while u.count == V::Twice::LANES {
                    self.0.each::<V::Twice>(r, u);
                    u = u.next();
                }
                at = u.at;
            }
            let mut u = Units::from(at, hidden, V::LANES);
            while u.count > 0 {
                self.0.each::<V>(r, u);
                u = u.next();
            }
        }
    }
}

impl<E: Element> Gate<'_, E> {
    pub fn run(self, level: Level) {
        all(level, self);
    }
}

impl<E: Element> Each<E> for Gate<'_, E> {
    #[inline(always)]
    fn size(&self) -> (usize, usize) {
        (self.rows.rows(), self.hidden)
    }
    #[inline(always)]
    fn each<V: Value<Element = E>>(&mut self, r: usize, u: Units) {
        let (by, row) = (self.by.row(r), self.rows.row(r));
        let [by] = <[V; 1]>::load(by, u);
        let [e] = <[V; 1]>::load(row, u);
        let g = by.sigmoid();
        [e, g, g * e].store(row, u);
    }
}

impl<E: Element> Forward<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => all(level, Of::<_, C>(self, PhantomData)))
    }
}
impl<E: Element> Backward<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => all(level, Of::<_, C>(self, PhantomData)))
    }
}
impl<E: Element> Tangent<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => all(level, Of::<_, C>(self, PhantomData)))
    }
}

impl<E: Element> Slopes<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => all(level, Of::<_, C>(self, PhantomData)))
    }
}

/// Work for one kind of cell.
struct Of<W, C>(W, PhantomData<C>);

impl<E: Element, C: Cell> Each<E> for Of<Forward<'_, E>, C> {
    #[inline(always)]
    fn size(&self) -> (usize, usize) {
        (self.0.after.rows(), self.0.hidden)
    }
    #[inline(always)]
    fn each<V: Value<Element = E>>(&mut self, r: usize, u: Units) {
        let w = &mut self.0;
        let (state, save) = C::forward::<V>(
            <C::Drive<V>>::load(w.drive.row(r), u),
            <C::State<V>>::load(w.before.row(r), u),
            <C::Unit<V>>::load(w.unit, u),
        );
        state.store(w.after.row(r), u);
        save.store(w.saved.row(r), u);
    }
}

impl<E: Element, C: Cell> Each<E> for Of<Backward<'_, E>, C> {
    #[inline(always)]
    fn size(&self) -> (usize, usize) {
        (self.0.d_drive.rows(), self.0.hidden)
    }
    #[inline(always)]
    fn each<V: Value<Element = E>>(&mut self, r: usize, u: Units) {
        let w = &mut self.0;
        let at = StepOf::<C, V> {
            before: <C::State<V>>::load(w.before.row(r), u),
            after: <C::State<V>>::load(w.after.row(r), u),
            saved: <C::Saved<V>>::load(w.saved.row(r), u),
            unit: <C::Unit<V>>::load(w.unit, u),
        };
        let [from_above] = <[V; 1]>::load(w.above.row(r), u);
        let d_after = <C::State<V>>::load(w.d_state.row(r), u).with_first(from_above);
        let (drive, before, unit) = C::backward::<V>(at, d_after);
        drive.store(w.d_drive.row(r), u);
        before.store(w.d_state.row(r), u);
        unit.store(w.d_unit.row(r), u);
    }
}

impl<E: Element, C: Cell> Each<E> for Of<Tangent<'_, E>, C> {
    #[inline(always)]
    fn size(&self) -> (usize, usize) {
        (self.0.d_state.rows(), self.0.hidden)
    }
    #[inline(always)]
    fn each<V: Value<Element = E>>(&mut self, r: usize, u: Units) {
        let w = &mut self.0;
        let at = StepOf::<C, V> {
            before: <C::State<V>>::load(w.before, u),
            after: <C::State<V>>::load(w.after, u),
            saved: <C::Saved<V>>::load(w.saved, u),
            unit: <C::Unit<V>>::load(w.unit, u),
        };
        let d_before = <C::State<V>>::load(w.d_state.row(r), u);
        let d_drive = <C::Drive<V>>::load(w.d_drive.row(r), u);
        C::tangent::<V>(at, d_drive, d_before).store(w.d_state.row(r), u);
    }
}

impl<E: Element, C: Cell> Each<E> for Of<Slopes<'_, E>, C> {
    #[inline(always)]
    fn size(&self) -> (usize, usize) {
        (self.0.slopes.rows(), self.0.hidden)
    }
    #[inline(always)]
    fn each<V: Value<Element = E>>(&mut self, r: usize, u: Units) {
        let w = &mut self.0;
        let after = <C::State<V>>::load(w.after.row(r), u);
        let saved = <C::Saved<V>>::load(w.saved.row(r), u);
        [C::slope::<V>(after, saved)].store(w.slopes.row(r), u);
    }
}
