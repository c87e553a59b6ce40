/// y[c, v, u] = max of x over windows of `size` by `size` that do not overlap; what is left at the edges is not looked at.
struct MaxPool: Sendable, Equatable {
    let input: MapShape
    let size: Int

    var output: MapShape {
        MapShape(channels: input.channels, height: input.height / size, width: input.width / size)
    }

    /// The first row of a window, and of y.
    @inline(__always)
    private func forEachWindow(_ body: (_ first: Int, _ row: Int) -> Void) {
        let output = output
        var row = 0
        for c in 0..<input.channels {
            for v in 0..<output.height {
                for u in 0..<output.width {
                    body((c &* input.height &+ v &* size) &* input.width &+ u &* size, row)
                    row &+= 1
                }
            }
        }
    }

    @inline(never)
    func forward(_ x: Panel, into y: Panel) {
        forEachWindow { first, row in
            var largest = x[first]
            for i in 0..<size {
                for j in 0..<size { largest = largest.lanewiseMax(x[first &+ i &* input.width &+ j]) }
            }
            y[row] = largest
        }
    }

    /// dx becomes ∂L/∂x: of each window the first of its largest numbers has dy. dx may be x.
    @inline(never)
    func backward(_ x: Panel, _ y: Panel, _ dy: Panel, into dx: Panel) {
        forEachWindow { first, row in
            var left = dy[row]
            for i in 0..<size {
                for j in 0..<size {
                    let position = first &+ i &* input.width &+ j
                    let isHere = x[position] .== y[row]
                    dx[position] = Lanes.zero.replacing(with: left, where: isHere)
                    left.replace(with: 0, where: isHere)
                }
            }
        }
        let (rows, columns) = (output.height * size, output.width * size)
        for c in 0..<input.channels {
            for v in 0..<input.height {
                let row = dx + (c &* input.height &+ v) &* input.width
                for u in (v < rows ? columns : 0)..<input.width { row[u] = .zero }
            }
        }
    }
}
