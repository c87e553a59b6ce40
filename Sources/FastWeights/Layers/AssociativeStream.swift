/// The associative LSTM's part of a stream: what a step makes of the pre-activations. Eight complex numbers a vector, U
/// vectors of real parts and as many of imaginary ones; the equations stand at `AssociativeLSTMOptions`.
///
/// Padded numbers have keys, values and so copies of 0.
struct AssociativeStream {
    private let options: AssociativeLSTMOptions
    /// H/2 and U = ⌈H/16⌉.
    private let half: Int
    private let vectors: Int
    /// r_in and r_out, [4·U], and both in the order of a copy.
    private let keys: UnsafeMutablePointer<Octet>
    private let ordered: UnsafeMutablePointer<Octet>
    /// i · u, and what is read, [2·U] each.
    private let value: UnsafeMutablePointer<Octet>
    private let read: UnsafeMutablePointer<Octet>
    private let orders: UnsafePointer<Int>
    private let owner: Buffer<Int>

    init(_ options: AssociativeLSTMOptions, hidden: Int, vectors: Int, arena: StreamArena) {
        self.options = options
        self.vectors = vectors
        half = hidden / 2
        keys = arena.octets(4 * vectors)
        ordered = arena.octets(4 * vectors)
        value = arena.octets(2 * vectors)
        read = arena.octets(2 * vectors)
        owner = Buffer(options.permutations(of: hidden / 2))
        orders = UnsafePointer(owner.pointer)
    }

    /// From the pre-activations, vector u·G + g of which has row g of the numbers 8u … 8u + 7, the copies, [2·S·U], and h.
    @inline(never)
    func step(
        _ gates: UnsafeMutablePointer<Octet>, copies: UnsafeMutablePointer<Octet>, h: UnsafeMutablePointer<Octet>
    ) {
        let U = vectors
        readKeysAndValue(gates)
        read.update(repeating: .zero, count: 2 &* U)
        let rows = 3 &+ 2 &* options.vectors
        var s = 0
        while s < options.copies {
            let keys = order(s)
            let c = copies + (2 &* s &* U)
            var u = 0
            while u < U {
                let f = gates[u &* rows &+ 1]
                let (x, y) = (value[u], value[U &+ u])
                let (a, b) = (keys[u], keys[U &+ u])
                let real = (f * c[u]).mad(a, x) - b * y
                let imaginary = (f * c[U &+ u]).mad(a, y).mad(b, x)
                c[u] = real
                c[U &+ u] = imaginary
                let (d, e) = (keys[2 &* U &+ u], keys[3 &* U &+ u])
                read[u] = read[u].mad(d, real) - e * imaginary
                read[U &+ u] = read[U &+ u].mad(d, imaginary).mad(e, real)
                u &+= 1
            }
            s &+= 1
        }
        let share = 1 / Float(options.copies)
        var u = 0
        while u < U {
            let y = bounded(read[u] * share, read[U &+ u] * share)
            let o = gates[u &* rows &+ 2].sigmoid()
            read[u] = o * y.lowHalf
            read[U &+ u] = o * y.highHalf
            u &+= 1
        }
        let target = UnsafeMutableRawPointer(h).assumingMemoryBound(to: Float.self)
        target.update(from: numbers(read), count: half)
        (target + half).update(from: numbers(read + U), count: half)
    }

    /// r_in and r_out, sums over the keys, i · u, and in its place in the pre-activations σ of the forget gate.
    @inline(__always)
    private func readKeysAndValue(_ gates: UnsafeMutablePointer<Octet>) {
        let U = vectors
        let pairs = options.keys
        var row = gates
        var u = 0
        while u < U {
            var (real, imaginary) = (Lanes.zero, Lanes.zero)
            var n = 0
            while n < pairs {
                // An input key and an output key at once.
                let (key, other) = (row + (3 &+ 2 &* n), row + (3 &+ 2 &* (pairs &+ n)))
                let (a, b) = (Lanes(lowHalf: key[0], highHalf: other[0]), Lanes(lowHalf: key[1], highHalf: other[1]))
                let factor = boundScale(a, b)
                real = real.mad(factor, a)
                imaginary = imaginary.mad(factor, b)
                n &+= 1
            }
            (keys[u], keys[U &+ u]) = (real.lowHalf, imaginary.lowHalf)
            (keys[2 &* U &+ u], keys[3 &* U &+ u]) = (real.highHalf, imaginary.highHalf)
            let candidate = row + (3 &+ 4 &* pairs)
            let y = bounded(candidate[0], candidate[1])
            let i = row[0].sigmoid()
            (value[u], value[U &+ u]) = (i * y.lowHalf, i * y.highHalf)
            row[1] = row[1].sigmoid()
            row += (5 &+ 4 &* pairs)
            u &+= 1
        }
    }

    /// bound of eight numbers, real parts in the low half.
    @inline(__always)
    private func bounded(_ real: Octet, _ imaginary: Octet) -> Lanes {
        let scale = boundScale(Lanes(lowHalf: real, highHalf: real), Lanes(lowHalf: imaginary, highHalf: imaginary))
        return scale * Lanes(lowHalf: real, highHalf: imaginary)
    }

    /// Both keys in the order of copy s.
    @inline(__always)
    private func order(_ s: Int) -> UnsafeMutablePointer<Octet> {
        if s == 0 { return keys }
        let order = orders + s &* half
        let width = vectors &* Octet.width
        let source = numbers(keys)
        let target = UnsafeMutableRawPointer(ordered).assumingMemoryBound(to: Float.self)
        var k = 0
        while k < half {
            let p = order[k]
            target[k] = source[p]
            target[width &+ k] = source[width &+ p]
            target[2 &* width &+ k] = source[2 &* width &+ p]
            target[3 &* width &+ k] = source[3 &* width &+ p]
            k &+= 1
        }
        return ordered
    }
}

/// One sequence of the associative LSTM.
final class AssociativeLSTMStream: CellStream {
    private let associative: AssociativeStream

    init(_ kind: AssociativeLSTMLayer, _ shared: CellStreamWeights) {
        let arena = StreamArena()
        associative = AssociativeStream(kind.memoryOptions, hidden: kind.hidden, vectors: shared.vectors, arena: arena)
        super.init(shared, arena: arena)
    }

    @inline(never)
    override func step(_ input: ColumnNumbers) {
        let x = begin(input)
        project(x)
        associative.step(gates, copies: memory.values, h: h)
    }
}
