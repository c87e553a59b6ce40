/// Maps of N samples, [C, N, H, W], in tiles: between the maps and their values at the points of each tile, and the adjoints
/// of both ways for the gradients.
///
/// Tiles are in the lanes, so that few samples fill them: four tiles side by side of one sample, a *quad*, and four quads a
/// panel. Values stand in panels [p][place][channel], `stride` vectors from a place to the next. The panels of the values
/// are zero where there is no tile, which they are if they were at first: nothing is written there.
///
/// A map is copied with zeros around into scratch memory first, column x to phase x mod m: so the numbers that four
/// neighboring tiles have in the same place stand side by side.
struct WinogradTiles {
    let winograd: Winograd
    let samples: Int
    let height: Int
    let width: Int
    /// Rows of tiles of a sample, and tiles a row, padded to whole quads.
    private let rows: Int
    private let columns: Int
    /// Where number (i, j) of a patch stands in the scratch memory, from its first number on.
    private let offsets: Buffer<Int>

    init(_ winograd: Winograd, samples: Int, height: Int, width: Int) {
        (self.winograd, self.samples, self.height, self.width) = (winograd, samples, height, width)
        rows = (height + winograd.tile - 1) / winograd.tile
        let (m, n) = (winograd.tile, winograd.points)
        columns = ((width + m - 1) / m + 3) / 4 * 4
        offsets = Buffer(n * n)
        for i in 0..<n { for j in 0..<n { offsets.pointer[i * n + j] = (i * m + j % m) * (columns + 4) + j / m } }
    }

    private var quads: Int { samples * rows * columns / 4 }
    /// Panels of sixteen tiles.
    var panels: Int { (quads + 3) / 4 }
    /// Numbers of the scratch memory, that of one channel; zero at first.
    var scratch: Int { samples * paddedRows * winograd.tile * phaseWidth }
    private var paddedRows: Int { rows * winograd.tile + winograd.size - 1 }
    private var phaseWidth: Int { columns + 4 }

    /// V = Bᵀ d B of the patches of x, [C, N, H, W]. O(C·tiles·n²) operations of about 2·n each.
    func transform(
        _ x: UnsafePointer<Float>, channels: Int, into v: Panel, stride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        let (m, n, area) = (winograd.tile, winograd.points, height &* width)
        let axis = winograd.axis
        withUnsafeTemporaryAllocation(of: Octet.self, capacity: 2 * n * n) { buffer in
            let d = buffer.baseAddress!
            let half = d + n &* n
            let offsets = offsets.pointer
            for c in 0..<channels {
                spread(x + c &* samples &* area, into: scratch)
                var q = 0
                while q < quads {
                    let (low, high) = (start(q), start(min(q &+ 1, quads &- 1)))
                    let (p, r): (UnsafePointer<Float>, UnsafePointer<Float>) = (
                        UnsafePointer(scratch + low), UnsafePointer(scratch + high)
                    )
                    var i = 0
                    while i < n &* n {
                        let offset = offsets[i]
                        d[i] = Octet(lowHalf: four(p + offset), highHalf: four(r + offset))
                        i &+= 1
                    }
                    i = 0
                    while i < n { axis.input(d + i &* n, 1, into: half + i &* n, 1); i &+= 1 }
                    i = 0
                    let target = octets(v, q, c, stride)
                    while i < n { axis.input(half + i, n, into: target + 2 &* i &* stride, 2 &* n &* stride); i &+= 1 }
                    q &+= 2
                }
            }
        }
    }

    /// The half of a channel's vectors that is quad q's and that of the next one, from the first place on.
    @inline(__always) private func octets(
        _ v: Panel, _ q: Int, _ channel: Int, _ stride: Int
    ) -> UnsafeMutablePointer<Octet> {
        let row = (q &>> 2) &* winograd.places &* stride &+ channel
        let half: Int = (q &>> 1) & 1
        return UnsafeMutableRawPointer(v + row).assumingMemoryBound(to: Octet.self) + half
    }

    @inline(__always) private func four(_ p: UnsafePointer<Float>) -> SIMD4<Float> {
        UnsafeRawPointer(p).loadUnaligned(as: SIMD4<Float>.self)
    }

    /// Where the first number of a quad's patch stands in the scratch memory.
    @inline(__always) private func start(_ q: Int) -> Int {
        let perRow = columns &>> 2
        let (row, column) = (q / perRow, q % perRow)
        let (sample, ty) = (row / rows, row % rows)
        return (sample &* paddedRows &+ ty &* winograd.tile) &* winograd.tile &* phaseWidth &+ 4 &* column
    }

