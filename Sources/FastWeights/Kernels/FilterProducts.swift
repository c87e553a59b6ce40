// The three products of a convolution: y += W ∗ x, x += W ∗ᵀ y and dW += Σ dy xᵀ. The numbers under the filter at a place are
// copied into a panel of their own, C·k·k rows (im2col), so that a place is one product with the filters as a matrix.

/// The filters of a convolution as a matrix [F, C·k·k] and that transposed, packed.
struct PackedFilters {
    let convolution: Convolution
    private let matrix: PackedMatrix
    private let transposed: PackedMatrix

    init(_ convolution: Convolution) {
        self.convolution = convolution
        matrix = PackedMatrix(rows: convolution.features, depth: convolution.depth)
        transposed = PackedMatrix(rows: convolution.depth, depth: convolution.features)
    }

    /// Takes in the filters, [F, C, k, k].
    func pack(_ filters: UnsafePointer<Float>) {
        let depth = convolution.depth
        matrix.pack(0..<matrix.tiles, filters, rowStride: depth, depthStride: 1)
        transposed.pack(0..<transposed.tiles, filters, rowStride: 1, depthStride: depth)
    }

    /// Its products, for as long as the filters are there.
    var products: Products { Products(matrix: matrix.products, transposed: transposed.products) }

    struct Products {
        let matrix: PackedProducts
        let transposed: PackedProducts
    }
}

/// The products of a convolution with panels, one after another, and the memory that they work in.
struct FilterProducts {
    private let convolution: Convolution
    /// What the filters see at the places of one row of y; to run forward alone, at one.
    private let seen: Panel
    private let dSeen: Panel
    /// y at the places of one row, a place behind the other; to run forward alone, at one.
    private let places: Panel

    /// `trains` says whether `addGradient` is called; `isTransposed` whether `addTransposed` is, where not.
    init(_ convolution: Convolution, trains: Bool, isTransposed: Bool = false, arena: Arena) {
        self.convolution = convolution
        let row = trains ? convolution.columns.output : 1
        seen = arena.panels(1, rows: row * convolution.depth)[0]
        dSeen = arena.panels(1, rows: trains || isTransposed ? convolution.depth : 0)[0]
        places = arena.panels(1, rows: row * convolution.features)[0]
    }

    /// y += W ∗ x. O(F·C·k·k) a place.
    func add(_ filters: PackedFilters.Products, _ x: Panel, to y: Panel) {
        let (c, shape) = (convolution, convolution.output)
        let area = shape.area
        for v in 0..<shape.height {
            for u in 0..<shape.width {
                let target = y + (v &* shape.width &+ u)
                c.gather(x, u, v, into: seen)
                for f in 0..<c.features { places[f] = target[f &* area] }
                filters.matrix.multiply(by: seen, into: places)
                for f in 0..<c.features { target[f &* area] = places[f] }
            }
        }
    }

    /// x += W ∗ᵀ y: the way back of `add`, and a transposed convolution's way forward. O(F·C·k·k) a place.
    func addTransposed(_ filters: PackedFilters.Products, _ y: Panel, to x: Panel) {
        let (c, shape) = (convolution, convolution.output)
        let area = shape.area
        for v in 0..<shape.height {
            for u in 0..<shape.width {
                let source = y + (v &* shape.width &+ u)
                for f in 0..<c.features { places[f] = source[f &* area] }
                dSeen.update(repeating: .zero, count: c.depth)
                filters.transposed.multiply(by: places, into: dSeen)
                c.scatter(dSeen, u, v, addingTo: x)
            }
        }
    }

    /// dW += the gradient of the filters, summed over the sixteen samples too, from dy = ∂L/∂(W ∗ x). O(F·C·k·k) a place.
    func addGradient(_ dy: Panel, _ x: Panel, scratch: Panel, to dw: UnsafeMutablePointer<Float>) {
        let (c, shape) = (convolution, convolution.output)
        let (area, width) = (shape.area, shape.width)
        let dz = PanelSequence(pointer: places, stride: c.features)
        let seen = PanelSequence(pointer: seen, stride: c.depth)
        for v in 0..<shape.height {
            for u in 0..<width {
                let (source, target) = (dy + (v &* width &+ u), dz[u])
                for f in 0..<c.features { target[f] = source[f &* area] }
                c.gather(x, u, v, into: seen[u])
            }
            accumulateOuterProducts(
                dz, rows: c.features, seen, columns: c.depth, count: width, scratch: scratch, into: dw)
        }
    }
}

/// y of `channels` maps becomes a number a channel.
func fillChannels(_ y: Panel, channels: Int, area: Int, with bias: UnsafePointer<Float>) {
    for c in 0..<channels { (y + c &* area).update(repeating: Lanes(repeating: bias[c]), count: area) }
}

/// db[c] += the sum of a map of dy and of the sixteen samples: the gradient of a bias a channel.
func accumulateChannelSums(_ dy: Panel, channels: Int, area: Int, into db: UnsafeMutablePointer<Float>) {
    var row = dy
    for c in 0..<channels {
        var (sum, r) = (Lanes.zero, 0)
        while r < area {
            sum += row[r]
            r &+= 1
        }
        db[c] += sum.laneSum
        row += area
    }
}
