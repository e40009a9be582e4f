use proptest::prelude::*;

use super::*;

/// The settings of a pooling along one axis.
#[derive(Clone, Copy, Debug)]
struct Axis {
    input: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

#[derive(Clone, Debug)]
struct Case {
    axes: [Axis; 2],
    ceil_mode: bool,
    count_include_pad: bool,
    planes: usize,
    layout: usize,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let axis = (1usize..12, 1usize..5, 1usize..4, 0usize..3, 1usize..3);
    let axis = axis.prop_map(|(input, kernel, stride, padding, dilation)| Axis {
        input: input.max(((kernel - 1) * dilation + 1).saturating_sub(2 * padding)),
        kernel,
        stride,
        padding,
        dilation,
    });
    let modes = (any::<bool>(), any::<bool>(), 0usize..3, 0usize..3);
    ([axis.clone(), axis], modes, any::<u64>()).prop_map(
        |(axes, (ceil_mode, count_include_pad, planes, layout), seed)| Case {
            axes,
            ceil_mode,
            count_include_pad,
            planes,
            layout,
            seed,
        },
    )
}

impl Axis {
    /// Places of a window in the padded axis, window after window.
    fn windows(&self, ceil_mode: bool) -> Vec<Vec<usize>> {
        let covered = (self.kernel - 1) * self.dilation;
        let end = self.input + 2 * self.padding;
        let starts = (0..end).step_by(self.stride).filter(|start| {
            start + covered < end
                // In ceil mode one window more may begin, but not in the padding behind the input.
                || ceil_mode && start + covered < end + self.stride - 1 && *start < self.padding + self.input
        });
        let places = |start| (0..self.kernel).map(move |k| start + k * self.dilation);
        starts
            .map(|start| places(start).filter(|&place| place < end).collect())
            .collect()
    }

    fn inside(&self, place: usize) -> Option<usize> {
        place
            .checked_sub(self.padding)
            .filter(|&place| place < self.input)
    }
}

impl Case {
    fn pooling(&self) -> Pooling {
        let each = |setting: fn(&Axis) -> usize| self.axes.each_ref().map(setting);
        Pooling::new(each(|axis| axis.kernel))
            .stride(each(|axis| axis.stride))
            .padding(each(|axis| axis.padding))
            .dilation(each(|axis| axis.dilation))
            .ceil_mode(self.ceil_mode)
            .count_include_pad(self.count_include_pad)
    }

    /// Eighths, with NaN and infinities among them if asked for, and some equal ones.
    fn input(&self, specials: bool) -> Tensor {
        let [height, width] = self.axes.map(|axis| axis.input);
        let count = self.planes * height * width;
        let mut noise = self.seed | 1;
        let elements = (0..count).map(|_| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695);
            match noise >> 33 {
                random if specials && random % 19 == 0 => f32::NAN,
                random if specials && random % 19 == 1 => f32::NEG_INFINITY,
                random => (random % 33) as f32 / 8.0 - 2.0,
            }
        });
        let elements: Vec<f32> = elements.collect();
        let x = Tensor::from_vec(elements, [self.planes, height, width]).unwrap();
        match self.layout {
            0 => x
                .transpose(0, 2)
                .unwrap()
                .contiguous()
                .unwrap()
                .transpose(0, 2)
                .unwrap(),
            1 => x
                .flip([1])
                .unwrap()
                .contiguous()
                .unwrap()
                .flip([1])
                .unwrap(),
            _ => x,
        }
    }

    /// For each plane and window the places inside the plane, and how many the padded window has.
    fn windows(&self) -> Vec<(Vec<usize>, usize)> {
        let [down, across] = &self.axes;
        let mut found = Vec::new();
        for rows in down.windows(self.ceil_mode) {
            for columns in across.windows(self.ceil_mode) {
                let mut places = Vec::new();
                for row in rows.iter().filter_map(|&row| down.inside(row)) {
                    for column in columns.iter().filter_map(|&column| across.inside(column)) {
                        places.push(row * across.input + column);
                    }
                }
                found.push((places, rows.len() * columns.len()));
            }
        }
        found
    }
}

