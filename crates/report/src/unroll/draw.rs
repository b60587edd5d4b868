//! The drawing of the unrolled network.

use std::fmt::Write;

use super::{Column, Unrolled, UnrolledStep, columns};
use crate::chart::{Size, open, standalone};
use crate::palette::HEAT_STEPS;
use crate::text::{escape, number, px, shorten};

/// Width of a column (a step), of the fold, and of what stands left of the first step.
const COLUMN: f64 = 128.0;
const FOLD: f64 = 110.0;
const LEFT: f64 = 196.0;
/// Up to so many units a state is drawn unit by unit.
const MOST_UNITS: usize = 16;

/// Heights of the rows of the picture.
mod row {
    pub const OUTPUT: f64 = 92.0;
    pub const READOUT: f64 = 134.0;
    pub const STATE: f64 = 212.0;
    pub const ENTRY: f64 = 290.0;
    pub const INPUT: f64 = 332.0;
    pub const BACK: f64 = 368.0;
    pub const FIGURES: f64 = 410.0;
    pub const END: f64 = 524.0;
}

/// The unrolled network as an SVG file: one column a step, the shared weights in one colour, under each
/// step ‖h_t‖, mean φ′ and the gradient that arrives.
pub fn unroll_svg(unrolled: &Unrolled) -> String {
    let columns = columns(unrolled);
    let width_of = |c: &Column<'_>| {
        if matches!(c, Column::Step(_)) {
            COLUMN
        } else {
            FOLD
        }
    };
    let width = (LEFT + columns.iter().map(width_of).sum::<f64>() + 20.0).max(520.0);
    let size = Size {
        width,
        height: row::END,
    };
    let title = if unrolled.title.is_empty() {
        "The network unrolled through time"
    } else {
        &unrolled.title
    };
    let words = "One column a time step: input below, state in the middle, output above. The same weights W_xh, W_hh and W_hy stand in every column. Under each step: norm of the state, mean slope, norm of the gradient that arrives.";
    let mut out = open(size, title, words, "");
    let _ = write!(
        out,
        "<text class=\"strong\" style=\"font-size:17px\" x=\"16\" y=\"28\">{}</text><text x=\"16\" y=\"48\">{}</text>",
        escape(title),
        escape(&unrolled.subtitle)
    );
    if columns.is_empty() {
        let _ = write!(
            out,
            "<text class=\"none\" x=\"{}\" y=\"{}\">No steps to show.</text></svg>",
            px(width / 2.0),
            px(row::STATE)
        );
        return standalone(&out);
    }
    frame(&mut out, unrolled, width);
    let scales = Scales::of(unrolled);
    let mut x = LEFT;
    for (i, column) in columns.iter().enumerate() {
        let last = i + 1 == columns.len();
        match column {
            Column::Step(step) => draw_step(&mut out, step, x + COLUMN / 2.0, last, &scales),
            Column::Folded(n) => draw_fold(&mut out, *n, x),
        }
        x += width_of(column);
    }
    out.push_str("</svg>");
    standalone(&out)
}

/// The largest values, for the lengths of the bars under the steps.
struct Scales {
    norm: f64,
    gradient: (f64, f64),
}

impl Scales {
    fn of(unrolled: &Unrolled) -> Self {
        let usable = |pick: fn(&UnrolledStep) -> f64| {
            unrolled
                .steps
                .iter()
                .map(pick)
                .filter(|v| v.is_finite() && *v > 0.0)
        };
        let top = usable(|s| s.gradient).fold(0.0, f64::max);
        // At least three decades, so that a factor of two does not look like the whole way.
        let least = usable(|s| s.gradient).fold(top / 1000.0, f64::min);
        Self {
            norm: usable(|s| s.h_norm).fold(0.0, f64::max),
            gradient: (least, top),
        }
    }

    /// Length of the gradient's bar, 0 to 1, by the logarithm.
    fn gradient(&self, value: f64) -> f64 {
        let (low, high) = self.gradient;
        if value.is_nan() || value <= 0.0 || high <= 0.0 {
            return 0.0;
        }
        0.06 + 0.94 * ((value / low).ln() / (high / low).ln()).clamp(0.0, 1.0)
    }
}

