/// What the axes of an array of clips are, outermost first: B clips, T frames, C channels, H rows, W columns; "TBHW" is that
/// of Moving MNIST's test file.
struct VideoLayout: Sendable, Equatable, CustomStringConvertible {
    /// The letters.
    let description: String

    /// Each letter once at most; T, H and W must be there. Nil for other texts.
    init?(_ text: String) {
        let letters = Set(text)
        guard letters.count == text.count, letters.isSubset(of: "BTCHW"), letters.isSuperset(of: "THW") else {
            return nil
        }
        description = text
    }

    private init(known text: String) { description = text }

    /// Frames a clip of Moving MNIST.
    private static let movingMNIST = 20

    /// The layout that an array of this shape must have. Throws `VideoError` where more than one could be meant: nothing is
    /// guessed from which of two numbers is larger.
    init(of shape: [Int], source: String) throws(VideoError) {
        /// Gray or color.
        func isChannels(_ axis: Int) -> Bool { shape[axis] == 1 || shape[axis] == 3 }
        let possible: [String] =
            switch shape.count {
            case 5: (isChannels(2) ? ["BTCHW"] : []) + (isChannels(4) ? ["BTHWC"] : [])
            case 4 where isChannels(1) || isChannels(3):
                (isChannels(1) ? ["TCHW"] : []) + (isChannels(3) ? ["THWC"] : [])
            case 4 where shape[2] == shape[3] && shape[0] == Self.movingMNIST && shape[1] != Self.movingMNIST:
                ["TBHW"]
            case 4: ["TBHW", "BTHW"]
            case 3 where !isChannels(2): ["THW"]
            default: []
            }
        guard possible.count == 1 else {
            let found =
                possible.isEmpty ? "one that could be any" : "one that could be \(possible.joined(separator: " or "))"
            throw VideoError(
                "\(source): expected clips of a shape that says what its axes are, as [B, T, C, H, W] with 1 or 3 channels or Moving MNIST's [20, B, 64, 64], found \(shape), \(found). Name the axes, as --layout BTHW: B clips, T frames, C channels, H rows, W columns"
            )
        }
        self.init(known: possible[0])
    }

    /// The size of each axis, and how many numbers from one place of it to the next; a letter that is not there has size 1.
    func axes(_ shape: [Int], source: String) throws(VideoError) -> [Character: (size: Int, stride: Int)] {
        guard shape.count == description.count, !shape.contains(0) else {
            throw VideoError("\(source): expected an array of \(description), none of its sizes 0, found \(shape)")
        }
        var axes: [Character: (size: Int, stride: Int)] = ["B": (1, 0), "C": (1, 0)]
        var stride = 1
        for (letter, size) in zip(description, shape).reversed() {
            axes[letter] = (size, stride)
            stride *= size
        }
        return axes
    }
}
