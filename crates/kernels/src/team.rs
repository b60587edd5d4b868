//! Threads that wait ready, so that a short piece of work can be shared.

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a thread looks for work before it sleeps. Waking costs tens of microseconds, so the pauses between two
/// calls of one training step should be shorter than this; and an idle team should cost nothing.
const SPIN: Duration = Duration::from_micros(50);

/// A team of threads, the caller one of them.
///
/// A hand-over costs well under a microsecond while the others still look for work, and as much as waking a thread
/// once they sleep. A team may be used by several threads at once, and from inside its own work: whoever finds it
/// busy does all of the work alone.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// Held by the caller whose work is being shared.
    turn: Mutex<()>,
}

struct Shared {
    slots: Vec<Slot>,
    /// Whether the caller sleeps until the helpers are done, and who that is.
    waiting: AtomicBool,
    caller: Mutex<Option<Thread>>,
}

/// A helper's letter box, on cache lines of its own.
#[repr(align(128))]
struct Slot {
    state: AtomicU32,
    asleep: AtomicBool,
    task: UnsafeCell<Option<Task>>,
    /// What a panic left.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

const IDLE: u32 = 0;
const WORK: u32 = 1;
const STOP: u32 = 2;

/// A call of `run(share, number of the thread)`.
#[derive(Clone, Copy)]
struct Task {
    share: *const (),
    run: unsafe fn(*const (), usize),
}

// SAFETY: `task` is written by the caller while the state is IDLE and read by the helper while it is WORK, and the
// state changes with release and acquire; a task's share is `Sync` (see `Share`).
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

impl Team {
    /// A team of `threads` (at least 1); of fewer, where the system gives no more.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            slots: (1..threads).map(|_| Slot::new()).collect(),
            waiting: AtomicBool::new(false),
            caller: Mutex::new(None),
        });
        let mut helpers = Vec::new();
        for i in 0..shared.slots.len() {
            let shared = Arc::clone(&shared);
            let name = format!("elman-{}", i + 1);
            match std::thread::Builder::new()
                .name(name)
                .spawn(move || shared.help(i))
            {
                Ok(helper) => helpers.push(helper),
                Err(_) => break,
            }
        }
        Team {
            shared,
            helpers,
            turn: Mutex::new(()),
        }
    }
    /// How many threads.
    pub fn threads(&self) -> usize {
        self.helpers.len() + 1
    }
    /// Runs `work` on every item, item `i` by thread `i mod threads`, the caller being thread 0; returns when all
    /// are done. Where `work` panics, the other threads still finish theirs, and the panic goes on in the caller.
    pub fn each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        let busy = items.len().min(self.threads());
        if busy <= 1 {
            return items.iter_mut().for_each(work);
        }
        // The lock guards no data, so that a panic under it spoils nothing.
        let turn = match self.turn.try_lock() {
            Err(std::sync::TryLockError::WouldBlock) => return items.iter_mut().for_each(work),
            Err(std::sync::TryLockError::Poisoned(turn)) => turn.into_inner(),
            Ok(turn) => turn,
        };
        let share = Share {
            items: items.as_mut_ptr(),
            len: items.len(),
            threads: self.threads(),
            work: &work,
        };
        let task = share.task();
        let slots = &self.shared.slots[..busy - 1];
        for (slot, helper) in slots.iter().zip(&self.helpers) {
            // SAFETY: the state is IDLE (every call waits for that), so the helper does not look at the task. The
            // share outlives the work: we return only when the helpers are done, whatever panics.
            unsafe { *slot.task.get() = Some(task) };
            slot.state.store(WORK, SeqCst);
            if slot.asleep.load(SeqCst) {
                helper.thread().unpark();
            }
        }
        // SAFETY: the share is of this type, and no other thread has number 0.
        let own = catch_unwind(AssertUnwindSafe(|| unsafe { share.run(0) }));
        self.shared.wait(slots);
        let panics = slots.iter().filter_map(|slot| slot.take_panic());
        let panic = own.err().into_iter().chain(panics.collect::<Vec<_>>());
        drop(turn);
        if let Some(panic) = panic.into_iter().next() {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for (slot, helper) in self.shared.slots.iter().zip(&self.helpers) {
            slot.state.store(STOP, SeqCst);
            helper.thread().unpark();
        }
        for helper in self.helpers.drain(..) {
            // A helper catches what its work throws: there is nothing to pass on.
            let _ = helper.join();
        }
    }
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team")
            .field("threads", &self.threads())
            .finish()
    }
}

