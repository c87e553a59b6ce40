extension Command {
    /// `fastweights info`.
    static let info = Command(
        name: "info", summary: "Show the version, what it was built for and what it runs on",
        options: [.seed, .threads]
    ) { _ in
        Terminal.write(InfoReport.text)
        return 0
    }
}

/// What `fastweights info` prints, and a bug report should begin with.
enum InfoReport {
    static var text: String {
        """
        Version           \(CommandLineTool.version)
        Operating system  \(Machine.operatingSystem), \(Machine.architecture)
        Cores             \(Machine.coreCount)
        Multiply-add      \(Machine.hasFusedMultiplyAdd ? "fused, built with the trait AVX2" : "separate, portable build")

        """
    }
}
