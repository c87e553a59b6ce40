/// What a convolutional LSTM does with its gates, of planar maps: four gates of `count` numbers each, behind each other in the
/// order i, j, f, o, as its convolution makes them.
///
///     c' = σ(f + 1)·c + σ(i)·tanh(j),  h = σ(o)·tanh(c')
struct PlanarGates {
    /// C·N·H·W.
    let count: Int

    /// The gates become σ(i), tanh(j), σ(f + 1) and σ(o).
    func forward(
        _ gates: UnsafeMutablePointer<Float>, _ c: UnsafePointer<Float>, into next: UnsafeMutablePointer<Float>,
        h: UnsafeMutablePointer<Float>
    ) {
        let (i, j, f, o) = (gates, gates + count, gates + 2 * count, gates + 3 * count)
        map(i, into: i) { $0.gate() }
        map(j, into: j) { $0.hyperbolicTangent() }
        map(f, into: f) { ($0 + 1).gate() }
        map(o, into: o) { $0.gate() }
        forEachVector(count) { k, n in
            let cell = (load(i, k, n) * load(j, k, n)).mad(load(f, k, n), load(c, k, n))
            store(cell, next, k, n)
        }
        map(next, into: h) { $0.hyperbolicTangent() }
        forEachVector(count) { k, n in store(load(o, k, n) * load(h, k, n), h, k, n) }
    }

    /// The gates become ∂L/∂(what the convolution made) from dh = ∂L/∂h, and dc = ∂L/∂c' becomes ∂L/∂c. `scratch` has room for
    /// `count` numbers.
    func backward(
        _ gates: UnsafeMutablePointer<Float>, _ c: UnsafePointer<Float>, _ next: UnsafePointer<Float>,
        dh: UnsafePointer<Float>, dc: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let (i, j, f, o) = (gates, gates + count, gates + 2 * count, gates + 3 * count)
        map(next, into: scratch) { $0.hyperbolicTangent() }
        forEachVector(count) { k, n in
            let (y, d, output) = (load(scratch, k, n), load(dh, k, n), load(o, k, n))
            let ofCell = load(dc, k, n).mad(d * output, 1 - y * y)
            store(d * y * output * (1 - output), o, k, n)
            let (a, b, e) = (load(i, k, n), load(f, k, n), load(j, k, n))
            store(ofCell * e * a * (1 - a), i, k, n)
            store(ofCell * a * (1 - e * e), j, k, n)
            store(ofCell * load(c, k, n) * b * (1 - b), f, k, n)
            store(ofCell * b, dc, k, n)
        }
    }

    @inline(__always) private func load(_ p: UnsafePointer<Float>, _ k: Int, _ n: Int) -> Lanes {
        n == Lanes.width ? Lanes(at: p + k) : Lanes(first: n, at: p + k)
    }

    @inline(__always) private func store(_ v: Lanes, _ p: UnsafeMutablePointer<Float>, _ k: Int, _ n: Int) {
        if n == Lanes.width { v.store(at: p + k) } else { v.store(first: n, at: p + k) }
    }

    @inline(__always) private func map(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ function: (Lanes) -> Lanes
    ) {
        forEachVector(count) { k, n in store(function(load(x, k, n)), y, k, n) }
    }
}
