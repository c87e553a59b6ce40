/// The colors of a heat map: from the ground to a strong ink in twelve steps of equal lightness (OKLab), warm for
/// positive weights and cold for negative ones, so that lightness alone already tells the size of a weight.
///
/// The steps run from light to dark on a light ground and from dark to light on a dark one.
enum ColorScale {
    /// Steps above zero.
    static let levels = 12

    static let lightPositive = [
        "#f5f1e9", "#f9d8ad", "#fabc7f", "#f5a067", "#ef834e", "#e0694e", "#cf4f50", "#ba3852", "#9a3059", "#7c255e",
        "#601c58", "#45164b", "#2b0f3d",
    ]
    static let lightNegative = [
        "#f5f1e9", "#cde3e0", "#a5d3d7", "#86c0d0", "#67aec8", "#4b9abf", "#3b84b6", "#2c6fac", "#245a9e", "#22458b",
        "#1f3079", "#18225c", "#10153f",
    ]
    static let darkPositive = [
        "#232833", "#442b4c", "#632c5f", "#833160", "#a43460", "#bb4657", "#d3564a", "#e66c41", "#ef8845", "#f6a349",
        "#fabd69", "#fdd790", "#fdf0b4",
    ]
    static let darkNegative = [
        "#232833", "#273556", "#2b427a", "#2e5490", "#3167a2", "#347ab5", "#408fbe", "#4da3c7", "#62b7cf", "#83c8d5",
        "#a1dadb", "#c4e9e5", "#e6f8f0",
    ]

    /// The same ramps in the fixed colors of a terminal of 256, chosen by hand: the nearest colors of the first steps
    /// would be grays, and the sign of a small weight lost.
    static let indexedPositive = [236, 53, 53, 89, 89, 125, 161, 167, 203, 209, 215, 222, 229]
    static let indexedNegative = [236, 17, 18, 24, 25, 25, 31, 31, 38, 74, 116, 152, 195]

    /// The steps as variables of a picture's style, p0 to p12 and n0 to n12, and the rules of the classes of these names.
    static let variables: [Markup.Variable] = {
        func scale(_ name: String, _ light: [String], _ dark: [String]) -> [Markup.Variable] {
            zip(light, dark).enumerated().map { Markup.Variable(name: "\(name)\($0)", light: $1.0, dark: $1.1) }
        }
        return scale("p", lightPositive, darkPositive) + scale("n", lightNegative, darkNegative)
    }()
    static let rules = (0...levels).flatMap { [".p\($0){fill:var(--p\($0))}", ".n\($0){fill:var(--n\($0))}"] }

    /// The step of a weight, -12...12, when `largest` is the largest magnitude in the picture. What is not a number has
    /// none.
    static func level(_ weight: Double, largest: Double) -> Int? {
        if weight.isNaN { return nil }
        guard largest > 0 else { return 0 }
        return Int((min(1, max(-1, weight / largest)) * Double(levels)).rounded())
    }

    /// Red, green and blue, 0...255, of "#rrggbb".
    static func components(_ color: String) -> (red: Int, green: Int, blue: Int) {
        let value = Int(color.dropFirst(), radix: 16) ?? 0
        return (value >> 16, value >> 8 & 255, value & 255)
    }
}
