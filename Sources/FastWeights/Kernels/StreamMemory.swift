// The fast matrix of one sequence: it fades, takes in a state, and multiplies, in one pass over its numbers.

/// A = λ A + g wᵀ with g = η·w, then y = start + A·x: A [H, H], w, x, start and y [H], padded; start may be y. O(H²).
///
/// Each number of A is read and written once. The sum with 1.5·2⁻⁷⁷ and back rounds it to a multiple of 2⁻¹⁰⁰, by which
/// small numbers end in zero. Where a unit falls silent its part of A fades by λ a step, and would otherwise stay among
/// the subnormal numbers for ever: after two thousand steps the products took forty times as long.
@inline(never)
func fadeAndMultiply(
    _ a: StreamMatrix, decay: Float, rate: Float, writing w: UnsafePointer<Octet>, by x: UnsafePointer<Float>,
    from start: UnsafePointer<Octet>, into y: UnsafeMutablePointer<Octet>, backwards: Bool
) {
    let numbers = UnsafeRawPointer(w).assumingMemoryBound(to: Float.self)
    var i = 0
    while i < a.tileCount {
        let tile = a.tile(i, backwards: backwards).pointee
        let write = Fading(decay: Octet(repeating: decay), rate: rate, written: w + tile.first, numbers: numbers)
        let (values, from, to) = (tile.values, start + tile.first, y + tile.first)
        switch tile.height {
        case 1: fadeTile(OneVector.self, values, a.columns, write, x, from, to)
        case 2: fadeTile(Vectors2.self, values, a.columns, write, x, from, to)
        case 3: fadeTile(Vectors3.self, values, a.columns, write, x, from, to)
        #if FMA || arch(arm64)
            case 4: fadeTile(Vectors4.self, values, a.columns, write, x, from, to)
            case 5: fadeTile(Vectors5.self, values, a.columns, write, x, from, to)
            case 6: fadeTile(Vectors6.self, values, a.columns, write, x, from, to)
            case 7: fadeTile(Vectors7.self, values, a.columns, write, x, from, to)
            default: fadeTile(Vectors8.self, values, a.columns, write, x, from, to)
        #else
            default: fadeTile(Vectors4.self, values, a.columns, write, x, from, to)
        #endif
        }
        i &+= 1
    }
}

/// What a tile of the fast matrix fades by and takes in.
private struct Fading {
    let decay: Octet
    let rate: Float
    /// The tile's part of w, and all of w as numbers.
    let written: UnsafePointer<Octet>
    let numbers: UnsafePointer<Float>
}

private protocol FadingTile: VectorTile {
    /// Column w of A = λ w + weight·written, and adds x times it.
    mutating func fade(
        _ w: UnsafeMutablePointer<Octet>, _ decay: Octet, _ weight: Octet, _ written: UnsafePointer<Octet>, _ x: Octet)
}

extension OneVector: FadingTile {
    @inline(__always) fileprivate mutating func fade(
        _ w: UnsafeMutablePointer<Octet>, _ decay: Octet, _ weight: Octet, _ written: UnsafePointer<Octet>, _ x: Octet
    ) {
        let shift = Octet(repeating: 0x1.8p-77)
        let sum = (w.pointee * decay).mad(weight, written.pointee)
        let kept = (sum + shift) - shift
        w.pointee = kept
        y = y.mad(x, kept)
    }
}

extension VectorStack: FadingTile where Upper: FadingTile, Lower: FadingTile {
    @inline(__always) fileprivate mutating func fade(
        _ w: UnsafeMutablePointer<Octet>, _ decay: Octet, _ weight: Octet, _ written: UnsafePointer<Octet>, _ x: Octet
    ) {
        upper.fade(w, decay, weight, written, x)
        lower.fade(w + Upper.vectors, decay, weight, written + Upper.vectors, x)
    }
}

@inline(__always)
private func fadeTile<Tile: FadingTile>(
    _: Tile.Type, _ a: UnsafeMutablePointer<Octet>, _ columns: Int, _ write: Fading, _ x: UnsafePointer<Float>,
    _ start: UnsafePointer<Octet>, _ y: UnsafeMutablePointer<Octet>
) {
    var tile = Tile(at: start)
    var column = a
    var k = 0
    while k < columns {
        tile.fade(
            column, write.decay, Octet(repeating: write.rate * write.numbers[k]), write.written,
            Octet(repeating: x[k]))
        column += Tile.vectors
        k &+= 1
    }
    tile.store(at: y)
}
