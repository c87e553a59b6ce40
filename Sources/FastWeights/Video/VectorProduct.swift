/// y = W·x + b of the numbers of each sample, maps flattened in the order C, H, W; with `isRectified` max(y, 0).
///
/// The vectors and their gradients are kept as rows, so that the gradient of W is one product over all steps.
final class VectorProduct: VideoOperation {
    struct Placed {
        let inputs: Int
        let outputs: Int
        let weight: Parameter
        let bias: Parameter
    }

    private let placed: Placed
    private let source: PlanarRange
    private let target: PlanarRange
    private let isRectified: Bool
    private let steps: Int
    /// [T, N, inputs], and ∂L/∂y as [T, N, outputs].
    private let rows: Buffer<Float>
    private let gradients: Buffer<Float>
    private let workspace = ProductWorkspace()
    /// Steps gone forward.
    private var taken = 0

    init(
        _ placed: Placed, _ numbers: UnsafeMutablePointer<Float>, from source: PlanarRange, to target: PlanarRange,
        isRectified: Bool = false, _ plan: VideoPlan
    ) {
        (self.placed, self.source, self.target, self.isRectified) = (placed, source, target, isRectified)
        steps = plan.steps
        rows = Buffer(plan.steps * plan.samples * placed.inputs)
        gradients = Buffer(plan.trains ? plan.steps * plan.samples * placed.outputs : 0)
        super.init(numbers)
    }

    override func begin() { taken = 0 }

    override func forward(_ t: Int) {
        let (x, y, w, b) = (source.at(t), target.at(t), numbers[placed.weight], numbers[placed.bias])
        let (samples, area, inputs) = (source.samples, source.shape.area, placed.inputs)
        let vectors = rows.pointer + t % steps * samples * inputs
        for n in 0..<samples {
            for c in 0..<source.channels.count {
                (vectors + n * inputs + c * area).update(from: x + (c * samples + n) * area, count: area)
            }
        }
        for o in 0..<placed.outputs {
            for n in 0..<samples {
                let z = dot(w + o * inputs, vectors + n * inputs, count: inputs) + b[o]
                y[o * samples + n] = isRectified ? max(z, 0) : z
            }
        }
        taken += 1
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (dx, y, dy, w) = (source.gradient, target.at(t), target.gradient, numbers[placed.weight])
        let (samples, area, inputs, outputs) = (source.samples, source.shape.area, placed.inputs, placed.outputs)
        let (kept, db) = (self.gradients.pointer + t % steps * samples * outputs, gradients[placed.bias])
        for n in 0..<samples {
            for o in 0..<outputs {
                let d = isRectified && y[o * samples + n] <= 0 ? 0 : dy[o * samples + n]
                kept[n * outputs + o] = d
                db[o] += d
                guard d != 0 else { continue }
                for c in 0..<source.channels.count {
                    addProduct(d, w + o * inputs + c * area, to: dx + (c * samples + n) * area, count: area)
                }
            }
        }
    }

    override func finishBackward(_ gradients: UnsafeMutablePointer<Float>) {
        let count = min(taken, steps) * source.samples
        multiply(
            MatrixView(self.gradients.pointer, count, placed.outputs).transposed,
            MatrixView(rows.pointer, count, placed.inputs),
            into: MatrixView(gradients[placed.weight], placed.outputs, placed.inputs), accumulate: true,
            workspace: workspace)
    }
}

/// Σ x·y of `count` numbers, in thirty-two parts.
private func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float {
    var (even, odd) = (Lanes.zero, Lanes.zero)
    let whole = count & ~31
    var k = 0
    while k < whole {
        even = even.mad(Lanes(at: x + k), Lanes(at: y + k))
        odd = odd.mad(Lanes(at: x + (k &+ 16)), Lanes(at: y + (k &+ 16)))
        k &+= 32
    }
    var result = (even + odd).laneSum
    while k < count {
        result += x[k] * y[k]
        k &+= 1
    }
    return result
}

/// y += a·x.
private func addProduct(_ a: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
    forEachVector(count) { k, n in
        if n == Lanes.width {
            Lanes(at: y + k).mad(a, Lanes(at: x + k)).store(at: y + k)
        } else {
            for k in k..<k + n { y[k] += a * x[k] }
        }
    }
}
