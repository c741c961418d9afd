"""The operations that a recorded network may use: a fixed list, all of them plain arithmetic.

A recorded network names PyTorch's own operations (the ``aten`` namespace) and a few of
Python's on whole numbers, for shapes. A name is looked up only after it has been found in the
lists below, so a file can ask for nothing that opens a file, runs code or changes the process.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch._ops import OpOverload

#: the base names in `ATEN`, by what they do
_NAMES = """
# elementwise
__and__ __lshift__ __or__ __rshift__ __xor__ abs absolute acos acosh add addcdiv addcmul angle
arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh bitwise_and
bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor ceil celu clamp
clamp_max clamp_min clip complex conj conj_physical copysign cos cosh deg2rad digamma div divide
elu eq erf erfc erfinv exp exp2 expm1 fix float_power floor floor_divide fmax fmin fmod frac frexp
gcd ge gelu greater greater_equal gt hardshrink hardsigmoid hardswish hardtanh heaviside hypot i0
igamma igammac imag isclose isfinite isinf isnan isneginf isposinf isreal lcm ldexp le leaky_relu
lerp less less_equal lgamma log log10 log1p log2 log_sigmoid logaddexp logaddexp2 logical_and
logical_not logical_or logical_xor logit lt masked_fill maximum minimum mish mul multiply mvlgamma
nan_to_num ne neg negative nextafter not_equal polygamma positive pow prelu rad2deg real
reciprocal relu relu6 remainder round rsqrt rsub selu sgn sigmoid sign signbit silu sin sinc sinh
softplus softshrink special_airy_ai special_bessel_j0 special_bessel_j1 special_digamma
special_entr special_erf special_erfc special_erfcx special_erfinv special_exp2 special_expit
special_expm1 special_gammainc special_gammaincc special_gammaln special_i0 special_i0e special_i1
special_i1e special_log1p special_log_ndtr special_logit special_ndtr special_ndtri
special_polygamma special_psi special_round special_sinc special_xlog1py special_xlogy
special_zeta sqrt square sub subtract tan tanh threshold true_divide trunc where xlogy
# reductions, order and cumulation
all amax amin aminmax any argmax argmin argsort argwhere bincount bucketize count_nonzero cummax
cummin cumprod cumsum cumulative_trapezoid diff dist equal frobenius_norm histc isin kthvalue
logcumsumexp logsumexp max mean median min mode msort nanmean nanmedian nanquantile nansum norm
nuclear_norm prod quantile searchsorted sort special_logsumexp std std_mean sum topk trace
trapezoid trapz unique_consecutive unique_dim unique_dim_consecutive var var_mean
# products and linear algebra
addbmm addmm addmv addr baddbmm bilinear block_diag bmm cartesian_prod cdist chain_matmul cholesky
cholesky_inverse cholesky_solve combinations conv1d conv2d conv3d conv_transpose1d
conv_transpose2d convolution corrcoef cosine_similarity cov cross det dot einsum fft_fft fft_fft2
fft_fftfreq fft_fftn fft_fftshift fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft
fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn ger gradient inner
inverse kron linalg_cholesky linalg_cond linalg_cross linalg_det linalg_diagonal linalg_eig
linalg_eigh linalg_eigvals linalg_eigvalsh linalg_householder_product linalg_inv linalg_lstsq
linalg_lu linalg_lu_factor linalg_lu_solve linalg_matmul linalg_matrix_exp linalg_matrix_norm
linalg_matrix_power linalg_matrix_rank linalg_multi_dot linalg_norm linalg_pinv linalg_qr
linalg_slogdet linalg_solve linalg_solve_triangular linalg_svd linalg_svdvals linalg_tensorinv
linalg_tensorsolve linalg_vander linalg_vecdot linalg_vector_norm linear logdet matmul matrix_exp
matrix_power mm mv outer pairwise_distance pdist pinverse qr renorm scaled_dot_product_attention
slogdet svd tensordot triangular_solve vander vdot
# layers
_log_softmax _native_batch_norm_legit_no_training _safe_softmax _softmax _weight_norm
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d alpha_dropout
avg_pool1d avg_pool2d batch_norm channel_shuffle dropout embedding embedding_bag embedding_renorm
feature_alpha_dropout feature_dropout glu group_norm gru gru_cell instance_norm kaiser_window
layer_norm log_sigmoid_forward log_softmax lstm lstm_cell max_pool1d max_pool1d_with_indices
max_pool2d max_pool2d_with_indices native_batch_norm native_dropout native_group_norm
native_layer_norm one_hot rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell rrelu softmax
special_log_softmax special_softmax upsample_bilinear2d upsample_linear1d upsample_nearest1d
upsample_nearest2d
# losses, which a network may use as distances
binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss huber_loss kl_div
l1_loss mse_loss smooth_l1_loss
# shapes, parts and copies
_conj _local_scalar_dense _neg_view _to_copy _unsafe_view adjoint alias atleast_1d atleast_2d
atleast_3d broadcast_tensors broadcast_to cat chunk clone column_stack concat concatenate
constant_pad_nd contiguous copy detach diag diag_embed diagflat diagonal diagonal_scatter dsplit
dstack expand expand_as fill flatten flip fliplr flipud gather hsplit hstack index index_add
index_copy index_fill index_put index_reduce index_select item lift_fresh lift_fresh_copy mH mT
masked_scatter masked_select matrix_H meshgrid moveaxis movedim narrow narrow_copy nonzero
nonzero_numpy numel numpy_T pad permute pixel_shuffle pixel_unshuffle put ravel reflection_pad1d
reflection_pad2d repeat repeat_interleave replication_pad1d replication_pad2d reshape reshape_as
resolve_conj resolve_neg roll rot90 row_stack scatter scatter_add scatter_reduce select
select_scatter slice slice_scatter split split_with_sizes squeeze stack std sum_to_size swapaxes
swapdims sym_numel sym_size t take take_along_dim tensor_split tile to transpose tril triu type_as
unbind unflatten unfold unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze view view_as
view_as_complex view_as_real vsplit vstack zero
# new tensors
arange bartlett_window bernoulli blackman_window exponential eye full full_like hamming_window
hann_window linspace logspace multinomial new_full new_ones new_zeros normal ones ones_like
poisson polar rand rand_like randint randint_like randn randn_like randperm scalar_tensor
tril_indices triu_indices uniform zeros zeros_like
"""

#: PyTorch's operations by their base name; ``name_``, in place, is allowed wherever ``name`` is
ATEN = frozenset(
    word for line in _NAMES.splitlines() if not line.startswith("#") for word in line.split()
)

#: Python's operations on the sizes of tensors, and the choice of one of several results
SCALAR: dict[str, Callable[..., Any]] = {
    "_sym_sqrt": math.sqrt,
    "add": operator.add,
    "and_": operator.and_,
    "ceil": math.ceil,
    "eq": operator.eq,
    "floor": math.floor,
    "floordiv": operator.floordiv,
    "ge": operator.ge,
    "getitem": operator.getitem,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
    "mod": operator.mod,
    "mul": operator.mul,
    "ne": operator.ne,
    "neg": operator.neg,
    "or_": operator.or_,
    "pow": math.pow,  # on floats alone: a power of whole numbers could fill the memory
    "sub": operator.sub,
    "sym_float": float,
    "sym_int": int,
    "sym_max": max,
    "sym_min": min,
    "sym_not": operator.not_,
    "truediv": operator.truediv,
    "trunc": math.trunc,
}

_SCALAR_MODULES = ("_operator", "math", "torch", "torch.fx.experimental.sym_node")


def name_of(target: object) -> str:
    """Give the name under which an operation is recorded.

    Parameters
    ----------
    target : callable
        Of a node of a ``torch.fx`` graph.

    Returns
    -------
    str
        ``"aten.relu.default"``, or ``"mul"`` for one on sizes; not checked against the lists.

    Examples
    --------
    >>> name_of(torch.ops.aten.relu.default)
    'aten.relu.default'
    """
    if isinstance(target, torch._ops.OpOverload):
        return str(target)
    name = str(getattr(target, "__name__", target))
    home = getattr(target, "__module__", None)
    return name if home in _SCALAR_MODULES else f"{home}.{name}"


def find(name: str) -> Callable[..., Any]:
    """Look an operation up, in the lists alone.

    Parameters
    ----------
    name : str
        From `name_of`.

    Returns
    -------
    callable

    Raises
    ------
    KeyError
        If the lists do not have it, or PyTorch has no such form of it.

    Examples
    --------
    >>> find("aten.relu.default")(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    >>> find("aten.from_file.default")
    Traceback (most recent call last):
    KeyError: 'aten.from_file.default'
    """
    if name in SCALAR:
        return SCALAR[name]
    namespace, _, rest = name.partition(".")
    base, _, overload = rest.partition(".")
    known = base in ATEN or (base.endswith("_") and base.removesuffix("_") in ATEN)
    if namespace != "aten" or not known:
        raise KeyError(name)
    packet = getattr(torch.ops.aten, base, None)
    if packet is None or overload not in packet.overloads():
        raise KeyError(name)
    operation: OpOverload = getattr(packet, overload)
    if any(argument.is_out for argument in operation._schema.arguments):
        raise KeyError(name)
    return operation
