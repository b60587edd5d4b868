//! A plain layer, y = W x + b, over many rows at once.

use crate::sum::{Place, Sum, is_long};
use crate::{Element, Error, Params};
use elman_kernels::{Level, Packed, Pick, Rows, RowsMut, Start, Team, product};

/// W `[out, in]` and, where it has one, b `[out]`, under names in a parameter buffer; packed once for each change.
#[derive(Clone, Debug)]
pub(crate) struct Dense<E> {
    weight: String,
    bias: Option<String>,
    forward: Packed<E>,
    back: Packed<E>,
    offset: Vec<E>,
}

impl<E: Element> Dense<E> {
    /// The layer whose parameters have these names.
    pub fn new(params: &Params<E>, weight: &str, bias: Option<&str>) -> Result<Dense<E>, Error> {
        let shape = &params.layout().find(weight)?.shape;
        let (out, reads) = (shape[0], *shape.get(1).unwrap_or(&1));
        let mut dense = Dense {
            weight: weight.into(),
            bias: bias.map(String::from),
            forward: Packed::zeros(reads, out),
            back: Packed::zeros(out, reads),
            offset: vec![E::ZERO; out],
        };
        dense.refresh(params)?;
        Ok(dense)
    }
    /// Packs again, after the parameters have changed.
    pub fn refresh(&mut self, params: &Params<E>) -> Result<(), Error> {
        self.check(params)?;
        let w = Rows::new(
            params.get(&self.weight)?,
            self.forward.n(),
            self.forward.k(),
        );
        self.forward.pack_transposed(0, w);
        self.back.pack(0, w);
        if let Some(bias) = &self.bias {
            self.offset.copy_from_slice(params.get(bias)?);
        }
        Ok(())
    }
    /// An error unless these parameters have its matrix and its bias.
    pub fn check(&self, params: &Params<E>) -> Result<(), Error> {
        let (out, reads) = (self.forward.n(), self.forward.k());
        let shape = || format!("[{out}, {reads}]");
        let has = params.get(&self.weight)?.len();
        Error::check_size("a matrix beside the network", has, &[out, reads], shape)?;
        let Some(bias) = &self.bias else {
            return Ok(());
        };
        let has = params.get(bias)?.len();
        Error::check_size("a bias beside the network", has, &[out], || {
            format!("[{out}]")
        })
    }
    /// Width of what it reads.
    pub fn reads(&self) -> usize {
        self.forward.k()
    }
    /// Width of what it gives.
    pub fn gives(&self) -> usize {
        self.forward.n()
    }
    /// y `[rows, out]` from x `[rows, in]`.
    pub fn forward(&self, level: Level, x: Rows<'_, E>, y: &mut Vec<E>, team: &Team) {
        through(level, x, &self.forward, Start::Row(&self.offset), y, team);
    }
    /// ∂L/∂x from ∂L/∂y into `d_x`; adds ∂L/∂W and ∂L/∂b to `gradient`.
    pub fn backward(
        &self,
        level: Level,
        (x, d_y): (Rows<'_, E>, Rows<'_, E>),
        d_x: &mut Vec<E>,
        gradient: &mut Params<E>,
        team: &Team,
    ) -> Result<(), Error> {
        through(level, d_y, &self.back, Start::Zero, d_x, team);
        let (out, reads) = (self.forward.n(), self.forward.k());
        let rows = d_y.rows();
        let mut lost = vec![E::ZERO; if is_long(rows) { out * reads + out } else { 0 }];
        let (lost, lost_bias) = match is_long(rows) {
            true => lost.split_at_mut(out * reads),
            false => Default::default(),
        };
        fn to<'a, E>(out: &'a mut [E], lost: &'a mut [E]) -> Place<'a, E> {
            let lost = (!lost.is_empty()).then_some(lost);
            Place { out, lost }
        }
        let weight = to(gradient.get_mut(&self.weight)?, lost);
        let weight = Sum::outer(d_y, x, Pick::All, weight);
        // Cut by rows of W, never by summands: the sums do not depend on the threads.
        team.each(&mut weight.split(team.threads()), |part| {
            part.run(level, 0, rows);
        });
        if let Some(bias) = &self.bias {
            Sum::columns(d_y, to(gradient.get_mut(bias)?, lost_bias)).run(level, 0, rows);
        }
        Ok(())
    }
}

/// The product of all rows of `x`, shared by rows.
fn through<E: Element>(
    level: Level,
    x: Rows<'_, E>,
    packed: &Packed<E>,
    start: Start<'_, E>,
    y: &mut Vec<E>,
    team: &Team,
) {
    let (rows, width) = (x.rows(), packed.n());
    y.resize(rows * width, E::ZERO);
    let (mut rest, mut from) = (RowsMut::new(y, rows, width), 0);
    let mut parts = Vec::new();
    for left in (1..=team.threads()).rev() {
        let share = rest.rows() / left;
        let (head, tail) = rest.split(share);
        parts.push((x.slice(from, from + share), head));
        (rest, from) = (tail, from + share);
    }
    team.each(&mut parts, |(x, y)| {
        if x.rows() > 0 {
            product(level, *x, packed, y.reborrow(), start);
        }
    });
}
