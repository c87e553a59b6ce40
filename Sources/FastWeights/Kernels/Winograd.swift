/// Convolutions with stride 1 by fewer products: Winograd's minimal filtering (Winograd 1980; Lavin and Gray 2016), F(m×m, k×k).
///
/// Maps are cut into tiles of m by m outputs. What a tile is made of, n by n inputs with n = m + k - 1, is evaluated at n
/// points of each axis, V = Bᵀ d B; the filters are too, U = G g Gᵀ; there the convolution is a product U V for each of the n²
/// places, and Aᵀ · A makes of them the outputs. With k = 5 and m = 4 that is 4 products an output rather than 25.
///
/// Eight points are 0, ±1, ±2, ±½ and ∞, six are 0, ±1, ±2 and ∞, four are 0, ±1 and ∞. With m = 1 both transforms are
/// copies, and the sum over the places is part of the one product: the convolution as it is written.
struct Winograd: Sendable, Equatable {
    /// k, the side of the filters, an odd number.
    let size: Int
    /// m, the side of a tile of outputs.
    let tile: Int

    /// n, points of an axis.
    var points: Int { tile + size - 1 }
    /// n².
    var places: Int { points * points }
    /// Whether there are no transforms.
    var isDirect: Bool { tile == 1 }
    /// Products of filters and values.
    var products: Int { isDirect ? 1 : places }
    /// Rows of the values of such a product.
    func depth(channels: Int) -> Int { isDirect ? channels * places : channels }

    /// All there are for filters of a size, m = 1 first.
    static func forms(size: Int) -> [Winograd] {
        let points = size > 1 ? [4, 6, 8] : []
        return [1, 2, 4].map { Winograd(size: size, tile: $0) }
            .filter { $0.isDirect || points.contains($0.points) }
    }

    /// G, [n, k]: row i has the powers of point i over ∏ (a_i - a_j), but for signs that Bᵀ has too, and the last, ∞, is
    /// the last number.
    var filterMatrix: [Float] {
        let divisors: [Double] =
            switch points {
            case 4: [1, 2, 2]
            case 6: [4, -6, -6, 24, 24]
            default: [1, -4.5, -4.5, 90, 90, 1.40625, 1.40625]
            }
        let all: [Double] = [0, 1, -1, 2, -2, 0.5, -0.5]
        var numbers: [Float] = []
        for (point, divisor) in zip(all, divisors) {
            var power = 1 / divisor
            for _ in 0..<size {
                numbers.append(Float(power))
                power *= point
            }
        }
        return numbers + [Float](repeating: 0, count: size - 1) + [1]
    }
}

/// The transform of filters and its adjoint, sixteen filters in the lanes.
struct FilterTransform {
    let winograd: Winograd
    private let matrix: Buffer<Float>

    init(_ winograd: Winograd) { (self.winograd, matrix) = (winograd, Buffer(winograd.filterMatrix)) }

    /// Vectors of scratch memory.
    var scratch: Int { winograd.points * winograd.size + winograd.size * winograd.size }

    /// U = G g Gᵀ of `count` filters, at most sixteen, one behind the other; vectors of places `stride` apart. O(n²·k) vectors.
    func apply(_ filters: UnsafePointer<Float>, count: Int, into u: Panel, stride: Int, scratch: Panel) {
        let (n, k, g) = (winograd.points, winograd.size, matrix.pointer)
        let (area, row) = (k &* k, scratch + k &* k)
        for i in 0..<area {
            var numbers = Lanes.zero
            for lane in 0..<count { numbers[lane] = filters[lane &* area &+ i] }
            scratch[i] = numbers
        }
        for a in 0..<n {
            for j in 0..<k {
                var sum = Lanes.zero
                for i in 0..<k { sum = sum.mad(g[a &* k &+ i], scratch[i &* k &+ j]) }
                row[a &* k &+ j] = sum
            }
        }
        for a in 0..<n {
            for b in 0..<n {
                var sum = Lanes.zero
                for j in 0..<k { sum = sum.mad(g[b &* k &+ j], row[a &* k &+ j]) }
                u[(a &* n &+ b) &* stride] = sum
            }
        }
    }

    /// dg += Gᵀ dU G, the adjoint: of `count` filters, at most sixteen, side by side at every place, places `stride` numbers
    /// apart, to filters `spacing` apart.
    func applyAdjoint(
        _ du: UnsafePointer<Float>, count: Int, stride: Int, addingTo dg: UnsafeMutablePointer<Float>, spacing: Int,
        scratch: Panel
    ) {
        let (n, k, g) = (winograd.points, winograd.size, matrix.pointer)
        for a in 0..<n {
            let row = scratch + a &* k
            for j in 0..<k { row[j] = .zero }
            for b in 0..<n {
                let place = du + (a &* n &+ b) &* stride
                let numbers = count == Lanes.width ? Lanes(at: place) : Lanes(first: count, at: place)
                for j in 0..<k { row[j] = row[j].mad(g[b &* k &+ j], numbers) }
            }
        }
        for i in 0..<k {
            for j in 0..<k {
                var sum = Lanes.zero
                for a in 0..<n { sum = sum.mad(g[a &* k &+ i], scratch[a &* k &+ j]) }
                let target = dg + (i &* k &+ j)
                for lane in 0..<count { target[lane &* spacing] += sum[lane] }
            }
        }
    }
}
