/// What a model of video is made of: the sizes of its clips, of its network, and how it makes a frame of the last one.
///
///     var configuration = VideoConfiguration(channels: 3, height: 64, width: 64, head: .cdna)
///     (configuration.actions, configuration.states) = (4, 3)
///
/// The network is that of *Unsupervised Learning for Physical Interaction through Video Prediction* (Finn, Goodfellow, Levine
/// 2016): seven convolutional LSTMs between convolutions that halve the maps three times and make them whole again.
public struct VideoConfiguration: Sendable, Equatable {
    /// How the next frame is made.
    public enum Head: String, Sendable, CaseIterable {
        /// Of the last frame convolved with kernels that the network gives, the same all over the frame ("convolutional
        /// dynamic neural advection").
        case cdna
        /// Of the last frame, by a kernel for each pixel ("dynamic neural advection").
        case dna
        /// Of the last frame under affine maps ("spatial transformer predictors").
        case stp
        /// From nothing: the network paints it.
        case paint
        /// From nothing, by another network: convolutional LSTMs over patches, see `PatchOptions`.
        case convlstm
    }

    /// Which reading of the model it is.
    public enum Parity: String, Sendable, CaseIterable {
        /// What is said in the paper: no rectifier on the logits of masks, taps and paint, and a mask for every image.
        case clean
        /// What the authors' release computes: rectified logits, and a mask less, so that the last kernel is not used.
        case release
    }

    /// C, channels of a frame.
    public var channels: Int
    /// H, rows of a frame, a multiple of 8.
    public var height: Int
    /// W, columns of a frame, a multiple of 8.
    public var width: Int
    /// A, numbers of the action that leads from a frame to the next; 0 for none.
    public var actions = 0
    /// S, numbers of the state at a frame; 0 for none.
    public var states = 0
    /// How the next frame is made.
    public var head: Head
    /// M, kernels or affine maps; 1 of `dna`, which has but one image.
    public var kernels = 10
    /// The side of a kernel, an odd number.
    public var kernelSize = 5
    /// Maps of each of the seven convolutional LSTMs; of `convlstm` of as many as there are.
    public var widths = [32, 32, 64, 64, 128, 64, 32]
    /// The side of the filters of their gates, an odd number.
    public var gateSize = 5
    /// Frames that are given before the model goes on by itself.
    public var context = 2
    /// Which reading of the model it is.
    public var parity = Parity.clean
    /// What a model of `convlstm` is made of.
    public var patches = PatchOptions()

    /// The sizes of the paper for such frames.
    public init(channels: Int, height: Int, width: Int, head: Head) {
        (self.channels, self.height, self.width, self.head) = (channels, height, width, head)
        if head == .dna { kernels = 1 }
        if head == .convlstm { widths = [64, 64] }
    }

    var frame: MapShape { MapShape(channels: channels, height: height, width: width) }
    /// ε of the layer norms.
    var epsilon: Float { parity == .release ? 1e-12 : 1e-5 }

    /// Affine maps of `stp`; the release has a mask less for them.
    var affineMaps: Int { kernels - (parity == .release ? 1 : 0) }
    /// Masks: of the last frame and of each image, one of which is painted but for `dna`.
    var masks: Int {
        switch head {
        case .cdna, .stp: kernels + (parity == .release ? 1 : 2)
        case .dna: 2
        case .paint, .convlstm: 0
        }
    }

    /// Most of any size, and the longest side of kernels and filters.
    private static let (sizeLimit, sideLimit) = (1 << 12, 99)

