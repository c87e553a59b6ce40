extension MatrixStrip {
    /// The kernels by which a model moves pixels as little fields of motion: each shows where, seen from the middle, a pixel's
    /// light goes, and an arrow to the mean of that.
    ///
    /// `kernels` are M of `side` rows and columns, as a correlation has them: the weight in row u and column v takes the pixel
    /// that lies (u, v) from the middle, so that it moves pixels by (-u, -v). Traps on another number of them.
    init(kernels: [Float], side: Int, title: String, description: String) {
        require(
            side > 0 && side % 2 == 1 && !kernels.isEmpty && kernels.count % (side * side) == 0,
            "\(kernels.count) numbers of kernels of \(side) by \(side)")
        let panels = (0..<kernels.count / (side * side)).map { m in
            // Turned by half a turn: from where light is taken to where it goes.
            let values = kernels[m * side * side..<(m + 1) * side * side].reversed().map(Double.init)
            let motion = Self.motion(values, side)
            let words = [motion.x, motion.y].map { FixedPoint.text($0, decimals: 2) }
            return Panel(label: "\(m + 1): \(words[0]), \(words[1])", values: values, arrow: motion)
        }
        self.init(title: title, description: description, panels: panels)
    }

    /// Columns to the right and rows down from the middle to the mean of where light goes; 0 where all weights are.
    private static func motion(_ values: [Double], _ side: Int) -> SIMD2<Double> {
        let sum = values.reduce(0, +)
        guard sum > 0 else { return .zero }
        let middle = Double(side / 2)
        return values.enumerated().reduce(into: .zero) { motion, place in
            let (row, column) = place.offset.quotientAndRemainder(dividingBy: side)
            motion += place.element / sum * SIMD2(Double(column) - middle, Double(row) - middle)
        }
    }
}