proptest! {
    #[test]
    fn the_largest_of_a_window_is_its_first_largest_and_nan_wins(case in cases()) {
        let x = case.input(true);
        let windows = case.windows();
        let found = x.max_pool2d(&case.pooling());
        if windows.iter().any(|(places, _)| places.is_empty()) {
            prop_assert!(found.unwrap_err().to_string().contains("in every window"));
            return Ok(());
        }
        let (values, places) = found.unwrap();
        let plane = case.axes[0].input * case.axes[1].input;
        let mut found = values.to_vec().unwrap().into_iter().zip(places.to_vec().unwrap());
        for plane in x.to_vec().unwrap().chunks_exact(plane) {
            for (places, _) in &windows {
                let nan = places.iter().find(|&&place| plane[place].is_nan());
                let first = |&best: &usize, &place: &usize| plane[place] > plane[best];
                let expected = *nan.unwrap_or_else(|| {
                    places.iter().reduce(|best, place| if first(best, place) { place } else { best }).unwrap()
                });
                let (value, place) = found.next().unwrap();
                prop_assert_eq!(place, expected as i64);
                prop_assert_eq!(value.to_bits(), plane[expected].to_bits());
            }
        }
        prop_assert!(found.next().is_none());
    }

    #[test]
    fn a_mean_is_the_sum_over_the_divisor_and_its_gradient_goes_back_the_same_way(case in cases()) {
        let x = case.input(false);
        let windows = case.windows();
        let Ok(found) = x.avg_pool2d(&case.pooling()) else {
            prop_assert!(windows.iter().any(|(places, _)| places.is_empty()));
            return Ok(());
        };
        let [height, width] = case.axes.map(|axis| axis.input);
        let plane = height * width;
        let mut back = vec![0.0_f64; x.count()];
        let mut means = found.to_vec().unwrap().into_iter().enumerate();
        let upstream = |number: usize| (number % 7) as f32 - 3.0;
        for (number, plane) in x.to_vec().unwrap().chunks_exact(plane).enumerate() {
            for (places, padded) in &windows {
                let divisor = if case.count_include_pad { *padded } else { places.len() } as f64;
                let sum: f64 = places.iter().map(|&place| f64::from(plane[place])).sum();
                let (index, mean) = means.next().unwrap();
                // Sums of eighths are exact; the mean is rounded once.
                prop_assert_eq!(mean, (sum / divisor) as f32);
                for place in places {
                    back[number * plane.len() + place] += f64::from(upstream(index)) / divisor;
                }
            }
        }
        prop_assert!(means.next().is_none());
        let upstream: Vec<f32> = (0..found.count()).map(upstream).collect();
        let upstream = Tensor::from_vec(upstream, found.shape()).unwrap();
        let found = upstream.avg_pool_gradient([height, width], &case.pooling()).unwrap();
        prop_assert_eq!(found.shape(), x.shape());
        for (found, expected) in found.to_vec().unwrap().into_iter().zip(back) {
            // At most 16 windows meet in an element; each share and each sum, below 16, is rounded.
            prop_assert!((f64::from(found) - expected).abs() <= 32.0 * 16.0 * f64::from(f32::EPSILON));
        }
    }

    #[test]
    fn adaptive_windows_are_those_of_their_definition(input in 1usize..20, size in 1usize..20) {
        let elements = (0..input).map(|i| ((i * 7) % 11) as f64);
        let x = Tensor::from_vec(elements.collect(), [input]).unwrap();
        let elements = x.to_vec().unwrap();
        let means = x.adaptive_avg_pool1d(size).unwrap().to_vec().unwrap();
        let (largest, _) = x.adaptive_max_pool1d(size).unwrap();
        let largest = largest.to_vec().unwrap();
        for window in 0..size {
            let window_elements = &elements[window * input / size..((window + 1) * input).div_ceil(size)];
            let sum: f64 = window_elements.iter().sum();
            prop_assert_eq!(means[window], sum / window_elements.len() as f64);
            prop_assert_eq!(largest[window], window_elements.iter().copied().fold(0.0, f64::max));
        }
    }
}

#[test]
fn a_batch_of_nothing_is_pooled_to_nothing() {
    let x = Tensor::<f32>::zeros([0, 3, 4, 4]).unwrap();
    let (largest, places) = x.max_pool2d(&Pooling::new(2)).unwrap();
    assert_eq!(
        (largest.shape(), places.shape()),
        (&[0, 3, 2, 2][..], &[0, 3, 2, 2][..])
    );
    assert_eq!(x.adaptive_avg_pool2d(1).unwrap().shape(), [0, 3, 1, 1]);
}