/// Names of the rows at the left, and the start h_0.
fn frame(out: &mut String, unrolled: &Unrolled, width: f64) {
    for (y, name) in [
        (row::OUTPUT, "output y"),
        (row::STATE, "state h"),
        (row::INPUT, "input x"),
        (row::BACK, "gradient"),
    ] {
        let _ = write!(
            out,
            "<text class=\"lab\" x=\"16\" y=\"{}\">{name}</text>",
            px(y + 4.0)
        );
    }
    for (i, name) in ["‖h‖", "mean φ′", "‖∂L/∂h‖ (log)"].iter().enumerate() {
        let _ = write!(
            out,
            "<text class=\"lab\" x=\"16\" y=\"{}\">{name}</text>",
            px(row::FIGURES + 17.0 + 36.0 * i as f64)
        );
    }
    let _ = write!(
        out,
        "<line class=\"grid\" x1=\"16\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>",
        px(width - 16.0),
        y = px(row::FIGURES - 14.0)
    );
    let _ = write!(
        out,
        "<text class=\"mid key\" x=\"{x}\" y=\"{}\">h₀</text><text class=\"mid tick small\" x=\"{x}\" y=\"{}\">‖h₀‖ = {}</text>",
        px(row::STATE - 4.0),
        px(row::STATE + 13.0),
        escape(&number(unrolled.h0_norm)),
        x = px(LEFT - 66.0),
    );
    // The legend of the one colour.
    let _ = write!(
        out,
        "<rect class=\"f0\" x=\"{}\" y=\"18\" width=\"14\" height=\"14\" rx=\"3\"/><text class=\"key end\" x=\"{}\" y=\"30\">shared weights</text>",
        px(width - 30.0),
        px(width - 38.0)
    );
}

fn draw_step(out: &mut String, step: &UnrolledStep, x: f64, last: bool, scales: &Scales) {
    let name = |words: &str, values: &[f64]| {
        if words.is_empty() {
            vector(values)
        } else {
            format!("“{}”", shorten(words, 9))
        }
    };
    let arrow = |out: &mut String, x0: f64, y0: f64, x1: f64, y1: f64| {
        let (dx, dy) = (x1 - x0, y1 - y0);
        let long = dx.hypot(dy).max(1e-9);
        let (ux, uy) = (dx / long, dy / long);
        let (bx, by) = (x1 - 6.0 * ux, y1 - 6.0 * uy);
        let _ = write!(
            out,
            "<path class=\"axis\" style=\"stroke:inherit\" d=\"M{} {}L{} {}\"/><path d=\"M{} {}L{} {}L{} {}Z\"/>",
            px(x0),
            px(y0),
            px(x1),
            px(y1),
            px(x1),
            px(y1),
            px(bx - 3.5 * uy),
            px(by + 3.5 * ux),
            px(bx + 3.5 * uy),
            px(by - 3.5 * ux)
        );
    };
    let _ = write!(out, "<g class=\"arrow\">");
    // Input upward into the state, state upward to the output, state to the right.
    arrow(out, x, row::INPUT - 14.0, x, row::ENTRY + 12.0);
    arrow(out, x, row::ENTRY - 12.0, x, row::STATE + 42.0);
    arrow(
        out,
        x - COLUMN / 2.0 + 18.0,
        row::STATE,
        x - 28.0,
        row::STATE,
    );
    if !step.y.is_empty() || !step.y_name.is_empty() {
        arrow(out, x, row::STATE - 42.0, x, row::READOUT + 12.0);
        arrow(out, x, row::READOUT - 12.0, x, row::OUTPUT + 12.0);
    }
    // From the state before, or from h₀, to the weights.
    let _ = write!(
        out,
        "<path class=\"axis\" style=\"stroke:inherit\" d=\"M{} {y}h{}\"/>",
        px(x - COLUMN / 2.0 - 38.0),
        px(9.0),
        y = px(row::STATE)
    );
    if !last {
        let _ = write!(
            out,
            "<path class=\"axis\" style=\"stroke:inherit\" d=\"M{} {y}h{}\"/>",
            px(x + 26.0),
            px(9.0),
            y = px(row::STATE)
        );
    }
    out.push_str("</g>");
    weight(out, x, row::ENTRY, "W_xh");
    weight(out, x - COLUMN / 2.0 - 6.0, row::STATE, "W_hh");
    if !step.y.is_empty() || !step.y_name.is_empty() {
        weight(out, x, row::READOUT, "W_hy");
        let _ = write!(
            out,
            "<text class=\"mid num\" x=\"{}\" y=\"{}\">{}</text>",
            px(x),
            px(row::OUTPUT + 4.0),
            escape(&name(&step.y_name, &step.y))
        );
    }
    let _ = write!(
        out,
        "<text class=\"mid num\" x=\"{}\" y=\"{}\">{}</text>",
        px(x),
        px(row::INPUT + 4.0),
        escape(&name(&step.x_name, &step.x))
    );
    state(out, step, x);
    back(out, step, x, last, scales);
    figures(out, step, x, scales);
}

