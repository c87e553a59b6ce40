/// Filters of a convolution that keeps rows and columns, packed for samples in lanes or for maps side by side.
enum FilterSet {
    /// With the numbers that they are packed of.
    case lanes(PackedFilters, UnsafePointer<Float>)
    case planar(PlanarFilters)

    /// Pieces of the packing.
    var pieces: Int {
        switch self {
        case .lanes: 1
        case .planar(let filters): filters.pieces
        }
    }

    func pack(_ piece: Int) {
        switch self {
        case .lanes(let filters, let numbers): filters.pack(numbers)
        case .planar(let filters): filters.pack(piece)
        }
    }

    var products: PackedFilters.Products {
        guard case .lanes(let filters, _) = self else { misuse("these filters are packed for planar convolutions") }
        return filters.products
    }
}

/// A convolution that keeps rows and columns, of maps whose samples lie in lanes, over the steps of a pass: products in lanes,
/// or, where that costs less, a planar convolution of the lanes in use, whose maps are copied out of the panels and back.
final class LaneConvolution {
    private let convolution: Convolution
    private let products: FilterProducts?
    private let planar: PlanarConvolution?
    /// For `FilterProducts.addGradient`.
    private let scratch: Panel
    /// Maps of x and y, or of their gradients, [C, 16, H, W].
    private let x: Buffer<Float>
    private let dx: Buffer<Float>
    private let y: Buffer<Float>

    init(_ convolution: Convolution, _ plan: PassPlan, arena: Arena) {
        (self.convolution, scratch) = (convolution, plan.scratch)
        let form = Self.form(convolution)
        planar = form.map {
            PlanarConvolution(
                channels: convolution.channels, features: convolution.features, size: $0.size, samples: Lanes.width,
                height: convolution.rows.input, width: convolution.columns.input, steps: plan.steps,
                trains: plan.trains, form: $0)
        }
        products = form == nil ? FilterProducts(convolution, trains: plan.trains, arena: arena) : nil
        let (inputs, outputs) = (convolution.input.count * Lanes.width, convolution.output.count * Lanes.width)
        x = Buffer(form == nil ? 0 : inputs)
        dx = Buffer(form == nil || !plan.trains ? 0 : inputs)
        y = Buffer(form == nil ? 0 : outputs)
    }

    /// The form of a planar convolution that costs less than products of sixteen samples in lanes; nil where there is none.
    static func form(_ convolution: Convolution) -> Winograd? {
        let (rows, columns) = (convolution.rows, convolution.columns)
        guard rows.size == columns.size, rows.size > 1 else { return nil }
        let cost = PlanarCost.least(
            PlanarCost.Shape(
                channels: convolution.channels, features: convolution.features, size: rows.size, samples: Lanes.width,
                height: rows.input, width: columns.input, trains: true))
        // A copy of a vector of a panel takes about four turns.
        let copies = 4 * (3 * convolution.input.count + 2 * convolution.output.count)
        return cost.form.isDirect || cost.total + Double(copies) > 3 * Double(convolution.multiplications)
            ? nil : cost.form
    }

    /// y += W ∗ x at step t, of so many lanes at least.
    func add(_ filters: FilterSet, _ x: Panel, to y: Panel, at t: Int, lanes: Int) {
        guard let planar, case .planar(let filters) = filters else {
            products!.add(filters.products, x, to: y)
            return
        }
        planar.use(samples: lanes)
        take(x, convolution.input, into: self.x.pointer)
        planar.forward(filters, self.x.pointer, into: self.y.pointer, step: t)
        add(self.y.pointer, convolution.output, to: y)
    }

    /// From dy = ∂L/∂(W ∗ x) at step t: adds ∂L/∂x to dx, which is 0 at first if `clears` says so and may be the panel of x; and
    /// ∂L/∂W to dw, where it is complete after `finishBack`.
    func addBack(
        _ filters: FilterSet, _ dy: Panel, _ x: Panel, to dx: Panel?, clears: Bool = false, at t: Int, lanes: Int,
        _ dw: UnsafeMutablePointer<Float>
    ) {
        guard let planar, case .planar(let filters) = filters else {
            products!.addGradient(dy, x, scratch: scratch, to: dw)
            guard let dx else { return }
            if clears { dx.update(repeating: .zero, count: convolution.input.count) }
            products!.addTransposed(filters.products, dy, to: dx)
            return
        }
        planar.use(samples: lanes)
        take(x, convolution.input, into: self.x.pointer)
        take(dy, convolution.output, into: y.pointer)
        guard let dx else { return planar.backward(filters, y.pointer, addingTo: nil, step: t) }
        let area = convolution.input.area
        for c in 0..<convolution.channels {
            (self.dx.pointer + c &* Lanes.width &* area).update(repeating: 0, count: planar.used &* area)
        }
        planar.backward(filters, y.pointer, addingTo: self.dx.pointer, step: t)
        if clears { dx.update(repeating: .zero, count: convolution.input.count) }
        add(self.dx.pointer, convolution.input, to: dx)
    }

    /// dw += what `addBack` has not added yet.
    func finishBack(_ dw: UnsafeMutablePointer<Float>) { planar?.addGradient(to: dw) }

    /// Copies the maps of the lanes in use out of a panel, four lanes and four numbers of each at a time.
    private func take(_ panel: Panel, _ shape: MapShape, into maps: UnsafeMutablePointer<Float>) {
        let (area, source) = (shape.area, UnsafePointer(floats(panel)))
        forEachFour(shape) { row, lane, map in
            Matrix4x4(at: source + (row &* Lanes.width &+ lane), Lanes.width).transposed.store(at: maps + map, area)
        } single: { row, lane, map in
            maps[map] = source[row &* Lanes.width &+ lane]
        }
    }

    /// Adds maps to the lanes in use.
    private func add(_ maps: UnsafePointer<Float>, _ shape: MapShape, to panel: Panel) {
        let (area, target) = (shape.area, floats(panel))
        forEachFour(shape) { row, lane, map in
            let rows = Matrix4x4(at: maps + map, area).transposed
            let first = target + (row &* Lanes.width &+ lane)
            rows.a.add(to: first)
            rows.b.add(to: first + Lanes.width)
            rows.c.add(to: first + 2 &* Lanes.width)
            rows.d.add(to: first + 3 &* Lanes.width)
        } single: { row, lane, map in
            target[row &* Lanes.width &+ lane] += maps[map]
        }
    }

    /// Calls `four` with each row of a panel from which on four are, each lane from which on four are in use, and where their
    /// numbers stand in maps; `single` with the numbers that are left.
    @inline(__always)
    private func forEachFour(
        _ shape: MapShape, _ four: (_ row: Int, _ lane: Int, _ map: Int) -> Void,
        single: (_ row: Int, _ lane: Int, _ map: Int) -> Void
    ) {
        let (area, lanes) = (shape.area, planar!.used)
        var c = 0
        while c < shape.channels {
            let (first, map) = (c &* area, c &* Lanes.width &* area)
            var r = 0
            while r &+ 4 <= area {
                var lane = 0
                while lane < lanes {
                    four(first &+ r, lane, map &+ lane &* area &+ r)
                    lane &+= 4
                }
                r &+= 4
            }
            while r < area {
                for lane in 0..<lanes { single(first &+ r, lane, map &+ lane &* area &+ r) }
                r &+= 1
            }
            c &+= 1
        }
    }
}
