//! Truncated backpropagation through time with two numbers — R. J. Williams and J. Peng, "An efficient
//! gradient-based algorithm for on-line training of recurrent network trajectories", Neural Computation 2 (1990).

use crate::Error;

/// How far back gradients go, and how often a backward pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Steps that a gradient goes back, at least 1.
    pub length: usize,
    /// Steps between backward passes, from 1 to `length`.
    pub stride: usize,
    /// First steps of a sequence that count in no loss.
    pub burn_in: usize,
}

/// One window of a sequence.
///
/// Run forward over steps `start..end` from the state kept for `start`; outputs of steps before `counted` (and
/// only those) carry no cotangent, because an earlier window has counted them; run backward with a zero gradient
/// of the last state; keep the state after step `keep` (that is, before step `keep`, from 0) for the next window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First step.
    pub start: usize,
    /// One past the last step.
    pub end: usize,
    /// First step whose output counts in the loss; `end` where none does.
    pub counted: usize,
    /// Where the next window starts; `end` for the last.
    pub keep: usize,
}

impl Window {
    /// Full backpropagation through time over `steps`.
    pub fn full(steps: usize) -> Window {
        Window {
            length: steps,
            stride: steps,
            burn_in: 0,
        }
    }
    /// A window of `length`, with as many steps between backward passes.
    pub fn of(length: usize) -> Window {
        Window::full(length)
    }
    /// That `1 ≤ stride ≤ length`.
    pub fn check(&self) -> Result<(), Error> {
        if self.length == 0 || self.stride == 0 {
            let text = "a window has at least 1 step, and its stride is at least 1".into();
            return Err(Error::Window(text));
        }
        if self.stride > self.length {
            return Err(Error::Window(format!(
                "the stride of {} is longer than the window of {}: the outputs between would reach no weight; \
                 make the stride {} or less",
                self.stride, self.length, self.length
            )));
        }
        Ok(())
    }
    /// The windows of a sequence of `steps`: each ends `stride` after the one before, the last at `steps`.
    /// Every step from `burn_in` on counts in exactly one of them.
    pub fn spans(&self, steps: usize) -> Vec<Span> {
        let stride = self.stride.max(1);
        let start = |end: usize| end.saturating_sub(self.length.max(stride));
        let ends: Vec<usize> = (1..=steps.div_ceil(stride))
            .map(|i| (i * stride).min(steps))
            .collect();
        let mut from = 0;
        let mut spans = Vec::with_capacity(ends.len());
        for (i, &end) in ends.iter().enumerate() {
            spans.push(Span {
                start: start(end),
                end,
                counted: from.max(self.burn_in).min(end),
                keep: ends.get(i + 1).map_or(end, |&next| start(next)),
            });
            from = end;
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_counts_once() {
        for (length, stride, burn_in, steps) in
            [(5, 5, 0, 17), (6, 2, 3, 19), (4, 1, 0, 4), (9, 9, 20, 18)]
        {
            let window = Window {
                length,
                stride,
                burn_in,
            };
            let mut counts = vec![0; steps];
            let mut start = 0;
            for span in window.spans(steps) {
                assert_eq!(span.start, start, "windows begin where the state was kept");
                assert!(
                    span.end - span.start <= length
                        && span.start <= span.keep
                        && span.keep <= span.end
                );
                (span.counted..span.end).for_each(|t| counts[t] += 1);
                start = span.keep;
            }
            let expected: Vec<i32> = (0..steps).map(|t| i32::from(t >= burn_in)).collect();
            assert_eq!(counts, expected);
        }
    }
    #[test]
    fn the_full_window_is_one() {
        let spans = Window::full(7).spans(7);
        assert_eq!(
            spans,
            [Span {
                start: 0,
                end: 7,
                counted: 0,
                keep: 7
            }]
        );
    }
    #[test]
    fn a_stride_beyond_the_window_is_refused() {
        let window = Window {
            length: 3,
            stride: 4,
            burn_in: 0,
        };
        assert!(matches!(window.check(), Err(Error::Window(_))));
    }
}
