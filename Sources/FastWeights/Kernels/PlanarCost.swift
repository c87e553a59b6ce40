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
        let panels = Double((tiles + Lanes.width - 1) / Lanes.width)
        let (C, F) = (Double(shape.channels), Double(shape.features))
        let depth = Double(form.depth(channels: shape.channels))
        // A tile of rows has so many turns beside those of its depth.
        let (start, rows) = (8.0, Double(TallTile.rows))
        let forward = F * (depth + start) + 0 * rows
        let back = depth * (F + start) + F * (depth + start)
        products = panels * Double(form.products) * (forward + (shape.trains ? back : 0))
        let n = Double(form.points)
        // Vectors of both axes and of copies, a channel or a feature.
        let (input, output) = form.isDirect ? (2 * n * n, 4) : (4 * n * n + 60, 3 * n * n + 40)
        transforms = panels * (C * input * (shape.trains ? 3 : 1) + F * output * (shape.trains ? 2 : 1))
    }

    /// The least of all forms.
    static func least(_ shape: Shape) -> PlanarCost {
        Winograd.forms(size: shape.size).map { PlanarCost(shape, $0) }.min { $0.total < $1.total }!
    }
}