/// `[0.12, −0.3]`, cut after two.
fn vector(values: &[f64]) -> String {
    let short = |v: &f64| {
        if v.is_finite() {
            crate::text::trim_zeros(&format!("{v:.3}")).replace('-', "−")
        } else {
            "–".into()
        }
    };
    match values {
        [] => "–".into(),
        [one] => short(one),
        [a, b] => format!("[{}, {}]", short(a), short(b)),
        [a, ..] => format!("[{}, … {}]", short(a), values.len()),
    }
}

/// A box of shared weights: the same colour everywhere.
fn weight(out: &mut String, x: f64, y: f64, name: &str) {
    let _ = write!(
        out,
        "<rect class=\"f0\" x=\"{}\" y=\"{}\" width=\"46\" height=\"22\" rx=\"5\"/><text class=\"mid strong ondark\" x=\"{}\" y=\"{}\">{name}</text>",
        px(x - 23.0),
        px(y - 11.0),
        px(x),
        px(y + 4.0)
    );
}

/// The state: a rounded box with a cell for each unit, dark where |h| is large, with its sign.
fn state(out: &mut String, step: &UnrolledStep, x: f64) {
    let _ = write!(
        out,
        "<rect class=\"ring\" x=\"{}\" y=\"{}\" width=\"52\" height=\"80\" rx=\"12\" style=\"stroke-width:1.4\"/>",
        px(x - 26.0),
        px(row::STATE - 40.0)
    );
    let _ = write!(
        out,
        "<text class=\"mid tick small\" x=\"{}\" y=\"{}\">h<tspan dy=\"3\" font-size=\"9\">{}</tspan></text>",
        px(x + 40.0),
        px(row::STATE - 28.0),
        step.t
    );
    if step.h.is_empty() {
        return;
    }
    if let [_] | [_, _] | [_, _, _] = step.h[..] {
        for (i, h) in step.h.iter().enumerate() {
            let y = row::STATE + 4.0 + (i as f64 - (step.h.len() as f64 - 1.0) / 2.0) * 20.0;
            let _ = write!(
                out,
                "<text class=\"mid num small\" x=\"{}\" y=\"{}\">{}</text>",
                px(x),
                px(y),
                escape(&vector(&[*h]))
            );
        }
        return;
    }
    let shown = step.h.len().min(MOST_UNITS);
    let across = if shown > 4 { 4 } else { 1 };
    let down = shown.div_ceil(across);
    let (w, h) = (40.0 / across as f64, 68.0 / down as f64);
    for (i, value) in step.h.iter().take(shown).enumerate() {
        let (cx, cy) = (
            x - 20.0 + (i % across) as f64 * w,
            row::STATE - 34.0 + (i / across) as f64 * h,
        );
        if !value.is_finite() {
            continue;
        }
        let shade = ((value.abs().min(1.0) * HEAT_STEPS as f64) as usize).min(HEAT_STEPS - 1);
        let sign = if *value < 0.0 { "−" } else { "" };
        let _ = write!(
            out,
            "<rect class=\"q{shade}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"1.5\"/><text class=\"oncell{}\" x=\"{}\" y=\"{}\">{sign}</text>",
            px(cx + 0.5),
            px(cy + 0.5),
            px(w - 1.0),
            px(h - 1.0),
            if shade >= HEAT_STEPS / 2 {
                " ondark"
            } else {
                ""
            },
            px(cx + w / 2.0),
            px(cy + h / 2.0 + 4.0)
        );
    }
}

