//! Candle: one input projection for all steps, then a loop of tensor operations; gradients by its own backward.

use anyhow::Result;
use candle_core::{Device, Tensor, Var};
use candle_nn::ops::sigmoid;
use peers::{Once, Work, serve};

struct Net {
    cell: String,
    hidden: usize,
    w_ih: Var,
    w_hh: Var,
    b_ih: Var,
    b_hh: Var,
}

type Transposed = (Tensor, Tensor);

impl Net {
    fn load(work: &Work) -> Result<Net> {
        let (gh, f, h) = (work.gates() * work.hidden, work.input, work.hidden);
        let var = |file: &str, shape: &[usize]| -> Result<Var> {
            let tensor = Tensor::from_vec(work.read(file)?, shape, &Device::Cpu)?;
            Ok(Var::from_tensor(&tensor)?)
        };
        Ok(Net {
            cell: work.cell.clone(),
            hidden: h,
            w_ih: var("w_ih", &[gh, f])?,
            w_hh: var("w_hh", &[gh, h])?,
            b_ih: var("b_ih", &[gh])?,
            b_hh: var("b_hh", &[gh])?,
        })
    }
    fn transposed(&self) -> Result<Transposed> {
        Ok((self.w_ih.t()?, self.w_hh.t()?))
    }
    /// `xz` is W_ih x + b_ih, `[B, gates H]`; h and c are `[B, H]`.
    fn step(&self, xz: &Tensor, w_hh: &Tensor, h: &Tensor, c: &Tensor) -> Result<(Tensor, Tensor)> {
        let n = self.hidden;
        let hz = h.matmul(w_hh)?.broadcast_add(self.b_hh.as_tensor())?;
        Ok(match self.cell.as_str() {
            "lstm" => {
                let z = (xz + hz)?;
                let part = |g: usize| z.narrow(1, g * n, n);
                let (i, f) = (sigmoid(&part(0)?)?, sigmoid(&part(1)?)?);
                let (g, o) = (part(2)?.tanh()?, sigmoid(&part(3)?)?);
                let c = ((f * c)? + (i * g)?)?;
                ((o * c.tanh()?)?, c)
            }
            "gru" => {
                let rz = sigmoid(&(xz.narrow(1, 0, 2 * n)? + hz.narrow(1, 0, 2 * n)?)?)?;
                let (r, z) = (rz.narrow(1, 0, n)?, rz.narrow(1, n, n)?);
                let new = (xz.narrow(1, 2 * n, n)? + (r * hz.narrow(1, 2 * n, n)?)?)?.tanh()?;
                ((&new + (z * (h - &new)?)?)?, c.clone())
            }
            _ => ((xz + hz)?.tanh()?, c.clone()),
        })
    }
    /// All h, `[T, B, H]`.
    fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (t, b, f) = x.dims3()?;
        let (w_ih, w_hh) = self.transposed()?;
        let z = x.reshape((t * b, f))?.matmul(&w_ih)?;
        let z = z.broadcast_add(self.b_ih.as_tensor())?.reshape((t, b, ()))?;
        let mut h = Tensor::zeros((b, self.hidden), x.dtype(), &Device::Cpu)?;
        let mut c = h.clone();
        let mut all = Vec::with_capacity(t);
        for step in 0..t {
            (h, c) = self.step(&z.get(step)?, &w_hh, &h, &c)?;
            all.push(h.clone());
        }
        Ok(Tensor::stack(&all, 0)?)
    }
}

fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

fn load(work: &Work) -> Result<Once> {
    let net = Net::load(work)?;
    if work.mode == "stream" {
        let x = Tensor::from_vec(work.read("x")?, (64, 1, work.input), &Device::Cpu)?;
        let x: Vec<Tensor> = (0..64).map(|t| x.get(t)).collect::<Result<_, _>>()?;
        let (w_ih, w_hh) = (net.w_ih.t()?.contiguous()?.detach(), net.w_hh.t()?.contiguous()?.detach());
        let zero = Tensor::zeros((1, work.hidden), x[0].dtype(), &Device::Cpu)?;
        let once = move |all: &mut Vec<f32>| -> Result<usize> {
            let (mut h, mut c) = (zero.clone(), zero.clone());
            for x in &x {
                let z = x.matmul(&w_ih)?.broadcast_add(&net.b_ih.as_detached_tensor())?;
                let (next_h, next_c) = net.step(&z, &w_hh, &h, &c)?;
                (h, c) = (next_h.detach(), next_c.detach());
                all.extend(flat(&h)?);
            }
            Ok(x.len())
        };
        let mut y = Vec::new();
        once(&mut y)?;
        work.write("y", &y)?;
        return Ok(Box::new(move || {
            y.clear();
            once(&mut y)
        }));
    }
    let shape = (work.steps, work.batch, work.input);
    let x = Tensor::from_vec(work.read("x")?, shape, &Device::Cpu)?;
    let y = net.run(&x)?;
    work.write("y", &flat(&y)?)?;
    if work.mode == "infer" {
        return Ok(Box::new(move || Ok(flat(&net.run(&x)?)?.len().min(1))));
    }
    let gradients = net.run(&x)?.sqr()?.mean_all()?.backward()?;
    for (name, var) in [("w_ih", &net.w_ih), ("w_hh", &net.w_hh), ("b_ih", &net.b_ih), ("b_hh", &net.b_hh)] {
        if let Some(gradient) = gradients.get(var.as_tensor()) {
            work.write(name, &flat(gradient)?)?;
        }
    }
    Ok(Box::new(move || {
        let gradients = net.run(&x)?.sqr()?.mean_all()?.backward()?;
        Ok(usize::from(gradients.get(net.w_hh.as_tensor()).is_some()))
    }))
}

fn main() -> Result<()> {
    serve(load)
}
