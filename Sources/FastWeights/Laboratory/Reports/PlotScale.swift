/// Maps values to positions along one axis and chooses its ticks.
struct PlotScale {
    struct Tick {
        let value: Double
        /// Empty for a minor tick.
        let label: String
    }

    /// How numbers along the axis are written.
    enum Labels {
        /// Counts: 500, 20k, 1.5M.
        case counts
        case plain
        /// Rates 0...1 in percent.
        case percent
    }

    let lower: Double
    let upper: Double
    let isLogarithmic: Bool
    let labels: Labels
    /// Positions of the lower and the upper end.
    let start: Double
    let end: Double

    /// An axis over the finite values.
    ///
    /// A linear axis is widened to round numbers and begins at 0 when nothing is negative. A logarithmic one shows at most
    /// six decades below the largest value; what is smaller, zero for one, is drawn at its lower end.
    init(values: [Double], isLogarithmic: Bool, labels: Labels, widen: Bool, start: Double, end: Double) {
        self.isLogarithmic = isLogarithmic
        self.labels = labels
        self.start = start
        self.end = end
        let usable = values.filter { $0.isFinite && (!isLogarithmic || $0 > 1e-300) }
        let largest = usable.max() ?? 1
        let smallest = usable.min() ?? (isLogarithmic ? 0.1 : 0)
        if isLogarithmic {
            let low = max(smallest, largest * 1e-6)
            let bottom = widen ? PlotScale.powerOfTen(PlotScale.decade(low)) : low
            let top = widen ? PlotScale.roundedUp(largest) : largest
            lower = bottom
            upper = top > bottom ? top : bottom * 10
        } else {
            let bottom = min(smallest, 0)
            let top = largest > bottom + 1e-12 ? largest : bottom + 1
            let step = PlotScale.step(top - bottom)
            lower = (bottom / step).rounded(.down) * step
            upper = widen ? (top / step - 1e-9).rounded(.up) * step : top
        }
    }

    func position(_ value: Double) -> Double {
        let inside = min(upper, max(lower, value))
        let fraction: Double
        if isLogarithmic {
            let low = PlotScale.log10(lower)
            fraction = (PlotScale.log10(inside) - low) / (PlotScale.log10(upper) - low)
        } else {
            fraction = (inside - lower) / (upper - lower)
        }
        return start + fraction * (end - start)
    }

    /// Labeled ticks: multiples of 1, 2 or 5, or the powers of ten of a logarithmic axis.
    var majorTicks: [Tick] {
        if isLogarithmic { return logarithmicTicks }
        let step = PlotScale.step(upper - lower)
        let first = Int((lower / step - 1e-9).rounded(.up))
        let last = Int((upper / step + 1e-9).rounded(.down))
        return (first...max(first, last)).map { Tick(value: Double($0) * step, label: label(Double($0) * step, step)) }
    }

    /// Ticks between the labeled ones: fifths or halves of a step, 2...9 in a decade.
    var minorTicks: [Double] {
        if isLogarithmic {
            return (PlotScale.decade(lower)...PlotScale.decade(upper)).flatMap { decade in
                (2...9).map { Double($0) * PlotScale.powerOfTen(decade) }
            }.filter { $0 >= lower && $0 <= upper }
        }
        let step = PlotScale.step(upper - lower) / 2
        let first = Int((lower / step - 1e-9).rounded(.up))
        let last = Int((upper / step + 1e-9).rounded(.down))
        return (first...max(first, last)).filter { $0 % 2 != 0 }.map { Double($0) * step }
    }

    private var logarithmicTicks: [Tick] {
        let decades = (PlotScale.decade(lower)...PlotScale.decade(upper)).map(PlotScale.powerOfTen)
            .filter { $0 >= lower && $0 <= upper }
        if decades.count >= 2 { return decades.map { Tick(value: $0, label: label($0, $0)) } }
        // Less than a decade: label its 1, 2 and 5, or the ends when none of them is inside.
        let base = PlotScale.powerOfTen(PlotScale.decade(lower))
        let inside = [1, 2, 5, 10, 20, 50].map { $0 * base }.filter { $0 >= lower && $0 <= upper }
        return (inside.isEmpty ? [lower, upper] : inside).map { Tick(value: $0, label: label($0, $0)) }
    }

    private func label(_ value: Double, _ step: Double) -> String {
        switch labels {
        case .percent:
            return PlotScale.trimmed(value * 100, step: step * 100) + " %"
        case .plain:
            return PlotScale.trimmed(value, step: step)
        case .counts:
            if value >= 1e6 { return PlotScale.trimmed(value / 1e6, step: step / 1e6) + "M" }
            if value >= 1e3 { return PlotScale.trimmed(value / 1e3, step: step / 1e3) + "k" }
            return PlotScale.trimmed(value, step: step)
        }
    }

    /// The value with as many decimals as the step has.
    private static func trimmed(_ value: Double, step: Double) -> String {
        let decimals = step > 0 ? min(9, max(0, -decade(step * 1.000001))) : 0
        return FixedPoint.text(value, decimals: decimals)
    }

    // MARK: - Round numbers

    /// The step of 1, 2 or 5 times a power of ten that divides a span into three to seven parts.
    static func step(_ span: Double) -> Double {
        let unit = powerOfTen(decade(span / 5))
        let ratio = span / 5 / unit
        return unit * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10)
    }

    /// The next 1, 2 or 5 times a power of ten.
    private static func roundedUp(_ value: Double) -> Double {
        let unit = powerOfTen(decade(value))
        for factor in [1.0, 2, 5] where factor * unit >= value { return factor * unit }
        return 10 * unit
    }

    /// The exponent of the largest power of ten not above a positive value.
    static func decade(_ value: Double) -> Int {
        var exponent = Int(log10(value).rounded(.down))
        if powerOfTen(exponent + 1) <= value { exponent += 1 }
        if powerOfTen(exponent) > value { exponent -= 1 }
        return exponent
    }

    static func powerOfTen(_ exponent: Int) -> Double {
        let whole = power(10, Int(exponent.magnitude))
        return exponent < 0 ? 1 / whole : whole
    }

    /// The decimal logarithm of a positive value, the same on every machine.
    static func log10(_ value: Double) -> Double {
        require(value > 0 && value.isFinite, "a logarithm is of a positive finite number, found \(value)")
        return naturalLogarithm(value) * 0.43429448190325183
    }
}