/// The gradient on its way back: the thicker the arrow, the more of it is left.
fn back(out: &mut String, step: &UnrolledStep, x: f64, last: bool, scales: &Scales) {
    let share = scales.gradient(step.gradient);
    if share <= 0.0 {
        return;
    }
    let thick = 1.0 + 7.0 * share;
    let from = if last { x + 20.0 } else { x + COLUMN / 2.0 };
    let _ = write!(
        out,
        "<path class=\"s1\" style=\"stroke-width:{};fill:none\" d=\"M{} {y}H{}\"/><path class=\"f1\" d=\"M{} {y}l10 -7v14z\"/>",
        px(thick),
        px(from),
        px(x - COLUMN / 2.0 + 14.0),
        px(x - COLUMN / 2.0 + 4.0),
        y = px(row::BACK)
    );
}

/// Norm, slope and gradient as numbers with a bar.
fn figures(out: &mut String, step: &UnrolledStep, x: f64, scales: &Scales) {
    let share = |value: f64, top: f64| {
        if value.is_finite() && top > 0.0 {
            (value / top).clamp(0.0, 1.0)
        } else {
            0.0
        }
    };
    let lines = [
        (step.h_norm, share(step.h_norm, scales.norm), "f2"),
        (step.slope, share(step.slope, 1.0), "f4"),
        (step.gradient, scales.gradient(step.gradient), "f1"),
    ];
    for (i, (value, share, class)) in lines.into_iter().enumerate() {
        let y = row::FIGURES + 36.0 * i as f64;
        let text = if value != 0.0 && value.abs() < 1e-3 {
            format!("{value:.1e}")
        } else {
            number((value * 1e4).round() / 1e4)
        };
        let _ = write!(
            out,
            "<text class=\"num\" x=\"{l}\" y=\"{}\">{}</text><rect class=\"weak\" style=\"opacity:.35\" x=\"{l}\" y=\"{}\" width=\"96\" height=\"5\" rx=\"2.5\"/>\
             <rect class=\"{class}\" x=\"{l}\" y=\"{}\" width=\"{}\" height=\"5\" rx=\"2.5\"/>",
            px(y + 14.0),
            escape(&text),
            px(y + 19.0),
            px(y + 19.0),
            px(96.0 * share),
            l = px(x - 48.0),
        );
    }
}

/// The fold: what is left out.
fn draw_fold(out: &mut String, steps: usize, x: f64) {
    let words = if steps == 1 {
        "1 step".to_string()
    } else {
        format!("{steps} steps")
    };
    let _ = write!(
        out,
        "<text class=\"mid strong\" style=\"font-size:20px\" x=\"{m}\" y=\"{}\">…</text><text class=\"mid key\" x=\"{m}\" y=\"{}\">{words}</text>\
         <text class=\"mid tick\" x=\"{m}\" y=\"{}\">folded</text>\
         <path class=\"rule\" fill=\"none\" d=\"M{a} {t}V{b}M{c} {t}V{b}\"/>",
        px(row::STATE - 12.0),
        px(row::STATE + 8.0),
        px(row::STATE + 26.0),
        m = px(x + FOLD / 2.0 - 12.0),
        a = px(x + 2.0),
        c = px(x + FOLD - 32.0),
        t = px(row::OUTPUT - 10.0),
        b = px(row::END - 20.0),
    );
}
