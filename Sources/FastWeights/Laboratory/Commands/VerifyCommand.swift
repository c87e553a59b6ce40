extension Command {
    /// `fastweights verify`.
    static let verify = Command(
        name: "verify", summary: "Check cells, networks and kernels against PyTorch",
        discussion: """
            Each row is a case: the worst error of what the forward pass gives and of the
            gradients (or of the parameters after ten training steps), relative to the
            largest number of a tensor, or of each gate's part of it. A case of your own
            names its layers and needs nothing else: Fixtures/README.md has the format.
            """,
        options: [
            Option(
                name: "fixtures", placeholder: "DIR", kind: .path(), defaultValue: "Fixtures", help: "The golden cases"),
            Option(name: "only", placeholder: "TEXT", kind: .text, help: "Only cases with this in their name"),
            .threads,
        ], examples: ["verify", "verify --only lstm"]
    ) { arguments in
        let folder = arguments.text("fixtures")
        guard Files.exists(folder) else {
            throw FileError(
                path: folder, attempt: "read the golden cases in", reason: "there is no such folder here",
                advice: "They are in the folder Fixtures of the sources of FastWeights: name it with --fixtures DIR.")
        }
        let names = try Verifier.cases(in: folder).filter {
            !arguments.hasValue("only") || $0.contains(arguments.text("only"))
        }
        guard !names.isEmpty else {
            throw UsageError("no golden case in \(folder) has \"\(arguments.text("only"))\" in its name.")
        }
        var table = TextTable(["case", "outputs", "gradients", ""], alignments: [.left, .right, .right, .left])
        let results = Verifier.run(names, in: folder, threads: arguments.integer("threads"))
        for result in results {
            table.add([
                result.name, result.problem == nil ? scientific(result.outputError) : "-",
                result.gradientError.isNaN ? "-" : scientific(result.gradientError),
                result.passed
                    ? "pass" : result.problem == nil ? "FAIL, worst in \(result.worstTensor)" : "cannot be run",
            ])
        }
        Terminal.write(table.plain(width: Terminal.tableWidth()))
        let (failed, problems) = (results.count { !$0.passed }, results.compactMap { $0.problem })
        if !problems.isEmpty { Terminal.write("\n" + problems.map { "\($0)\n" }.joined()) }
        let single = results.first { $0.tolerance > Verifier.tolerance }
        Terminal.write(
            "\n\(names.count - failed) passed, \(failed) failed; tolerance \(scientific(Verifier.tolerance))"
                + (single.map { ", of expected numbers in float32 \(scientific($0.tolerance))" } ?? "") + "\n")
        return failed == 0 ? 0 : 1
    }

    /// Two digits and a power of ten, as 1.2e-07.
    private static func scientific(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        guard value > 0 else { return "0" }
        var (mantissa, exponent) = (value, 0)
        while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        while mantissa >= 9.95 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        let digits = "\(abs(exponent))"
        return FixedPoint.text(mantissa, decimals: 1) + (exponent < 0 ? "e-" : "e+") + (digits.count < 2 ? "0" : "")
            + digits
    }
}
