"""The operations, one family a file; each says how it computes, how it sends gradients back, and its local derivatives.

linear        f = Wᵀa + b
activation    the table of activation functions, as rules
elementwise   applies a rule to every entry
softmax       Ŷ = softmax of each column
norm          mean, std and standardisation over samples or units
residual      a = g + a, where a block's input is added to its output
arithmetic    - × ÷, powers and named functions, entry by entry
loss          cross-entropies and squared error
erf           the error function, which NumPy does not have
workspace     room for kernels that need more than their output to compute in
"""
