// The options of several commands on video, and what they make of them.

extension Option {
    /// The clips of a command.
    static func clips(_ name: String, help: String, defaultValue: String? = nil) -> Option {
        Option(
            name: name, placeholder: "CLIPS", kind: .path(), defaultValue: defaultValue,
            help: help + ": \(VideoSource.names.map(\.name).joined(separator: ", ")), or a path to .npy, .npz, IDX, "
                + ".tfrecord or folders of numbered PNGs")
    }

    static func clipCount(_ name: String, _ count: Int, help: String) -> Option {
        Option(
            name: name, placeholder: "N", kind: .integer(1...100_000_000), defaultValue: "\(count)", help: help)
    }

    /// How files are read.
    static let videoFiles = [
        Option(
            name: "layout", placeholder: "AXES",
            kind: .form(
                "the axes of an array, outermost first: B clips, T frames, C channels, H rows, W columns",
                example: "BTHW"
            ) { VideoLayout($0) != nil },
            help: "What an array is taken for where it could be several"),
        Option(name: "camera", placeholder: "NAME", kind: .text, help: "The camera of records that have several"),
        Option(
            name: "pad", kind: .flag,
            help: "Repeat the last row and column of frames whose sizes are no multiples of 8 up to the next ones"),
    ]
}

extension VideoFileOptions {
    /// As the options say.
    init(_ arguments: ParsedArguments) {
        self.init(
            layout: arguments.textIfAny("layout").flatMap { VideoLayout($0) }, camera: arguments.textIfAny("camera"))
    }
}

extension VideoClips {
    /// Clips that were read, larger by some rows and columns where --pad asks for it.
    func padded(_ arguments: ParsedArguments) -> VideoClips {
        arguments.flag("pad") ? padded(toMultiplesOf: 8) : self
    }
}
