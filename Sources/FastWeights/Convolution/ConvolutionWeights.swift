/// A network's filters packed for a run, and the pointers to its other parameters.
final class ConvolutionWeights: @unchecked Sendable {
    /// One convolution's filters as a matrix [F, C·k·k] and that transposed.
    struct Filters {
        let matrix: PackedMatrix
        let transposed: PackedMatrix
        let source: UnsafePointer<Float>
        let bias: UnsafePointer<Float>
    }

    /// By layer; nil of a pool.
    let filters: [Filters?]
    let head: HeadParameters
    /// Keeps the memory of the pointers.
    private let block: Parameters

    /// Ready once `pack` has taken in the parameters of `block`.
    init(_ configuration: ConvolutionalNetworkConfiguration, _ block: Parameters) {
        self.block = block
        filters = configuration.work.enumerated().map { i, work in
            guard case .convolution(let c) = work else { return nil }
            return Filters(
                matrix: PackedMatrix(rows: c.features, depth: c.depth),
                transposed: PackedMatrix(rows: c.depth, depth: c.features),
                source: UnsafePointer(block.pointer(to: "layers.\(i).weight")),
                bias: UnsafePointer(block.pointer(to: "layers.\(i).bias")))
        }
        head = HeadParameters(block)
    }

    /// Pieces of `pack`, one a layer.
    var pieces: Int { filters.count }

    /// Packs the filters of a layer as they are now.
    func pack(piece: Int) {
        guard let filters = filters[piece] else { return }
        let depth = filters.matrix.depth
        filters.matrix.pack(0..<filters.matrix.tiles, filters.source, rowStride: depth, depthStride: 1)
        filters.transposed.pack(0..<filters.transposed.tiles, filters.source, rowStride: 1, depthStride: depth)
    }
}

/// Pointers to the windows of a block of gradients, by layer.
struct ConvolutionGradients {
    let filters: [(weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>)?]
    let head: HeadParameters

    init(_ configuration: ConvolutionalNetworkConfiguration, _ block: Parameters) {
        filters = configuration.work.enumerated().map { i, work in
            guard case .convolution = work else { return nil }
            return (block.pointer(to: "layers.\(i).weight"), block.pointer(to: "layers.\(i).bias"))
        }
        head = HeadParameters(block)
    }
}
