//! A split buffer: every row to one owner, threads writing at once, and the ends.

use elman_kernels::{StepsMut, Team};

/// Blocks of 3, 3, 2, 0 and 1 rows.
const OFFSETS: [usize; 6] = [0, 3, 6, 8, 8, 9];

#[test]
fn each_row_belongs_to_one_owner() {
    for cut in 0..5 {
        for second in cut..5 {
            let mut data = vec![0; 9 * 2];
            let (a, rest) = StepsMut::new(&mut data, &OFFSETS, 2).split(cut);
            let (b, c) = rest.split(second);
            let mut parts = [(a, 1), (b, 2), (c, 3)];
            Team::new(3).each(&mut parts, |(part, mark)| {
                for t in 0..5 {
                    let mut step = part.step_mut(t);
                    for r in 0..step.rows() {
                        step.row(r).iter_mut().for_each(|x| *x += *mark);
                    }
                    assert_eq!(part.step(t).data().len(), part.step(t).rows() * 2);
                }
            });
            for t in 0..5 {
                for row in OFFSETS[t]..OFFSETS[t + 1] {
                    let own = row - OFFSETS[t];
                    let mark = if own < cut {
                        1
                    } else if own < second {
                        2
                    } else {
                        3
                    };
                    assert_eq!(data[2 * row..2 * row + 2], [mark; 2]);
                }
            }
        }
    }
}

#[test]
fn pairs_and_blocks() {
    let mut data: Vec<usize> = (0..9).collect();
    let mut all = StepsMut::new(&mut data, &OFFSETS, 1);
    let (before, mut after) = all.pair(1);
    assert_eq!((before.rows(), after.rows()), (3, 2));
    after.row(1)[0] = before.row(2)[0];
    assert_eq!(
        all.blocks(0, 3).expect("whole").data(),
        [0, 1, 2, 3, 4, 5, 6, 5]
    );
    assert_eq!(all.blocks(2, 4).expect("whole").rows(), 2);
    assert_eq!(all.blocks_mut(0, 5).expect("whole").rows(), 9);
    let (head, tail) = all.split(2);
    assert!(head.blocks(0, 2).is_none() && tail.blocks(0, 2).is_none());
    assert_eq!(head.blocks(1, 2).expect("one block").data(), [3, 4]);
    assert_eq!(tail.blocks(1, 2).expect("one block").data(), [5]);
    // Blocks of which the first owner has every row are whole for it.
    assert_eq!(head.blocks(2, 5).expect("whole").data(), [6, 5, 8]);
    assert_eq!(tail.step(3).rows(), 0);
}

#[test]
#[should_panic]
fn a_block_past_the_end() {
    let mut data = [0; 9];
    StepsMut::new(&mut data, &OFFSETS, 1).step(5);
}

#[test]
#[should_panic]
fn too_little_data() {
    StepsMut::new(&mut [0; 8], &OFFSETS, 1);
}

#[test]
#[should_panic]
fn sizes_that_overflow() {
    StepsMut::new(&mut [0u8; 8], &[0, usize::MAX / 2 + 1], 2);
}

#[test]
#[should_panic]
fn falling_offsets() {
    StepsMut::new(&mut [0; 8], &[0, 4, 2, 8], 1);
}