    /// Copies the maps of a channel into the scratch memory.
    private func spread(_ x: UnsafePointer<Float>, into s: UnsafeMutablePointer<Float>) {
        let (m, pad) = (winograd.tile, winograd.size / 2)
        for sample in 0..<samples {
            for y in 0..<height {
                let row = s + (sample &* paddedRows &+ y &+ pad) &* m &* phaseWidth
                let source = x + (sample &* height &+ y) &* width
                var u = 0
                if m == 4 && (pad == 2 || pad == 1) {
                    while u &+ 16 <= width {
                        let X = u / 4
                        let turned = Matrix4x4(at: source + u, 4).transposed
                        func put(_ v: SIMD4<Float>, _ b: Int) {
                            let phase: Int = (b &+ pad) & 3
                            store(v, row + (phase &* phaseWidth &+ X &+ (b &+ pad) / 4))
                        }
                        put(turned.a, 0)
                        put(turned.b, 1)
                        put(turned.c, 2)
                        put(turned.d, 3)
                        u &+= 16
                    }
                }
                var (phase, X) = ((u &+ pad) % m, (u &+ pad) / m)
                while u < width {
                    row[phase &* phaseWidth &+ X] = source[u]
                    u &+= 1
                    phase &+= 1
                    if phase == m { (phase, X) = (0, X &+ 1) }
                }
            }
        }
    }

    @inline(__always) private func store(_ v: SIMD4<Float>, _ p: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD4<Float>.self)
    }

    /// y = Aᵀ M A of the products, [F, N, H, W].
    func inverse(_ products: Panel, features: Int, stride: Int, into y: UnsafeMutablePointer<Float>) {
        let (m, n, area) = (winograd.tile, winograd.points, height &* width)
        let axis = winograd.axis
        withUnsafeTemporaryAllocation(of: Octet.self, capacity: n * n + n * m) { buffer in
            let half = buffer.baseAddress!
            let out = half + m &* n
            for f in 0..<features {
                var q = 0
                while q < quads {
                    let source = octets(products, q, f, stride)
                    var j = 0
                    while j < n { axis.output(source + 2 &* j &* stride, 2 &* n &* stride, into: half + j, n); j &+= 1 }
                    j = 0
                    while j < m { axis.output(half + j &* n, 1, into: out + j &* m, 1); j &+= 1 }
                    let maps: UnsafeMutablePointer<Float> = y + (f &* samples &* area)
                    put(out, q, true, maps)
                    if q &+ 1 < quads { put(out, q &+ 1, false, maps) }
                    q &+= 2
                }
            }
        }
    }

    /// Four tiles of outputs to where they lie in a map.
    @inline(__always) private func put(
        _ out: UnsafeMutablePointer<Octet>, _ q: Int, _ isLow: Bool, _ y: UnsafeMutablePointer<Float>
    ) {
        let m = winograd.tile
        let perRow = columns &>> 2
        let (row, column) = (q / perRow, q % perRow)
        let (sample, ty) = (row / rows, row % rows)
        let map: UnsafeMutablePointer<Float> = y + (sample &* height &* width)
        let u0 = 4 &* column &* m
        for a in 0..<m {
            let v = ty &* m &+ a
            if v >= height { return }
            let target: UnsafeMutablePointer<Float> = map + (v &* width &+ u0)
            if m == 4, u0 &+ 16 <= width {
                func part(_ b: Int) -> SIMD4<Float> { isLow ? out[4 &* a &+ b].lowHalf : out[4 &* a &+ b].highHalf }
                let turned = Matrix4x4(part(0), part(1), part(2), part(3)).transposed
                turned.store(at: target, 4)
                continue
            }
            for t in 0..<4 {
                for b in 0..<m {
                    let column: Int = t &* m &+ b
                    if u0 &+ column >= width { break }
                    let lane: Int = isLow ? t : t &+ 4
                    target[column] = out[a &* m &+ b][lane]
                }
            }
        }
    }
}

// MARK: The adjoints

extension WinogradTiles {
    /// ∂L/∂M = A dy Aᵀ, the adjoint of `inverse`.
    func inverseAdjoint(_ dy: UnsafePointer<Float>, features: Int, into products: Panel, stride: Int) {
        let (m, n, area) = (winograd.tile, winograd.points, height &* width)
        let axis = winograd.axis
        withUnsafeTemporaryAllocation(of: Octet.self, capacity: n * m + m * m) { buffer in
            let half: UnsafeMutablePointer<Octet> = buffer.baseAddress!
            let tile: UnsafeMutablePointer<Octet> = half + m &* n
            for f in 0..<features {
                let maps: UnsafePointer<Float> = dy + (f &* samples &* area)
                var q = 0
                while q < quads {
                    for i in 0..<m &* m { tile[i] = .zero }
                    get(maps, q, true, tile)
                    if q &+ 1 < quads { get(maps, q &+ 1, false, tile) }
                    let target = octets(products, q, f, stride)
                    var j = 0
                    while j < m { axis.outputAdjoint(tile + j &* m, 1, into: half + j &* n, 1); j &+= 1 }
                    j = 0
                    while j < n {
                        axis.outputAdjoint(half + j, n, into: target + 2 &* j &* stride, 2 &* n &* stride)
                        j &+= 1
                    }
                    q &+= 2
                }
            }
        }
    }

