//! Convolutions. The convolution, its gradient to the input and its gradient to the weight are one
//! trilinear form, seen from each of its three ends: the rule of each is the other two, so every
//! order is there.

use macula_tensor::shape::Sizes;
use macula_tensor::{Convolution, Float, PerSpatialAxis, Result, Tensor};
use smallvec::SmallVec;

use crate::node::HandOn;
use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The convolution over one axis, see [`Tensor::conv1d`](macula_tensor::Tensor::conv1d).
    ///
    /// # Shapes
    /// Input `[N, C, L]`, weight `[O, C / groups, K]`, bias `[O]` → `[N, O, L']`.
    ///
    /// # Gradient
    /// As of [`Var::conv2d`].
    ///
    /// # Errors
    /// The shapes and settings must fit, and all variables be of one tape.
    #[track_caller]
    pub fn conv1d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
    ) -> Result<Self> {
        let bias_value = bias.map(Self::value);
        let value = self.value().conv1d(weight.value(), bias_value, settings)?;
        self.convolved("conv1d", weight, bias, settings, value)
    }

    /// The convolution over height and width, see
    /// [`Tensor::conv2d`](macula_tensor::Tensor::conv2d).
    ///
    /// # Shapes
    /// Input `[N, C, H, W]`, weight `[O, C / groups, K, K']`, bias `[O]` → `[N, O, H', W']`.
    ///
    /// # Gradient
    /// To the input [`Var::conv_input_gradient`] and to the weight [`Var::conv_weight_gradient`]
    /// of the upstream gradient; to the bias its sum over all but the channels.
    ///
    /// # Errors
    /// The shapes and settings must fit, and all variables be of one tape.
    #[track_caller]
    pub fn conv2d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
    ) -> Result<Self> {
        let bias_value = bias.map(Self::value);
        let value = self.value().conv2d(weight.value(), bias_value, settings)?;
        self.convolved("conv2d", weight, bias, settings, value)
    }

    #[track_caller]
    fn convolved(
        &self,
        name: &'static str,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
        value: Tensor<T>,
    ) -> Result<Self> {
        let (size, kernel) = (spatial(self), spatial(weight));
        let (for_input, for_weight) = (settings.clone(), settings.clone());
        self.bilinear(
            name,
            weight,
            bias,
            value,
            move |upstream, weight| upstream.conv_input_gradient(weight, &size, &for_input),
            move |upstream, input| upstream.conv_weight_gradient(input, &kernel, &for_weight),
        )
    }

    /// The gradient of a convolution to its input, as an operation of its own, see
    /// [`Tensor::conv_input_gradient`](macula_tensor::Tensor::conv_input_gradient).
    ///
    /// # Gradient
    /// With upstream gradient u: to this gradient the convolution of u, to the weight
    /// [`Var::conv_weight_gradient`] of this gradient with u as the input.
    ///
    /// # Errors
    /// The shapes and settings must fit, and both variables be of one tape.
    #[track_caller]
    pub fn conv_input_gradient(
        &self,
        weight: &Self,
        size: impl AsRef<[usize]>,
        settings: &Convolution,
    ) -> Result<Self> {
        let (gradient, weight_value) = (self.value(), weight.value());
        let value = gradient.conv_input_gradient(weight_value, size, settings)?;
        self.transposed("conv_input_gradient", weight, None, settings, value)
    }

    /// Records a gradient to the input, with or without a bias.
    #[track_caller]
    fn transposed(
        &self,
        name: &'static str,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
        value: Tensor<T>,
    ) -> Result<Self> {
        let kernel = spatial(weight);
        let (for_input, for_weight) = (settings.clone(), settings.clone());
        self.bilinear(
            name,
            weight,
            bias,
            value,
            move |upstream, weight| convolve(upstream, weight, &for_input),
            move |upstream, input| input.conv_weight_gradient(upstream, &kernel, &for_weight),
        )
    }

    /// Records what is linear in this variable and in another one, with or without a bias: `to_self`
    /// makes the gradient to this variable of upstream gradient and the other, `to_other` that to the
    /// other of upstream gradient and this one.
    #[track_caller]
    fn bilinear(
        &self,
        name: &'static str,
        other: &Self,
        bias: Option<&Self>,
        value: Tensor<T>,
        to_self: impl Fn(&Self, &Self) -> Result<Self> + Send + 'static,
        to_other: impl Fn(&Self, &Self) -> Result<Self> + Send + 'static,
    ) -> Result<Self> {
        let operands: SmallVec<[&Self; 3]> = [self, other].into_iter().chain(bias).collect();
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            saved.factors(
                hand_on,
                |second| to_self(&upstream, second),
                |first| to_other(&upstream, first),
            )?;
            if saved.needs(2) {
                hand_on(2, sum_but_channels(&upstream)?)?;
            }
            Ok(())
        };
        let keep = Keep::factors(self, other);
        Self::record_any(name, &operands, value, keep, rule)
    }

    /// The gradient of a convolution to its weight, as an operation of its own, see
    /// [`Tensor::conv_weight_gradient`](macula_tensor::Tensor::conv_weight_gradient).
    ///
    /// # Gradient
    /// With upstream gradient u: to this gradient the convolution of the input with u, to the input
    /// [`Var::conv_input_gradient`] of this gradient with u as the weight.
    ///
    /// # Errors
    /// The shapes and settings must fit, and both variables be of one tape.
    #[track_caller]
    pub fn conv_weight_gradient(
        &self,
        input: &Self,
        size: impl AsRef<[usize]>,
        settings: &Convolution,
    ) -> Result<Self> {
        let (gradient, input_value) = (self.value(), input.value());
        let value = gradient.conv_weight_gradient(input_value, size, settings)?;
        let (size, for_gradient, for_input) = (spatial(input), settings.clone(), settings.clone());
        self.bilinear(
            "conv_weight_gradient",
            input,
            None,
            value,
            move |upstream, input| convolve(input, upstream, &for_gradient),
            move |upstream, gradient| gradient.conv_input_gradient(upstream, &size, &for_input),
        )
    }

    /// The transposed convolution over one axis, see
    /// [`Tensor::conv_transpose1d`](macula_tensor::Tensor::conv_transpose1d).
    ///
    /// # Shapes
    /// Input `[N, C, L]`, weight `[C, O / groups, K]`, bias `[O]` → `[N, O, L']`.
    ///
    /// # Errors
    /// The shapes and settings must fit, and all variables be of one tape.
    #[track_caller]
    pub fn conv_transpose1d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
        output_padding: impl Into<PerSpatialAxis>,
    ) -> Result<Self> {
        let bias_value = bias.map(Self::value);
        let input = self.value();
        let value = input.conv_transpose1d(weight.value(), bias_value, settings, output_padding)?;
        self.transposed("conv_transpose1d", weight, bias, settings, value)
    }

    /// The transposed convolution over height and width, see
    /// [`Tensor::conv_transpose2d`](macula_tensor::Tensor::conv_transpose2d): the
    /// [gradient to the input](Var::conv_input_gradient), plus a bias.
    ///
    /// # Shapes
    /// Input `[N, C, H, W]`, weight `[C, O / groups, K, K']`, bias `[O]` → `[N, O, H', W']`.
    ///
    /// # Errors
    /// The shapes and settings must fit, and all variables be of one tape.
    #[track_caller]
    pub fn conv_transpose2d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
        output_padding: impl Into<PerSpatialAxis>,
    ) -> Result<Self> {
        let bias_value = bias.map(Self::value);
        let input = self.value();
        let value = input.conv_transpose2d(weight.value(), bias_value, settings, output_padding)?;
        self.transposed("conv_transpose2d", weight, bias, settings, value)
    }
}

/// The convolution over as many axes as there are.
fn convolve<T: Float>(input: &Var<T>, weight: &Var<T>, settings: &Convolution) -> Result<Var<T>> {
    match input.rank() {
        3 => input.conv1d(weight, None, settings),
        _ => input.conv2d(weight, None, settings),
    }
}

/// The sizes behind batch and channels.
fn spatial<T: Float>(x: &Var<T>) -> Sizes {
    Sizes::from_slice(&x.shape()[2..])
}

/// The sum over all axes but that of the channels.
fn sum_but_channels<T: Float>(x: &Var<T>) -> Result<Var<T>> {
    match x.rank() {
        3 => x.sum([0, 2]),
        _ => x.sum([0, 2, 3]),
    }
}
