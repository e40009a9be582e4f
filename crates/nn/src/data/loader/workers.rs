//! `Workers`: threads that do numbered jobs ahead of time and hand the results over in order.
//!
//! Worker w of n does the jobs w, w + n, w + 2n, …, and puts the results into a queue of its own.
//! Job k is therefore the next in queue k mod n, whoever is fast and whoever is slow: order needs
//! no bookkeeping, and a result can be neither lost nor handed over twice.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use macula_tensor::{Error, Result};

/// Results that may wait in the queue of a worker. Together with the one it is working on, it is
/// two jobs ahead: enough to hide a slow one, few enough that large batches fit in memory.
const QUEUE: usize = 1;

/// Threads at work on one epoch; dropping them ends them.
pub(super) struct Workers<R> {
    queues: Vec<Receiver<R>>,
    threads: Vec<JoinHandle<()>>,
}

impl<R: Send + 'static> Workers<R> {
    /// Starts `count` threads on the jobs 0 to `jobs` − 1.
    ///
    /// # Errors
    /// The system must have the threads to give.
    pub(super) fn start(
        count: usize,
        jobs: usize,
        job: impl Fn(usize) -> R + Send + Sync + 'static,
    ) -> Result<Self> {
        let job = Arc::new(job);
        let mut workers = Self {
            queues: Vec::with_capacity(count),
            threads: Vec::with_capacity(count),
        };
        for worker in 0..count {
            let (sender, receiver) = sync_channel(QUEUE);
            let job = Arc::clone(&job);
            let thread = Builder::new()
                .name(format!("loader {worker}"))
                .spawn(move || work((worker..jobs).step_by(count), &*job, &sender))
                .map_err(|error| Error::Argument {
                    op: "DataLoader",
                    argument: "workers",
                    expected: "as many threads as the system gives".into(),
                    found: format!("{count} ({error})"),
                })?;
            workers.queues.push(receiver);
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// The result of a job; jobs must be asked for in order.
    ///
    /// # Errors
    /// A thread that ended before its time, which takes a panic in the job.
    pub(super) fn receive(&mut self, job: usize) -> Result<R> {
        let worker = job % self.queues.len();
        self.queues[worker].recv().map_err(|_| Error::Argument {
            op: "DataLoader",
            argument: "workers",
            expected: "alive until the end of the epoch".into(),
            found: format!("worker {worker} gone at batch {job}"),
        })
    }
}

/// Does jobs until nobody wants their results.
fn work<R>(
    mut jobs: impl Iterator<Item = usize>,
    job: impl Fn(usize) -> R,
    results: &SyncSender<R>,
) {
    // A failed `send` says that the receiver was dropped.
    while let Some(Ok(())) = jobs.next().map(|number| results.send(job(number))) {}
}

impl<R> Drop for Workers<R> {
    fn drop(&mut self) {
        // Without their queues, the threads end after the job at hand.
        self.queues.clear();
        for thread in self.threads.drain(..) {
            // A panic of the thread was reported by `receive`, and there is no one to tell it now.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_timing() {
        for count in 1..5 {
            let mut workers = Workers::start(count, 40, |job| {
                std::thread::sleep(Duration::from_micros((job as u64 * 7919) % 500));
                job
            })
            .unwrap();
            let results: Vec<_> = (0..40).map(|job| workers.receive(job).unwrap()).collect();
            assert!(results.into_iter().eq(0..40));
        }
    }

    #[test]
    fn dropped_workers_have_ended_and_were_not_far_ahead() {
        let done = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&done);
        let mut workers = Workers::start(3, 10_000, move |job| {
            counter.fetch_add(1, Ordering::SeqCst);
            job
        })
        .unwrap();
        workers.receive(0).unwrap();
        drop(workers);
        // One result received, and of each worker those that waited and one at hand.
        let after = done.load(Ordering::SeqCst);
        assert!(after <= 1 + 3 * (QUEUE + 1), "{after}");
        assert_eq!(Arc::strong_count(&done), 1, "the threads hold nothing");
    }

    #[test]
    fn a_thread_that_dies_is_an_error_and_not_a_wait() {
        let mut workers = Workers::start(2, 4, |job| assert_ne!(job, 1)).unwrap();
        workers.receive(0).unwrap();
        assert_eq!(
            workers.receive(1).unwrap_err().to_string(),
            "DataLoader: workers must be alive until the end of the epoch, \
             found worker 1 gone at batch 1"
        );
    }
}