/// Items dealt out in turn.
struct Share<'a, T, F> {
    items: *mut T,
    len: usize,
    threads: usize,
    work: &'a F,
}

impl<T: Send, F: Fn(&mut T) + Sync> Share<'_, T, F> {
    fn task(&self) -> Task {
        Task {
            share: (&raw const *self).cast(),
            run: run_share::<T, F>,
        }
    }
    /// # Safety
    /// No two threads may have the same number.
    unsafe fn run(&self, thread: usize) {
        for i in (thread..self.len).step_by(self.threads) {
            // SAFETY: item i belongs to thread i mod threads alone, and may be sent to it.
            (self.work)(unsafe { &mut *self.items.add(i) });
        }
    }
}

/// # Safety
/// `share` must be a `Share<T, F>`, and no two threads may have the same number.
unsafe fn run_share<T: Send, F: Fn(&mut T) + Sync>(share: *const (), thread: usize) {
    // SAFETY: the caller promises both.
    unsafe { (*share.cast::<Share<'_, T, F>>()).run(thread) }
}

impl Slot {
    fn new() -> Self {
        Slot {
            state: AtomicU32::new(IDLE),
            asleep: AtomicBool::new(false),
            task: UnsafeCell::new(None),
            panic: Mutex::new(None),
        }
    }
    fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
    /// The state, once it is not IDLE.
    fn look(&self) -> u32 {
        let ready = || self.state.load(SeqCst) != IDLE;
        while !spin_until(ready) {
            self.asleep.store(true, SeqCst);
            // Either we see the caller's letter here, or the caller sees us asleep and wakes us.
            while !ready() {
                std::thread::park();
            }
            self.asleep.store(false, SeqCst);
        }
        self.state.load(SeqCst)
    }
}

impl Shared {
    /// The life of helper `i`, which is thread `i + 1`.
    fn help(&self, i: usize) {
        let slot = &self.slots[i];
        while slot.look() == WORK {
            // SAFETY: the state is WORK: the task is there, and the caller does not touch it.
            let task = unsafe { *slot.task.get() };
            if let Some(task) = task {
                // SAFETY: the task's share is kept until we are done, and each helper has its own number.
                let done = catch_unwind(AssertUnwindSafe(|| unsafe {
                    (task.run)(task.share, i + 1)
                }));
                if let Err(panic) = done {
                    *slot.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
            }
            slot.state.store(IDLE, SeqCst);
            if self.waiting.load(SeqCst) {
                let caller = self.caller.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(caller) = &*caller {
                    caller.unpark();
                }
            }
        }
    }
    /// Returns when all these helpers are done.
    fn wait(&self, slots: &[Slot]) {
        let done = || slots.iter().all(|slot| slot.state.load(SeqCst) == IDLE);
        if spin_until(done) {
            return;
        }
        let caller = || self.caller.lock().unwrap_or_else(PoisonError::into_inner);
        *caller() = Some(std::thread::current());
        self.waiting.store(true, SeqCst);
        // Either we see the last helper done here, or it sees us waiting and wakes us.
        while !done() {
            std::thread::park();
        }
        self.waiting.store(false, SeqCst);
        *caller() = None;
    }
}

/// Looks for a short while; whether it became so.
fn spin_until(ready: impl Fn() -> bool) -> bool {
    if ready() {
        return true;
    }
    let begin = Instant::now();
    loop {
        for _ in 0..32 {
            std::hint::spin_loop();
            if ready() {
                return true;
            }
        }
        if begin.elapsed() > SPIN {
            return false;
        }
    }
}
