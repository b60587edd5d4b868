//! The lesson on any run: the same quantities as [`lesson`](crate::lesson()), of the user's own network and data.

use super::{Item, Number};
use crate::omega::arrival;
use crate::{Error, LagOptions, Scope, dense, lag_profile, lesson_bound};

/// Units and rows that are shown of what may be large.
const SHOWN: usize = 4;

/// The lesson's examples and problems on row `row` of a run; it must have two steps or more.
pub fn lesson_on(scope: &Scope, row: usize) -> Result<Vec<Item>, Error> {
    let steps = match row < scope.batch().rows() {
        true => scope.batch().length(row),
        false => 0,
    };
    if steps < 2 {
        let text = format!("row {row} has {steps} steps, and the lesson unrolls at least 2");
        return Err(Error::Option(text));
    }
    Ok(vec![
        example_1(scope, row),
        example_2(scope, row)?,
        example_3(scope)?,
        problem_1(scope)?,
        problem_2(scope, row, steps)?,
        problem_4(scope, row)?,
    ])
}

fn shown(v: &[f64]) -> Number {
    Number::Vector(v.iter().take(SHOWN).copied().collect())
}

fn example_1(scope: &Scope, row: usize) -> Item {
    let question = "The first two steps of this run (the first units of each).";
    let mut item = Item::new("Example 1: unrolling, on this run", question, None);
    for t in 1..=2 {
        item.add(
            format!("h{t}"),
            "h_t from h_{t-1} and x_t",
            None,
            shown(&scope.state(t, row)),
        );
    }
    for t in 0..2 {
        let y = scope.trace().output(t, row).unwrap_or_default();
        item.add(
            format!("y{}", t + 1),
            "y_t = W_hy h_t + b_y",
            None,
            shown(y),
        );
    }
    item
}

fn example_2(scope: &Scope, row: usize) -> Result<Item, Error> {
    let question = "How do the states after step 2 depend on those after step 1?";
    let mut item = Item::new(
        "Example 2: one factor of the product, on this run",
        question,
        None,
    );
    let n = scope.width();
    let j = scope.jacobian(1, row)?;
    let corner = j
        .chunks_exact(n)
        .take(SHOWN)
        .map(|r| r.iter().take(SHOWN).copied().collect());
    let formula = "the corner of J_2, of the joint state of all layers";
    item.add("ds2/ds1", formula, None, Number::Matrix(corner.collect()));
    let norm = dense::norm(dense::rows(&j, n, n))?;
    item.add("|ds2/ds1|", "its spectral norm", None, Number::Scalar(norm));
    Ok(item)
}

fn example_3(scope: &Scope) -> Result<Item, Error> {
    let question = "What fraction of the gradient of a loss reaches the earliest step?";
    let mut item = Item::new("Example 3: vanishing gradient, on this run", question, None);
    let options = LagOptions {
        credit: false,
        ..LagOptions::default()
    };
    let profile = lag_profile(scope, &options)?;
    let last = profile.max_lag();
    let formula = "mean norm of dL_s/ds_{s-k} over that of dL_s/ds_s";
    item.add(
        format!("k = {last}"),
        formula,
        None,
        Number::Scalar(profile.ratio(last)),
    );
    let log = (profile.ln_mean[last] - profile.ln_mean[0]) / std::f64::consts::LN_10;
    item.add(
        "as a power of ten",
        "log10 of the same",
        None,
        Number::Scalar(log),
    );
    Ok(item)
}

fn problem_1(scope: &Scope) -> Result<Item, Error> {
    let mut item = Item::new(
        "Problem 1, on this run",
        "What are the dimensions of the parameters?",
        None,
    );
    for view in scope.params().layout().views() {
        item.add(
            view.name.clone(),
            "rows x columns",
            None,
            Number::Shape(view.shape.clone()),
        );
    }
    Ok(item)
}

fn problem_2(scope: &Scope, row: usize, steps: usize) -> Result<Item, Error> {
    let remark = "The bound holds from above only: above 1 a step it permits growth, and does not say that there is any.";
    let question = "What happens to gradients over this row: the bound, and the measured product?";
    let mut item = Item::new("Problem 2, on this run", question, Some(remark));
    let product = crate::jacobian::ln_product(scope, row, 1, steps - 1)?;
    if let Some(bound) = lesson_bound(scope)? {
        item.add(
            "|W_hh|",
            "largest singular value (leaky cells: of diag(a) W_hh)",
            None,
            Number::Scalar(bound.norm),
        );
        let most = (steps - 1) as f64 * bound.per_step.ln() / std::f64::consts::LN_10;
        let formula = "log10 of (bound per step)^(T-1): at most";
        item.add(
            "bound per step",
            "|W_hh| max slope, and what the step keeps beside it",
            None,
            Number::Scalar(bound.per_step),
        );
        item.add(
            "bound, as a power of ten",
            formula,
            None,
            Number::Scalar(most),
        );
    }
    let measured = Number::Scalar(product / std::f64::consts::LN_10);
    item.add(
        "|ds_T/ds_1|, as a power of ten",
        "log10 of the norm of the product",
        None,
        measured,
    );
    Ok(item)
}

fn problem_4(scope: &Scope, row: usize) -> Result<Item, Error> {
    let question = "The gradient that arrives at each step of this row (the last few).";
    let mut item = Item::new("Problem 4, on this run", question, None);
    let arrived = arrival(scope)?;
    let norms = &arrived.ln_norm[row];
    for (t, ln) in norms.iter().enumerate().rev().take(SHOWN) {
        let formula = "log10 |delta_t|, delta_t = dL_t/ds_t + J_{t+1}^T delta_{t+1}";
        item.add(
            format!("t = {}", t + 1),
            formula,
            None,
            Number::Scalar(ln / std::f64::consts::LN_10),
        );
    }
    Ok(item)
}