    /// Four tiles of a map; what lies outside stays as it is.
    @inline(__always) private func get(
        _ y: UnsafePointer<Float>, _ q: Int, _ isLow: Bool, _ out: UnsafeMutablePointer<Octet>
    ) {
        let m = winograd.tile
        let perRow = columns &>> 2
        let (row, column) = (q / perRow, q % perRow)
        let (sample, ty) = (row / rows, row % rows)
        let map: UnsafePointer<Float> = y + (sample &* height &* width)
        let u0 = 4 &* column &* m
        for a in 0..<m {
            let v = ty &* m &+ a
            if v >= height { return }
            let source: UnsafePointer<Float> = map + (v &* width &+ u0)
            if m == 4, u0 &+ 16 <= width {
                let turned = Matrix4x4(at: source, 4).transposed
                func put(_ v: SIMD4<Float>, _ b: Int) {
                    UnsafeMutableRawPointer(out + (4 &* a &+ b)).storeBytes(
                        of: v, toByteOffset: isLow ? 0 : 16, as: SIMD4<Float>.self)
                }
                put(turned.a, 0)
                put(turned.b, 1)
                put(turned.c, 2)
                put(turned.d, 3)
                continue
            }
            for t in 0..<4 {
                for b in 0..<m {
                    let column: Int = t &* m &+ b
                    if u0 &+ column >= width { break }
                    out[a &* m &+ b][isLow ? t : t &+ 4] = source[column]
                }
            }
        }
    }

    /// dx += B dV Bᵀ where the patches lay, the adjoint of `transform`.
    func transformAdjoint(
        _ dv: Panel, channels: Int, stride: Int, addingTo dx: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let (m, n, area) = (winograd.tile, winograd.points, height &* width)
        let axis = winograd.axis
        withUnsafeTemporaryAllocation(of: Octet.self, capacity: 2 * n * n) { buffer in
            let d: UnsafeMutablePointer<Octet> = buffer.baseAddress!
            let half: UnsafeMutablePointer<Octet> = d + n &* n
            for c in 0..<channels {
                scratch.update(repeating: 0, count: self.scratch)
                var q = 0
                while q < quads {
                    let source = octets(dv, q, c, stride)
                    var i = 0
                    while i < n {
                        axis.inputAdjoint(source + 2 &* i &* stride, 2 &* n &* stride, into: half + i, n)
                        i &+= 1
                    }
                    i = 0
                    while i < n { axis.inputAdjoint(half + i &* n, 1, into: d + i &* n, 1); i &+= 1 }
                    add(d, start(q), true, scratch)
                    if q &+ 1 < quads { add(d, start(q &+ 1), false, scratch) }
                    q &+= 2
                }
                collect(scratch, addingTo: dx + (c &* samples &* area))
            }
        }
    }

    @inline(__always) private func add(
        _ d: UnsafeMutablePointer<Octet>, _ start: Int, _ isLow: Bool, _ s: UnsafeMutablePointer<Float>
    ) {
        let (offsets, count) = (offsets.pointer, winograd.places)
        let first: UnsafeMutablePointer<Float> = s + start
        var i = 0
        while i < count {
            let p: UnsafeMutablePointer<Float> = first + offsets[i]
            let sum = four(p) + (isLow ? d[i].lowHalf : d[i].highHalf)
            store(sum, p)
            i &+= 1
        }
    }

    /// Adds what stands in the scratch memory to the maps of a channel; the zeros around them are left out.
    private func collect(_ s: UnsafePointer<Float>, addingTo x: UnsafeMutablePointer<Float>) {
        let (m, pad) = (winograd.tile, winograd.size / 2)
        for sample in 0..<samples {
            for y in 0..<height {
                let row: UnsafePointer<Float> = s + ((sample &* paddedRows &+ y &+ pad) &* m &* phaseWidth)
                let target: UnsafeMutablePointer<Float> = x + ((sample &* height &+ y) &* width)
                var u = 0
                if m == 4 && (pad == 2 || pad == 1) {
                    while u &+ 16 <= width {
                        let X = u / 4
                        func part(_ b: Int) -> SIMD4<Float> {
                            let phase: Int = (b &+ pad) & 3
                            return four(row + (phase &* phaseWidth &+ X &+ (b &+ pad) / 4))
                        }
                        let turned = Matrix4x4(part(0), part(1), part(2), part(3)).transposed
                        turned.a.add(to: target + u)
                        turned.b.add(to: target + (u &+ 4))
                        turned.c.add(to: target + (u &+ 8))
                        turned.d.add(to: target + (u &+ 12))
                        u &+= 16
                    }
                }
                var (phase, X) = ((u &+ pad) % m, (u &+ pad) / m)
                while u < width {
                    target[u] += row[phase &* phaseWidth &+ X]
                    u &+= 1
                    phase &+= 1
                    if phase == m { (phase, X) = (0, X &+ 1) }
                }
            }
        }
    }
}