    /// What makes a model of these sizes impossible; nil of a possible one.
    var problem: String? {
        let sizes = [channels, height, width, kernels, kernelSize, gateSize, context] + widths
        guard sizes.allSatisfy({ (1...Self.sizeLimit).contains($0) }), head == .convlstm || widths.count == 7,
            [actions, states].allSatisfy({ (0...Self.sizeLimit).contains($0) })
        else {
            return "a video model has sizes from 1 to \(Self.sizeLimit), seven widths, and 0 or more actions and "
                + "states; found \(sizes.text), actions \(actions) and states \(states)"
        }
        guard head != .convlstm else { return problemOfPatches }
        guard height % 8 == 0, width % 8 == 0 else {
            func padded(_ n: Int) -> Int { (n + 7) / 8 * 8 }
            return "the network halves frames three times, so rows and columns are multiples of 8; found \(height) by "
                + "\(width): pad or crop them, for example to \(padded(height)) by \(padded(width))"
        }
        guard kernelSize % 2 == 1, gateSize % 2 == 1, max(kernelSize, gateSize) <= Self.sideLimit else {
            return "kernels and filters of gates have odd sides up to \(Self.sideLimit); found \(kernelSize) and "
                + "\(gateSize)"
        }
        guard head != .dna || kernels == 1 else {
            return "a model with a kernel for each pixel (dna) has one image, so 1 kernel; found \(kernels)"
        }
        let release = parity == .release && head != .dna && head != .paint
        return release && kernels == 1
            ? "the release's last kernel is not used, so 2 at least are needed; found 1" : nil
    }

    /// The same of convolutional LSTMs over patches.
    private var problemOfPatches: String? {
        let (p, sides) = (patches.patch, [patches.kernel.height, patches.kernel.width])
        guard (1...16).contains(widths.count), sides.allSatisfy({ $0 % 2 == 1 && (1...Self.sideLimit).contains($0) })
        else {
            return "convolutional LSTMs are 1 to 16 layers with filters of odd sides up to \(Self.sideLimit); found "
                + "\(widths.count) layers and filters of \(patches.kernel.text)"
        }
        guard p > 0, height % p == 0, width % p == 0 else {
            return "frames are cut into patches, so rows and columns are multiples of their side; found \(height) by "
                + "\(width) and patches of \(p)"
        }
        return actions + states == 0
            ? nil
            : "convolutional LSTMs over patches read no actions and no states, found \(actions) and \(states) numbers"
    }
}

// MARK: - JSON

extension VideoConfiguration {
    /// As it stands in a file.
    var json: JSON {
        func number(_ n: Int) -> JSON { .number(Double(n)) }
        func numbers(_ all: [Int]) -> JSON { .array(all.map(number)) }
        let common: [JSON.Member] = [
            JSON.Member(key: "frame", value: numbers([channels, height, width])), JSON.Member("actions", actions),
            JSON.Member("states", states), JSON.Member(key: "head", value: .string(head.rawValue)),
            JSON.Member(key: "widths", value: numbers(widths)), JSON.Member("context", context),
        ]
        guard head != .convlstm else { return .object(common + patches.members) }
        return .object(
            common + [
                JSON.Member("kernels", kernels), JSON.Member("kernel_size", kernelSize),
                JSON.Member("gate_size", gateSize), JSON.Member(key: "parity", value: .string(parity.rawValue)),
            ])
    }

    /// Reads what `json` wrote. Throws `ConfigurationError` with what is missing or cannot be.
    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "video model")
        func numbers(_ key: String, _ count: Int?) throws(ConfigurationError) -> [Int] {
            let (found, all) = ((json[key]?.elements ?? []).compactMap { $0.integer }, json[key]?.elements?.count)
            guard found.count == all, count ?? found.count == found.count, !found.isEmpty else {
                throw reader.wrong(key, count.map { "\($0) whole numbers" } ?? "whole numbers")
            }
            return found
        }
        let frame = try numbers("frame", 3)
        let head = json["form"] == nil ? try reader.name("head", Head.self) : .convlstm
        self.init(channels: frame[0], height: frame[1], width: frame[2], head: head)
        actions = try reader.count("actions", from: 0, default: 0)
        states = try reader.count("states", from: 0, default: 0)
        context = try reader.count("context")
        if head == .convlstm {
            widths = try numbers("widths", nil)
            patches = try PatchOptions(reader)
        } else {
            widths = try numbers("widths", 7)
            kernels = try reader.count("kernels")
            kernelSize = try reader.count("kernel_size")
            gateSize = try reader.count("gate_size")
            parity = try reader.name("parity", Parity.self)
        }
        if let problem { throw ConfigurationError(description: problem) }
    }
}
