// Gate functions over the rows of a panel. Each loop holds one function: with several the compiler leaves them calls,
// and a call passes a vector of sixteen in four pieces.

/// Each number x of `count` rows becomes σ(x), and at least 2⁻¹²⁵.
@inline(never)
func applyGate(_ rows: Panel, count: Int) {
    var r = 0
    while r < count {
        rows[r] = rows[r].gate()
        r &+= 1
    }
}

/// y = tanh(x), row by row; y may be x.
@inline(never)
func applyTanh(_ x: Panel, into y: Panel, count: Int) {
    var r = 0
    while r < count {
        y[r] = x[r].hyperbolicTangent()
        r &+= 1
    }
}

/// y = max(x, 0), row by row; y may be x.
@inline(never)
func applyReLU(_ x: Panel, into y: Panel, count: Int) {
    var r = 0
    while r < count {
        y[r] = x[r].rectified
        r &+= 1
    }
}