#[test]
fn one_axis_is_two_of_which_the_first_has_one_element() {
    let elements = (0..2 * 3 * 17).map(|i| ((i * 7) % 23) as f64);
    let line = Tensor::from_vec(elements.collect(), [2, 3, 17]).unwrap();
    let plane = line.unsqueeze(2).unwrap();
    let along = Pooling::new(4).stride(3).padding(2);
    let across = Pooling::new([1, 4]).stride([1, 3]).padding([0, 2]);
    let same = |found: &Tensor<f64>, expected: &Tensor<f64>| {
        assert_eq!(found.unsqueeze(2).unwrap().shape(), expected.shape());
        assert_eq!(found.to_vec(), expected.to_vec());
    };
    let mean = line.avg_pool1d(&along).unwrap();
    same(&mean, &plane.avg_pool2d(&across).unwrap());
    let back = mean.avg_pool_gradient([17], &along).unwrap();
    let mean = mean.unsqueeze(2).unwrap();
    same(&back, &mean.avg_pool_gradient([1, 17], &across).unwrap());
    let means = line.adaptive_avg_pool1d(5).unwrap();
    same(&means, &plane.adaptive_avg_pool2d([1, 5]).unwrap());
    let largest = |found: (Tensor<f64>, Tensor<i64>), expected: (Tensor<f64>, Tensor<i64>)| {
        same(&found.0, &expected.0);
        assert_eq!(found.1.to_vec(), expected.1.to_vec());
    };
    largest(
        line.max_pool1d(&along).unwrap(),
        plane.max_pool2d(&across).unwrap(),
    );
    largest(
        line.adaptive_max_pool1d(5).unwrap(),
        plane.adaptive_max_pool2d([1, 5]).unwrap(),
    );
}

#[test]
fn settings_that_do_not_fit_are_told() {
    let x = Tensor::<f32>::zeros([2, 5, 4]).unwrap();
    let told = |pooling: Pooling| x.avg_pool2d(&pooling).map(drop).unwrap_err().to_string();
    assert_eq!(
        told(Pooling::new([2, 5])),
        "avg_pool2d: kernel must be at most 4 elements with dilation 1 and padding 0, found 5"
    );
    assert_eq!(
        told(Pooling::new(0)),
        "avg_pool2d: kernel must be at least 1, found 0"
    );
    assert_eq!(
        told(Pooling::new(2).stride(0)),
        "avg_pool2d: stride must be at least 1, found 0"
    );
    assert_eq!(
        told(Pooling::new(1).padding(1)),
        "avg_pool2d: expected an element of the input in every window of kernel [1, 1] with padding \
         [1, 1], found shape [2, 5, 4]"
    );
    assert_eq!(
        told(Pooling::new(2).padding([1, 2, 3])),
        "avg_pool2d: padding must be one number, or one for each of the 2 spatial axes, found [1, 2, 3]"
    );
    for pooling in [
        Pooling::new(2).padding(usize::MAX),
        Pooling::new(2).padding(usize::MAX / 4),
        Pooling::new(2).dilation(usize::MAX),
        Pooling::adaptive(0),
        Pooling::adaptive(usize::MAX),
        Pooling::new(usize::MAX / 8)
            .stride(1)
            .padding(usize::MAX / 8),
    ] {
        assert!(x.avg_pool2d(&pooling).is_err());
    }
    let far = Pooling::new(1)
        .stride(usize::MAX)
        .dilation(usize::MAX)
        .ceil_mode(true);
    assert_eq!(x.avg_pool2d(&far).unwrap().shape(), [2, 1, 1]);
    let wide = Pooling::new(1 << 32).padding(1 << 31);
    let ones = Tensor::<f64>::full([1, 5, 4], 1.0).unwrap();
    let share = 20.0 / 2.0_f64.powi(64);
    let mean = ones.avg_pool2d(&wide).unwrap();
    assert_eq!(mean.item().unwrap(), share);
    let back = mean.avg_pool_gradient([5, 4], &wide).unwrap();
    assert_eq!(back.to_vec().unwrap(), vec![share / 2.0_f64.powi(64); 20]);
    let empty = Tensor::<f32>::zeros([2, 0]).unwrap();
    assert!(empty.adaptive_avg_pool1d(1).is_err());
    assert!(
        Tensor::scalar(1.0_f32)
            .max_pool1d(&Pooling::new(1))
            .is_err()
    );
    assert_eq!(
        x.avg_pool_gradient([9, 8], &Pooling::new(2))
            .map(drop)
            .unwrap_err()
            .to_string(),
        "avg_pool_gradient: expected an upstream gradient of shape [2, 4, 4], that of the output, \
         found shape [2, 5, 4]"
    );
}
