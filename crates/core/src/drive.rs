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

/// The gate before a product: each row is `[e, g, g ⊙ e]`, of which e is given and g = σ(by).
pub(crate) struct Gate<'a, E> {
    pub hidden: usize,
    /// `[rows, H]`
    pub by: Rows<'a, E>,
    /// `[rows, 3·H]`
    pub rows: RowsMut<'a, E>,
}

impl<E: Element> Gate<'_, E> {
    pub fn run(self, level: Level) {
        level.run(self);
    }
}

impl<E: Element> Job<E> for Gate<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let mut w = self;
        for r in 0..w.rows.rows() {
            let (by, row) = (w.by.row(r), w.rows.row(r));
            let mut u = Units::first(w.hidden, V::LANES);
            while u.count > 0 {
                let [by] = <[V; 1]>::load(by, u);
                let [e] = <[V; 1]>::load(row, u);
                let g = by.sigmoid();
                [e, g, g * e].store(row, u);
                u = u.next();
            }
        }
    }
}

impl<E: Element> Forward<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => level.run(Of::<_, C>(self, PhantomData)))
    }
}
impl<E: Element> Backward<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => level.run(Of::<_, C>(self, PhantomData)))
    }
}
impl<E: Element> Tangent<'_, E> {
    pub fn run(self, level: Level, kind: CellKind) {
        with_cell!(kind, C => level.run(Of::<_, C>(self, PhantomData)))
    }
}

/// Work for one kind of cell.
struct Of<W, C>(W, PhantomData<C>);

impl<E: Element, C: Cell> Job<E> for Of<Forward<'_, E>, C> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let mut w = self.0;
        for r in 0..w.after.rows() {
            let (drive, before) = (w.drive.row(r), w.before.row(r));
            let (after, saved) = (w.after.row(r), w.saved.row(r));
            let mut u = Units::first(w.hidden, V::LANES);
            while u.count > 0 {
                let (state, save) = C::forward::<V>(
                    <C::Drive<V>>::load(drive, u),
                    <C::State<V>>::load(before, u),
                    <C::Unit<V>>::load(w.unit, u),
                );
                state.store(after, u);
                save.store(saved, u);
                u = u.next();
            }
        }
    }
}

impl<E: Element, C: Cell> Job<E> for Of<Backward<'_, E>, C> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let mut w = self.0;
        for r in 0..w.d_drive.rows() {
            let (before, after, saved) = (w.before.row(r), w.after.row(r), w.saved.row(r));
            let (above, d_state) = (w.above.row(r), w.d_state.row(r));
            let (d_drive, d_unit) = (w.d_drive.row(r), w.d_unit.row(r));
            let mut u = Units::first(w.hidden, V::LANES);
            while u.count > 0 {
                let at = StepOf::<C, V> {
                    before: <C::State<V>>::load(before, u),
                    after: <C::State<V>>::load(after, u),
                    saved: <C::Saved<V>>::load(saved, u),
                    unit: <C::Unit<V>>::load(w.unit, u),
                };
                let [from_above] = <[V; 1]>::load(above, u);
                let d_after = <C::State<V>>::load(d_state, u).with_first(from_above);
                let (drive, before, unit) = C::backward::<V>(at, d_after);
                drive.store(d_drive, u);
                before.store(d_state, u);
                unit.store(d_unit, u);
                u = u.next();
            }
        }
    }
}

impl<E: Element, C: Cell> Job<E> for Of<Tangent<'_, E>, C> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let mut w = self.0;
        for r in 0..w.d_state.rows() {
            let (d_drive, d_state) = (w.d_drive.row(r), w.d_state.row(r));
            let mut u = Units::first(w.hidden, V::LANES);
            while u.count > 0 {
                let at = StepOf::<C, V> {
                    before: <C::State<V>>::load(w.before, u),
                    after: <C::State<V>>::load(w.after, u),
                    saved: <C::Saved<V>>::load(w.saved, u),
                    unit: <C::Unit<V>>::load(w.unit, u),
                };
                let d_before = <C::State<V>>::load(d_state, u);
                let d_after = C::tangent::<V>(at, <C::Drive<V>>::load(d_drive, u), d_before);
                d_after.store(d_state, u);
                u = u.next();
            }
        }
    }
}
