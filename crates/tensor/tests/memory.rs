//! The pool of recycled memory: bounded, shared by all threads, and given back on request.
//!
//! Its counters are those of the whole process, so everything is one test in a file of its own.
#![allow(clippy::unwrap_used, reason = "an error fails the test")]

use macula_tensor::{Tensor, memory};

const ELEMENTS: usize = 1 << 20;
const BYTES: usize = ELEMENTS * size_of::<f32>();

fn tensor() -> Tensor {
    Tensor::zeros([ELEMENTS]).unwrap()
}

#[test]
fn the_pool_is_bounded_shared_between_threads_and_given_back_on_request() {
    assert_eq!(memory::limit(), 1 << 30);
    memory::set_limit(2 * BYTES);

    // What a tensor leaves waits for the next, of any thread.
    let first = tensor();
    let address = first.as_slice().unwrap().as_ptr() as usize;
    assert_eq!((memory::used(), memory::held()), (BYTES, 0));
    std::thread::spawn(move || drop(first)).join().unwrap();
    assert_eq!((memory::used(), memory::held()), (0, BYTES));
    let second = tensor();
    assert_eq!(second.as_slice().unwrap().as_ptr() as usize, address);
    assert_eq!((memory::used(), memory::held()), (BYTES, 0));
    drop(second);

    // Of three buffers that come back, two fit under the limit.
    let three = [tensor(), tensor(), tensor()];
    assert_eq!((memory::used(), memory::held()), (3 * BYTES, 0));
    drop(three);
    assert_eq!((memory::used(), memory::held()), (0, 2 * BYTES));

    // A lower limit holds for what comes back from then on.
    memory::set_limit(0);
    assert_eq!(memory::held(), 2 * BYTES);
    drop(tensor());
    assert_eq!(memory::held(), BYTES);
    memory::release();
    assert_eq!((memory::used(), memory::held()), (0, 0));

    // Few elements are not the pool's, whether they come from a vector or not.
    for few in [
        Tensor::from(vec![1.0_f32; 64]),
        Tensor::zeros([8, 8]).unwrap(),
    ] {
        assert_eq!((memory::used(), memory::held()), (0, 0));
        drop(few);
        assert_eq!((memory::used(), memory::held()), (0, 0));
    }

    // Of a vector all memory counts, and one that is mostly empty does not wait for later use.
    memory::set_limit(2 * BYTES);
    let cut = |capacity: usize, length| {
        let mut vector = vec![1.0_f32; capacity];
        vector.truncate(length);
        Tensor::from(vector)
    };
    for length in [17, 64, 65, 100, ELEMENTS / 2] {
        let short = cut(ELEMENTS, length);
        assert_eq!((memory::used(), memory::held()), (BYTES, 0), "{length}");
        drop(short);
        assert_eq!((memory::used(), memory::held()), (0, 0), "{length}");
    }
    let nearly_full = cut(1100, 1030);
    assert_eq!((memory::used(), memory::held()), (4400, 0));
    drop(nearly_full);
    assert_eq!((memory::used(), memory::held()), (0, 4400));
    let again = Tensor::<f32>::zeros([1024]).unwrap();
    assert_eq!((memory::used(), memory::held()), (4400, 0));
    drop(again);
    memory::release();
    assert_eq!((memory::used(), memory::held()), (0, 0));
}
