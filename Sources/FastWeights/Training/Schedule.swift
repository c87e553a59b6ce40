/// How the learning rate changes in the course of a training.
public enum Schedule: String, Sendable, CaseIterable {
    /// The full rate throughout.
    case constant
    /// From the full rate to zero along half a cosine.
    case cosine
    /// From the full rate to zero along a line.
    case linear

    /// The factor on the learning rate where a share `done` of the training is over, from 1 to 0.
    func factor(_ done: Double) -> Float {
        switch self {
        case .constant: return 1
        case .linear: return Float(max(0, 1 - done))
        case .cosine: return Float(0.5 * (1 + cosineOfPi(min(done, 1))))
        }
    }
}

/// cos(π·x) for x in [0, 1], by its series about the nearest quarter: the same bits on every platform.
private func cosineOfPi(_ x: Double) -> Double {
    if x > 0.5 { return -cosineOfPi(1 - x) }
    let square = (x * Double.pi) * (x * Double.pi)
    var term = 1.0
    var sum = 1.0
    for n in 1...12 {
        term *= -square / Double((2 * n - 1) * (2 * n))
        sum += term
    }
    return sum
}
