/// What a convolutional LSTM does with its gates, of planar maps: four gates of `count` numbers each, behind each other in the
/// order i, j, f, o.
///
///     c' = σ(f + offset)·c + σ(i)·tanh(j),  h = σ(o)·tanh(c')
struct PlanarGates {
    /// C·N·H·W.
    let count: Int
    /// What is added to the forget gate.
    let forgetOffset: Float

    /// The first three gates become σ(i), tanh(j) and σ(f + offset), and `next` the cells c'.
    func makeCells(
        _ gates: UnsafeMutablePointer<Float>, _ c: UnsafePointer<Float>, into next: UnsafeMutablePointer<Float>
    ) {
        let (i, j, f, offset) = (gates, gates + count, gates + 2 * count, forgetOffset)
        map(i, into: i) { $0.gate() }
        map(j, into: j) { $0.hyperbolicTangent() }
        map(f, into: f) { ($0 + offset).gate() }
        forEachVector(count) { k, n in
            store((load(i, k, n) * load(j, k, n)).mad(load(f, k, n), load(c, k, n)), next, k, n)
        }
    }

    /// The last gate becomes σ(o), and h is made of the cells.
    func makeState(
        _ gates: UnsafeMutablePointer<Float>, _ next: UnsafePointer<Float>, into h: UnsafeMutablePointer<Float>
    ) {
        let o = gates + 3 * count
        map(o, into: o) { $0.gate() }
        map(next, into: h) { $0.hyperbolicTangent() }
        forEachVector(count) { k, n in store(load(o, k, n) * load(h, k, n), h, k, n) }
    }

    /// From dh = ∂L/∂h: the last gate becomes ∂L/∂o, before its σ, and ∂L/∂c' is added to dc. `scratch` has room for `count`
    /// numbers.
    func makeStateBackward(
        _ gates: UnsafeMutablePointer<Float>, _ next: UnsafePointer<Float>, dh: UnsafePointer<Float>,
        addingTo dc: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let o = gates + 3 * count
        map(next, into: scratch) { $0.hyperbolicTangent() }
        forEachVector(count) { k, n in
            let (y, d, output) = (load(scratch, k, n), load(dh, k, n), load(o, k, n))
            store(load(dc, k, n).mad(d * output, 1 - y * y), dc, k, n)
            store(d * y * output * (1 - output), o, k, n)
        }
    }

    /// From dc = ∂L/∂c', which becomes ∂L/∂c: the first three gates become the gradients before their functions.
    func makeCellsBackward(
        _ gates: UnsafeMutablePointer<Float>, _ c: UnsafePointer<Float>, dc: UnsafeMutablePointer<Float>
    ) {
        let (i, j, f) = (gates, gates + count, gates + 2 * count)
        forEachVector(count) { k, n in
            let d = load(dc, k, n)
            let (a, b, e) = (load(i, k, n), load(f, k, n), load(j, k, n))
            store(d * e * a * (1 - a), i, k, n)
            store(d * a * (1 - e * e), j, k, n)
            store(d * load(c, k, n) * b * (1 - b), f, k, n)
            store(d * b, dc, k, n)
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
