//! Timing on a number of threads, and the table of the results.

use std::time::{Duration, Instant};

use criterion::Criterion;
use macula::tensor::memory;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::memory::{peak, reset_peak};

/// Timings that criterion takes of each piece of work.
const SAMPLES: usize = 10;

/// The time of one round in seconds, where `time` measures a number of them; None where the command
/// line leaves it out.
///
/// The fastest of the samples, as the floors are: what else the machine does only adds to a time.
/// Criterion is set to be quick: hundreds of cases in a minute.
pub fn fastest(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    mut time: impl FnMut(u64) -> Duration,
) -> Option<f64> {
    let mut seconds = Vec::new();
    let mut group = criterion.benchmark_group(group);
    group.sample_size(SAMPLES);
    group.nresamples(1001);
    group.warm_up_time(Duration::from_millis(50));
    group.measurement_time(Duration::from_millis(100));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let elapsed = time(rounds);
            seconds.push(elapsed.as_secs_f64() / rounds as f64);
            elapsed
        });
    });
    group.finish();
    seconds.into_iter().reduce(f64::min)
}

/// The time that a number of rounds take.
pub fn rounds(count: u64, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..count {
        work();
    }
    start.elapsed()
}

/// One group of measurements on a number of threads.
pub struct Bench<'a> {
    criterion: &'a mut Criterion,
    name: String,
    /// The threads that the work runs on.
    pub pool: ThreadPool,
    notes: Vec<String>,
    rows: Vec<Row>,
}

/// One line of the table.
struct Row {
    name: String,
    /// Seconds that macula takes.
    seconds: f64,
    /// The names of the baselines, and their seconds.
    baselines: Vec<(&'static str, f64)>,
    /// Seconds that the machine needs; 0 where that says nothing.
    floor: f64,
    /// The most bytes of memory that were resident.
    peak: Option<usize>,
}

impl<'a> Bench<'a> {
    /// A group that runs on `threads` threads.
    pub fn new(criterion: &'a mut Criterion, name: &str, threads: usize) -> Self {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        Self {
            criterion,
            name: format!("{name}/{threads}"),
            pool: pool.expect("threads can be started"),
            notes: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// A line to print above the table.
    pub fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// The time of `work` in seconds; None where the command line leaves it out.
    fn time(&mut self, name: &str, mut work: impl FnMut() + Send) -> Option<f64> {
        let pool = &self.pool;
        fastest(self.criterion, &self.name, name, |count| {
            pool.install(|| rounds(count, &mut work))
        })
    }

    /// Times macula's work beside its baselines, where the command line wants it, as a line of the
    /// table.
    pub fn compare(
        &mut self,
        name: &str,
        floor: f64,
        work: impl FnMut() + Send,
        baselines: &mut [(&'static str, &mut (dyn FnMut() + Send))],
    ) {
        // What the line before left in the pool is not this one's peak.
        memory::release();
        reset_peak();
        let Some(seconds) = self.time(&format!("{name}/macula"), work) else {
            return;
        };
        let peak = peak();
        let baselines = baselines.iter_mut().filter_map(|(baseline, work)| {
            let seconds = self.time(&format!("{name}/{baseline}"), work)?;
            Some((*baseline, seconds))
        });
        let baselines = baselines.collect();
        self.rows.push(Row {
            name: name.to_owned(),
            peak,
            seconds,
            baselines,
            floor,
        });
    }

    /// Prints the table.
    pub fn finish(self) {
        if self.rows.is_empty() {
            return;
        }
        println!("\n{} threads", self.name);
        for note in &self.notes {
            println!("{note}");
        }
        println!(
            "{:28} {:>10} {:>6} {:>9}  time of others / macula's",
            "", "macula", "floor", "peak"
        );
        for row in &self.rows {
            let share = match row.floor > 0.0 {
                true => format!("{:.2}", row.floor / row.seconds),
                false => "-".into(),
            };
            let peak = row
                .peak
                .map_or("-".into(), |bytes| format!("{} MiB", bytes >> 20));
            print!(
                "{:28} {:>10} {share:>6} {peak:>9}",
                row.name,
                time(row.seconds)
            );
            for (baseline, seconds) in &row.baselines {
                print!("  {baseline} {:.2}", seconds / row.seconds);
            }
            println!();
        }
        println!(
            "memory that waits for its next use: {} MiB\n",
            memory::held() >> 20
        );
        memory::release();
    }
}

/// A time in the unit that suits it.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.1} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}
