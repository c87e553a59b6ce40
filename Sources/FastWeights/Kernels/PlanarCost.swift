/// What a planar convolution costs in one form or another, in the time of a multiply-add of sixteen numbers: the sum of its
/// products, and of its transforms. Forms are chosen by it; the rows `convolution/` of the bench show what they take.
struct PlanarCost: Sendable {
    /// Sizes of a shard's convolution.
    struct Shape: Sendable {
        var channels: Int
        var features: Int
        var size: Int
        var samples: Int
        var height: Int
        var width: Int
        var trains: Bool
    }

    let form: Winograd
    /// Of products: a step's way forward, and if it trains both of the way back.
    let products: Double
    /// Of copies and transforms.
    let transforms: Double

    var total: Double { products + transforms }

    init(_ shape: Shape, _ form: Winograd) {
        self.form = form
        let m = form.tile
        let tiles = shape.samples * ((shape.height + m - 1) / m) * ((shape.width + m - 1) / m)
        let octets = (tiles + Octet.width - 1) / Octet.width
        let (C, F, n) = (Double(shape.channels), Double(shape.features), Double(form.points))
        let depth = Double(form.depth(channels: shape.channels))
        // Half a panel reads as many filters as a whole one; of two steps it is one in the gradient of W.
        let isHalf = octets % 2 == 1 && !form.isDirect
        let panels = Double(octets / 2) + (octets % 2 == 0 ? 0 : isHalf ? 0.8 : 1)
        let summed = octets == 1 && isHalf ? 0.7 : Double((octets + 1) / 2)
        // Beside the turns of its depth, each row has some share of the beginning and the end of its tile's.
        let start = 8.0
        let ahead = panels * F * (depth + start)
        let back = panels * depth * (F + start) + summed * F * (depth + start)
        products = Double(form.products) * (ahead + (shape.trains ? back : 0))
        // Of copies and of both axes, a panel of a channel, and of a feature.
        let (input, output) = form.isDirect ? (5 * n * n, 4) : (4 * n * n + 60, 3 * n * n + 40)
        let vectors = C * input * (shape.trains ? 3 : 1) + F * output * (shape.trains ? 2 : 1)
        transforms = Double(octets) / 2 * vectors
    }

    /// The least of all forms.
    static func least(_ shape: Shape) -> PlanarCost {
        Winograd.forms(size: shape.size).map { PlanarCost(shape, $0) }.min { $0.total < $1.total }!
    }
}
