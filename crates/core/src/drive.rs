//! The arithmetic of all units of a step: a cell, run over rows at full vector width.

use crate::cell::{Cell, CellKind, Lanes, StepOf, with_cell};
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

/// Units `at .. at + count` of every slot of a row; a full vector of them, or the last few.
#[derive(Clone, Copy)]
struct Units {
    at: usize,
    count: usize,
    hidden: usize,
}

impl Units {
    /// Calls `f` for each group of neighbouring units, the last perhaps not a full vector.
    #[inline(always)]
    fn each<V: Value>(hidden: usize, mut f: impl FnMut(Units)) {
        let mut at = 0;
        while at + V::LANES <= hidden {
            f(Units {
                at,
                count: V::LANES,
                hidden,
            });
            at += V::LANES;
        }
        if at < hidden {
            f(Units {
                at,
                count: hidden - at,
                hidden,
            });
        }
    }
    #[inline(always)]
    fn load<V: Value, L: Lanes<V>>(self, row: &[V::Element]) -> L {
        L::make(|slot| {
            let from = &row[slot * self.hidden + self.at..][..self.count];
            if self.count == V::LANES {
                V::load(from)
            } else {
                V::load_part(from)
            }
        })
    }
    #[inline(always)]
    fn store<V: Value, L: Lanes<V>>(self, values: L, row: &mut [V::Element]) {
        for slot in 0..L::COUNT {
            let to = &mut row[slot * self.hidden + self.at..][..self.count];
            if self.count == V::LANES {
                values.lane(slot).store(to);
            } else {
                values.lane(slot).store_part(to);
            }
        }
    }
}

impl<E: Element, C: Cell> Job<E> for Of<Forward<'_, E>, C> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let mut w = self.0;
        for r in 0..w.after.rows() {
            let (drive, before) = (w.drive.row(r), w.before.row(r));
            let (after, saved) = (w.after.row(r), w.saved.row(r));
            Units::each::<V>(w.hidden, |u| {
                let (state, save) = C::forward::<V>(
                    u.load::<V, _>(drive),
                    u.load::<V, _>(before),
                    u.load::<V, _>(w.unit),
                );
                u.store::<V, _>(state, after);
                u.store::<V, _>(save, saved);
            });
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
            Units::each::<V>(w.hidden, |u| {
                let at = StepOf::<C, V> {
                    before: u.load::<V, _>(before),
                    after: u.load::<V, _>(after),
                    saved: u.load::<V, _>(saved),
                    unit: u.load::<V, _>(w.unit),
                };
                let [from_above] = u.load::<V, [V; 1]>(above);
                let carried: C::State<V> = u.load::<V, _>(d_state);
                let d_after = <C::State<V> as Lanes<V>>::make(|slot| match slot {
                    0 => carried.lane(0) + from_above,
                    _ => carried.lane(slot),
                });
                let (drive, before, unit) = C::backward::<V>(at, d_after);
                u.store::<V, _>(drive, d_drive);
                u.store::<V, _>(before, d_state);
                u.store::<V, _>(unit, d_unit);
            });
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
            Units::each::<V>(w.hidden, |u| {
                let at = StepOf::<C, V> {
                    before: u.load::<V, _>(w.before),
                    after: u.load::<V, _>(w.after),
                    saved: u.load::<V, _>(w.saved),
                    unit: u.load::<V, _>(w.unit),
                };
                let d_before = u.load::<V, _>(d_state);
                let d_after = C::tangent::<V>(at, u.load::<V, _>(d_drive), d_before);
                u.store::<V, _>(d_after, d_state);
            });
        }
    }
}
