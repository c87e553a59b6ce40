/// What one model came to on the parts of a cross-validation: errors, or accuracies.
///
/// The parts are taken for the draws, not the images: those of one person are alike. They are not quite independent, as
/// any two trainings share some of the persons they train on, so the interval is approximate.
struct CrossValidation: Sendable, Equatable {
    /// Of each part, 0...1.
    let values: [Double]

    /// Traps without a part.
    init(_ values: [Double]) {
        require(!values.isEmpty, "a cross-validation needs at least 1 part")
        self.values = values
    }

    var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// Half the width of the 95 % confidence interval of the mean, by Student's distribution over the parts; infinite of
    /// one part.
    var halfWidth: Double {
        let freedom = values.count - 1
        guard freedom > 0 else { return .infinity }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return Self.quantile(freedom) * (squares / Double(freedom) / Double(values.count)).squareRoot()
    }

    /// The 97.5 % quantile of Student's distribution; beyond ten degrees of freedom by Cornish and Fisher's expansion.
    private static func quantile(_ freedom: Int) -> Double {
        let table = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]
        if freedom <= table.count { return table[freedom - 1] }
        let (z, n) = (1.959964, Double(freedom))
        return z + (z * z * z + z) / (4 * n) + (5 * z * z * z * z * z + 16 * z * z * z + 3 * z) / (96 * n * n)
    }
}
