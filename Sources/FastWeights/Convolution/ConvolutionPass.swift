/// A network of convolutions at work on one block of sixteen images: every buffer of both passes, made once.
final class ConvolutionPass {
    private let work: [ConvolutionalNetworkConfiguration.Work]
    /// The image, and what each layer makes of it.
    private let maps: [Panel]
    /// ∂L/∂(those); that of the image only where it is asked for.
    private let gradients: [Panel]
    private let head: HeadPass
    /// What the filters see at the places of one row of a convolution's output, and ∂L/∂(that of one place).
    private let seen: Panel
    private let dSeen: Panel
    /// Pre-activations of the places of one row, or their gradients.
    private let places: Panel
    private let scratch: Panel
    private let arena = Arena()

    init(_ configuration: ConvolutionalNetworkConfiguration) {
        work = configuration.work
        let shapes = [configuration.input] + work.map(\.output)
        let arena = arena
        maps = shapes.map { arena.panels(1, rows: $0.count)[0] }
        gradients = shapes.map { arena.panels(1, rows: $0.count)[0] }
        head = HeadPass(.perSequence(configuration.classes), columns: configuration.features.count, steps: 1)
        var (deepest, widest, tallest) = (0, 0, 0)
        for case .convolution(let c) in work {
            deepest = max(deepest, c.depth)
            widest = max(widest, c.output.width * c.depth)
            tallest = max(tallest, c.output.width * c.features)
        }
        seen = arena.panels(1, rows: widest)[0]
        dSeen = arena.panels(1, rows: deepest)[0]
        places = arena.panels(1, rows: tallest)[0]
        scratch = arena.panels(1, rows: outerProductScratch)[0]
    }

    /// The images, channel by channel and row by row.
    var input: Panel { maps[0] }
    /// ∂L/∂images after `backward`.
    var inputGradient: Panel { gradients[0] }
    /// Logits after `forward`; where ∂L/∂logits goes before `backward`.
    var logits: Panel { head.outputs[0] }

    func forward(_ weights: ConvolutionWeights) {
        for (i, work) in work.enumerated() {
            switch work {
            case .convolution(let c): convolve(c, weights.filters[i]!, maps[i], into: maps[i + 1])
            case .maxPool(let pool): pool.forward(maps[i], into: maps[i + 1])
            }
        }
        head.forward(weights.head, PanelSequence(pointer: maps[work.count], stride: 0), 0..<1)
    }

    private func convolve(_ c: Convolution, _ filters: ConvolutionWeights.Filters, _ x: Panel, into y: Panel) {
        let (shape, F) = (c.output, c.features)
        let area = shape.height * shape.width
        for v in 0..<shape.height {
            for u in 0..<shape.width {
                c.gather(x, u, v, into: seen)
                for f in 0..<F { places[f] = Lanes(repeating: filters.bias[f]) }
                filters.matrix.multiply(by: seen, into: places)
                let target = y + (v * shape.width + u)
                for f in 0..<F { target[f &* area] = places[f].rectified }
            }
        }
    }

    /// The backward pass of the last `forward`: from ∂L/∂logits in `logits` the gradients of the parameters, added to
    /// `g`, and with `ofInput` those of the images.
    func backward(_ weights: ConvolutionWeights, gradients g: ConvolutionGradients, ofInput: Bool = false) {
        let last = work.count
        head.backward(
            weights.head, PanelSequence(pointer: maps[last], stride: 0), count: 1, gradients: g.head, scratch: scratch,
            into: PanelSequence(pointer: gradients[last], stride: 0))
        for (i, work) in work.enumerated().reversed() {
            let goesOn = i > 0 || ofInput
            switch work {
            case .convolution(let c):
                convolveBackward(c, weights.filters[i]!, g.filters[i]!, layer: i, goesOn: goesOn)
            case .maxPool(let pool):
                if goesOn { pool.backward(maps[i], maps[i + 1], gradients[i + 1], into: gradients[i]) }
            }
        }
    }

    private func convolveBackward(
        _ c: Convolution, _ filters: ConvolutionWeights.Filters,
        _ g: (weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>), layer: Int, goesOn: Bool
    ) {
        let (shape, F, depth) = (c.output, c.features, c.depth)
        let area = shape.height * shape.width
        let (x, y, dy, dx) = (maps[layer], maps[layer + 1], gradients[layer + 1], gradients[layer])
        if goesOn { dx.update(repeating: .zero, count: c.input.count) }
        let dz = PanelSequence(pointer: places, stride: F)
        let seen = PanelSequence(pointer: seen, stride: depth)
        for v in 0..<shape.height {
            for u in 0..<shape.width {
                let place = v * shape.width + u
                for f in 0..<F {
                    let row = f &* area &+ place
                    dz[u][f] = Lanes.zero.replacing(with: dy[row], where: y[row] .> 0)
                }
                c.gather(x, u, v, into: seen[u])
                guard goesOn else { continue }
                dSeen.update(repeating: .zero, count: depth)
                filters.transposed.multiply(by: dz[u], into: dSeen)
                c.scatter(dSeen, u, v, addingTo: dx)
            }
            accumulateOuterProducts(
                dz, rows: F, seen, columns: depth, count: shape.width, scratch: scratch, into: g.weight)
            accumulateSums(dz, rows: F, count: shape.width, into: g.bias)
        }
    }
}
